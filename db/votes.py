"""Blind votes between two films: cast, and counted by pair and by pacing.

A vote keeps its two walks in the order of their ids, in whichever order they were shown.
"""

from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, aliased

from db.models import DONE, Choice, Vote, Walk

_COUNTS = tuple(
    func.count().filter(Vote.chosen == choice)
    for choice in (Choice.LEFT, Choice.RIGHT, Choice.NONE)
)
_ALIKE = (
    *("stops", "model", "interpolation", "frames", "steps", "guidance", "size"),
    *("negative", "mode", "without", "loop", "fps"),
)


class Tally(NamedTuple):
    """How often one was preferred to the other, the other to it, and neither to either."""

    won: int = 0
    lost: int = 0
    neither: int = 0

    def turned(self) -> "Tally":
        """The same, as the other one sees it."""
        return Tally(self.lost, self.won, self.neither)

    def plus(self, more: "Tally") -> "Tally":
        """Both together."""
        return Tally(self.won + more.won, self.lost + more.lost, self.neither + more.neither)


def cast(*, session: Session, one: str, other: str, preferred: str | None, maker: str) -> bool:
    """Count a vote between two films; `preferred` is the id of one of them, None for neither.

    A maker has one vote on a pair: the second takes the place of the first. False when one of
    the two is no film, or no longer. Raises ValueError when `preferred` is a third one, or when
    the two are one.
    """
    if one == other or preferred not in (one, other, None):
        raise ValueError(f"no vote for {preferred} between {one} and {other}")
    left, right = sorted((one, other))
    # Held until the vote is written: of two votes at once, the later one finds the earlier.
    pair = select(Walk.id).where(Walk.id.in_((left, right)), DONE).order_by(Walk.id)
    if len(session.scalars(pair.with_for_update(key_share=True)).all()) < 2:
        return False
    session.execute(delete(Vote).where(Vote.left == left, Vote.right == right, Vote.maker == maker))
    chosen = {left: Choice.LEFT, right: Choice.RIGHT, None: Choice.NONE}[preferred]
    session.add(Vote(left=left, right=right, chosen=chosen, maker=maker))
    session.flush()
    return True


def tally(*, session: Session, one: str, other: str, maker: str = "") -> Tally:
    """The votes on a pair, as `one` sees them; of all makers, or of one."""
    left, right = sorted((one, other))
    votes = select(*_COUNTS).where(Vote.left == left, Vote.right == right)
    if maker:
        votes = votes.where(Vote.maker == maker)
    counted = Tally._make(session.execute(votes).one())
    return counted if one == left else counted.turned()


def by_pacing(*, session: Session) -> dict[tuple[str, str], Tally]:
    """The tally of each two pacings, in alphabetical order, as the first of them sees it.

    Of films that differ in their pacing alone: in others, something else may have been preferred.
    """
    left, right = aliased(Walk), aliased(Walk)
    alike = (
        left.spec[name].as_string().is_not_distinct_from(right.spec[name].as_string())
        for name in _ALIKE
    )
    counted = session.execute(
        select(left.pacing, right.pacing, *_COUNTS)
        .select_from(Vote)
        .join(left, left.id == Vote.left)
        .join(right, right.id == Vote.right)
        .where(left.pacing != right.pacing, *alike)
        .group_by(left.pacing, right.pacing)
    )
    tallies: dict[tuple[str, str], Tally] = {}
    for one, other, *counts in counted:
        pair = (min(one, other), max(one, other))
        seen = Tally._make(counts) if pair == (one, other) else Tally._make(counts).turned()
        tallies[pair] = tallies.get(pair, Tally()).plus(seen)
    return tallies
