"""What went wrong with a walk so far, and whether it has advanced since.

`Walk.troubles` has one {"at", "attempt", "reason", "frames", "pictures"} for each time its worker
died or its machine failed; "frames" counts the finished ones, "pictures" the previews as well.
"""

from datetime import datetime

from db.models import Walk


def note(walk: Walk, reason: str, moment: datetime) -> bool:
    """Add an entry to the walk's troubles; return whether it has advanced since all earlier ones.

    A new attempt reports frames of the cache again: only more of them than ever are an advance.
    """
    counts = {
        "frames": sum(len(entry) == 2 for entry in walk.progress),
        "pictures": len(walk.progress),
    }
    advanced = any(
        number > max((int(entry.get(name, 0)) for entry in walk.troubles), default=0)
        for name, number in counts.items()
    )
    entry = {"at": moment.isoformat(), "attempt": walk.attempt, "reason": reason, **counts}
    walk.troubles = [*walk.troubles, entry]
    return advanced
