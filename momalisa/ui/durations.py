"""Durations in words, and the time left."""


def format_duration(seconds: float) -> str:
    """A rounded duration for display: "about 20 s", "about 3 min", "about 2 h"."""
    if seconds < 4:
        return "a few seconds"
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5)} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min"
    return f"about {round(seconds / 3600)} h"


def time_left(*, done: int, total: int, elapsed: float) -> float | None:
    """Estimated seconds left at the average rate so far; None while there is no rate."""
    if done <= 0 or elapsed <= 0.0:
        return None
    return (total - done) * elapsed / done
