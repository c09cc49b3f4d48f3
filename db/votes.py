"""Blind votes between two films: casting, and counting by pair and by pacing.

A row holds its two walks sorted by id, not in the order in which they were shown.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from db import edits
from db.clock import database_now
from db.dialect import let_one_in
from db.models import IS_DONE, Choice, Vote, Walk

_BATCH = 500  # parameters per query; SQLite allows 32,766, PostgreSQL 65,535
_INTAKE_LOCK_ID = 0x564F5445  # an advisory lock of PostgreSQL: "VOTE"
_COUNTS = tuple(
    func.count().filter(Vote.chosen == choice)
    for choice in (Choice.LEFT, Choice.RIGHT, Choice.NONE)
)
SETTINGS = {"pacing": "linear", "interpolation": "lerp"}
"""What votes are counted by, with what a spec means that does not say."""
_OTHER_SETTINGS = (
    *("stops", "model", "frames", "steps", "size", "height", "loras"),
    *("mode", "without", "loop", "fps", "prompt_weights", "middle"),
)
_WITHOUT_STRENGTH = ("linear", "even")
"""Pacings that are the same at any strength."""


class Tally(NamedTuple):
    """Counts of votes on a pair, from one side: won, lost, and neither preferred."""

    won: int = 0
    lost: int = 0
    neither: int = 0

    def swap(self) -> "Tally":
        """Return the same counts from the other side."""
        return Tally(self.lost, self.won, self.neither)

    def add(self, other: "Tally") -> "Tally":
        """Return the sums of both tallies."""
        return Tally(self.won + other.won, self.lost + other.lost, self.neither + other.neither)


def cast(*, session: Session, one: str, other: str, preferred: str | None, maker: str) -> bool:
    """Store a vote between two films; `preferred` is the id of one of them, or None for neither.

    A maker has one vote per pair: a second one replaces the first. Returns False unless both
    walks exist and are done. Raises ValueError when `preferred` is a third id, or when both ids
    are equal.
    """
    if one == other or preferred not in (one, other, None):
        raise ValueError(f"no vote for {preferred} between {one} and {other}")
    left, right = sorted((one, other))
    # The lock lasts until the vote is written, so concurrent votes replace each other in turn.
    pair = select(Walk).where(Walk.id.in_((left, right)), IS_DONE).order_by(Walk.id)
    pair = pair.with_for_update(key_share=True).execution_options(populate_existing=True)
    pair_rows = session.scalars(pair).all()
    if len(pair_rows) < 2:
        return False
    session.execute(delete(Vote).where(Vote.left == left, Vote.right == right, Vote.maker == maker))
    chosen = {left: Choice.LEFT, right: Choice.RIGHT, None: Choice.NONE}[preferred]
    moment = database_now(session)
    session.add(Vote(left=left, right=right, chosen=chosen, maker=maker, created_at=moment))
    for walk in pair_rows:
        edits.mark_stale(session, walk)
    session.flush()
    return True


def list_of(*, session: Session, walk_id: str, limit: int) -> list[Vote]:
    """Return the newest votes on a film, oldest first."""
    votes = select(Vote).where(or_(Vote.left == walk_id, Vote.right == walk_id))
    newest = votes.order_by(Vote.created_at.desc(), Vote.id.desc()).limit(limit)
    return sorted(session.scalars(newest), key=lambda vote: (vote.created_at, vote.id))


def count_of(*, session: Session, walk_id: str) -> int:
    """Count the votes on a film."""
    votes = select(func.count()).select_from(Vote)
    return session.scalar(votes.where(or_(Vote.left == walk_id, Vote.right == walk_id))) or 0


def lock_intake(session: Session) -> None:
    """Let one transaction at a time take votes in, until this one ends.

    The records of both films have a vote: two that are read at once would insert it twice.
    """
    let_one_in(session, _INTAKE_LOCK_ID)


def take_in(*, session: Session, walk_id: str, votes: Iterable[Mapping[str, Any]]) -> bool:
    """Insert a film's votes, each with "left", "right", "chosen", "maker" and "created_at".

    Of two votes of a maker on the same pair the later one stays. Votes on other films are passed
    over. False if some were left out, because the history does not know their films.
    """
    own = [v for v in votes if walk_id in (v["left"], v["right"]) and v["left"] < v["right"]]
    known = _find_done(session, {film for vote in own for film in (vote["left"], vote["right"])})
    theirs = {
        _key(vote): vote
        for vote in sorted(own, key=lambda vote: vote["created_at"])
        if {vote["left"], vote["right"]} <= known
    }
    if not theirs:
        return not own
    columns = select(Vote.id, Vote.left, Vote.right, Vote.maker, Vote.created_at)
    rows = session.execute(columns.where(or_(Vote.left == walk_id, Vote.right == walk_id)))
    existing = {_key(row): row for row in rows.mappings()}
    later = [
        {"id": existing[key]["id"], "chosen": vote["chosen"], "created_at": vote["created_at"]}
        for key, vote in theirs.items()
        if key in existing and existing[key]["created_at"] < vote["created_at"]
    ]
    if later:
        session.execute(update(Vote), later)
    if new := [dict(vote) for key, vote in theirs.items() if key not in existing]:
        session.execute(insert(Vote), new)
    return all({vote["left"], vote["right"]} <= known for vote in own)


def _key(vote: Mapping[Any, Any]) -> tuple[str, str, str]:
    """What identifies a vote: a maker has one per pair."""
    return vote["left"], vote["right"], vote["maker"]


def _find_done(session: Session, ids: Collection[str]) -> set[str]:
    """Return those of the ids that are finished films."""
    ordered = sorted(ids)
    batches = (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))
    found = (session.scalars(select(Walk.id).where(Walk.id.in_(b), IS_DONE)) for b in batches)
    return {walk_id for batch in found for walk_id in batch}


def tally(*, session: Session, one: str, other: str, maker: str = "") -> Tally:
    """Count the votes on a pair from the side of `one`; of all makers, or of one maker."""
    left, right = sorted((one, other))
    votes = select(*_COUNTS).where(Vote.left == left, Vote.right == right)
    if maker:
        votes = votes.where(Vote.maker == maker)
    counts = Tally._make(session.execute(votes).one())
    return counts if one == left else counts.swap()


def pairs_voted_on(*, session: Session, maker: str, among: Collection[str]) -> set[tuple[str, str]]:
    """Return the pairs among these walks that a maker has voted on, each sorted by id."""
    own = select(Vote.left, Vote.right).where(
        Vote.maker == maker, Vote.left.in_(among), Vote.right.in_(among)
    )
    return {(left, right) for left, right in session.execute(own)}


@cache  # to build it takes longer than to run it
def _select_counts_by(setting: str) -> Select[*tuple[Any, ...]]:
    left, right = aliased(Walk), aliased(Walk)

    def is_same(name: str) -> ColumnElement[bool]:
        one, other = (walk.spec[name].as_string() for walk in (left, right))
        same: ColumnElement[bool] = one.is_not_distinct_from(other)
        return same

    # The same film may have been asked for with other values of what has no effect in it.
    unguided = and_(*(walk.spec["guidance"].as_float() <= 1.0 for walk in (left, right)))
    same = [is_same(name) for name in _OTHER_SETTINGS]
    same.append(or_(unguided, and_(is_same("guidance"), is_same("negative"))))
    if setting != "pacing":
        same.append(or_(left.pacing.in_(_WITHOUT_STRENGTH), is_same("strength")))
    same += [_value(left, name) == _value(right, name) for name in SETTINGS.keys() - {setting}]
    ours, theirs = _value(left, setting), _value(right, setting)
    return (
        select(ours, theirs, *_COUNTS)
        .select_from(Vote)
        .join(left, left.id == Vote.left)
        .join(right, right.id == Vote.right)
        .where(ours != theirs, *same)
        .group_by(ours, theirs)
    )


def _value(walk: type[Walk], setting: str) -> Any:
    """A walk's value of one of SETTINGS."""
    if setting == "pacing":
        return walk.pacing
    return func.coalesce(walk.spec[setting].as_string(), SETTINGS[setting])


def tally_by(setting: str, *, session: Session) -> dict[tuple[str, str], Tally]:
    """Count the votes on each pair of pacings or interpolations, sorted by name.

    From the side of the first. Only votes on films that differ in this one of SETTINGS, and in no
    other setting, count.
    """
    tallies: dict[tuple[str, str], Tally] = {}
    for one, other, *counts in session.execute(_select_counts_by(setting)):
        pair = (min(one, other), max(one, other))
        row = Tally._make(counts) if pair == (one, other) else Tally._make(counts).swap()
        tallies[pair] = tallies.get(pair, Tally()).add(row)
    return tallies
