"""Describes the tally of blind votes and its statistical significance."""

from math import comb

from db.votes import Tally

MIN_VOTES = 6
"""With fewer votes that prefer a side, even a unanimous tally is not significant at 5 %."""


def describe_votes(one: str, other: str, tally: Tally) -> str:
    """Describe how often each of the two was preferred, the more preferred one first."""
    if tally.lost > tally.won:
        return describe_votes(other, one, tally.swap())
    total = sum(tally)
    return (
        f"In {total:,} {'vote' if total == 1 else 'votes'} curators preferred {one} to {other} "
        f"{_times(tally.won)}, {other} {_times(tally.lost)}, and saw no difference "
        f"{_times(tally.neither)}."
    )


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number:,} times")


def describe_significance(tally: Tally) -> str:
    """Describe whether the tally is significant by the sign test."""
    if tally.won + tally.lost < MIN_VOTES:
        return f"Too few to say: it takes {MIN_VOTES} votes or more that prefer one of the two."
    chance = sign_test(tally.won, tally.lost)
    verdict = "That is hardly chance" if chance < 0.05 else "That may well be chance"
    share = "under 0.1 %" if chance < 0.001 else f"{100 * chance:.2g} %"
    return f"{verdict}: tossing a coin gives a tally as clear as this in {share} of cases."


def sign_test(won: int, lost: int) -> float:
    """The p-value of a tally if neither side is preferred, in [0, 1].

    The two-sided sign test (Dixon and Mood 1946): a binomial test at one half, ties left out.
    """
    tosses = won + lost
    tail = sum(comb(tosses, heads) for heads in range(max(won, lost), tosses + 1))
    return min(1.0, 2 * tail / (1 << tosses))
