"""What went wrong with a walk so far, and whether it has advanced since.

`Walk.troubles` has one {"at", "attempt", "kind", "reason", "frames", "pictures"} for each time its
worker died or its machine failed; "frames" counts the finished ones, "pictures" the previews too.
"""

from datetime import datetime
from typing import Any

from db.models import REPLACED, Walk


def note(walk: Walk, reason: str, moment: datetime, kind: str = "") -> bool:
    """Add an entry to the walk's troubles; return whether it advanced since all the others."""
    advanced = has_advanced(walk, walk.progress)
    entry = {"at": moment.isoformat(), "attempt": walk.attempt, "kind": kind, "reason": reason}
    walk.troubles = [*walk.troubles, entry | _count(walk.progress)]
    return advanced


def count_alike(walk: Walk) -> int:
    """How many troubles of the last one's kind there were since the walk advanced."""
    kinds: list[str] = []
    most = {"frames": 0, "pictures": 0}
    for entry in walk.troubles:
        counts = {name: int(entry.get(name, 0)) for name in most}
        if any(counts[name] > most[name] for name in most):
            kinds = []
        most = {name: max(counts[name], most[name]) for name in most}
        kinds.append(entry.get("kind", ""))
    return kinds.count(kinds[-1]) if kinds else 0


def has_advanced(walk: Walk, progress: list[Any]) -> bool:
    """Whether there is more progress than at any of the walk's troubles.

    A new attempt reports frames of the cache again: only more of them than ever are an advance.
    """
    return any(
        number > max((int(entry.get(name, 0)) for entry in walk.troubles), default=0)
        for name, number in _count(progress).items()
    )


def _count(progress: list[Any]) -> dict[str, int]:
    return {
        "frames": sum(len(entry) == 2 for entry in progress),
        "pictures": sum(entry[2:] != [REPLACED] for entry in progress),
    }
