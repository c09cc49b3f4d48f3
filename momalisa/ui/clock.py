"""How long things take, in words."""

from collections.abc import Iterable
from statistics import median

from db.models import Walk
from momalisa.spec import WalkSpec


def about(seconds: float) -> str:
    """A duration as a person says it: "about 20 s", "about 3 min", "about 2 h"."""
    if seconds < 4:
        return "a few seconds"
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5)} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min"
    return f"about {round(seconds / 3600)} h"


def time_left(*, done: int, total: int, elapsed: float) -> float | None:
    """Seconds still needed at this walk's own rate; None before there is one."""
    if done <= 0 or elapsed <= 0.0:
        return None
    return (total - done) * elapsed / done


def expected(spec: WalkSpec, past: Iterable[Walk]) -> float | None:
    """Seconds that a walk would take, from walks made here with its model, size and mode."""
    made = [
        (walk.seconds / walk.frames_computed, WalkSpec.model_validate(walk.spec))
        for walk in past
        if walk.frames_computed and (walk.model, walk.size) == (spec.model, spec.size)
    ]
    rates = [seconds / _work(other) for seconds, other in made if other.mode == spec.mode]
    if not rates:
        return None
    return median(rates) * len(spec.places()) * _work(spec)


def _work(spec: WalkSpec) -> int:
    """What a frame's time grows with: its steps, twice where they are guided."""
    return spec.steps * (2 if spec.guided else 1)
