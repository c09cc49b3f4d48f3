"""Blind votes between two films: casting, and counting by pair and by pacing.

A row holds its two walks sorted by id, not in the order in which they were shown.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from db import edits
from db.clock import database_now
from db.models import IS_DONE, Choice, Vote, Walk

_COUNTS = tuple(
    func.count().filter(Vote.chosen == choice)
    for choice in (Choice.LEFT, Choice.RIGHT, Choice.NONE)
)
_COMPARED_SETTINGS = (
    *("stops", "model", "interpolation", "frames", "steps", "guidance", "size"),
    *("negative", "mode", "without", "loop", "fps"),
)


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


def take_in(*, session: Session, votes: Iterable[Mapping[str, Any]]) -> bool:
    """Insert votes of a record, each with "left", "right", "chosen", "maker" and "created_at".

    Of two votes of a maker on the same pair the later one stays. False if some were left out,
    because the history does not know their films.
    """
    complete = True
    for vote in votes:
        pair = sorted((str(vote["left"]), str(vote["right"])))
        ids = session.scalars(select(Walk.id).where(Walk.id.in_(pair), IS_DONE)).all()
        if len(ids) < 2 or pair[0] != vote["left"]:
            complete = False
            continue
        same = (getattr(Vote, name) == vote[name] for name in ("left", "right", "maker"))
        existing = session.scalars(select(Vote).where(*same)).first()
        if existing is None:
            session.add(Vote(**vote))
        elif existing.created_at < vote["created_at"]:
            existing.chosen, existing.created_at = vote["chosen"], vote["created_at"]
        session.flush()
    return complete


def tally(*, session: Session, one: str, other: str, maker: str = "") -> Tally:
    """Count the votes on a pair from the side of `one`; of all makers, or of one maker."""
    left, right = sorted((one, other))
    votes = select(*_COUNTS).where(Vote.left == left, Vote.right == right)
    if maker:
        votes = votes.where(Vote.maker == maker)
    counts = Tally._make(session.execute(votes).one())
    return counts if one == left else counts.swap()


def tally_by_pacing(*, session: Session) -> dict[tuple[str, str], Tally]:
    """Count the votes on each pair of pacings, sorted by name, from the side of the first.

    Only votes on films that differ in their pacing and in no other setting count.
    """
    left, right = aliased(Walk), aliased(Walk)
    same_settings = (
        left.spec[name].as_string().is_not_distinct_from(right.spec[name].as_string())
        for name in _COMPARED_SETTINGS
    )
    rows = session.execute(
        select(left.pacing, right.pacing, *_COUNTS)
        .select_from(Vote)
        .join(left, left.id == Vote.left)
        .join(right, right.id == Vote.right)
        .where(left.pacing != right.pacing, *same_settings)
        .group_by(left.pacing, right.pacing)
    )
    tallies: dict[tuple[str, str], Tally] = {}
    for one, other, *counts in rows:
        pair = (min(one, other), max(one, other))
        row = Tally._make(counts) if pair == (one, other) else Tally._make(counts).swap()
        tallies[pair] = tallies.get(pair, Tally()).add(row)
    return tallies
