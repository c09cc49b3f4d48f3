"""How the frames of a film change from one to the next, from stop to stop."""

from collections import deque
from collections.abc import Sequence
from typing import TypedDict

from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame
from momalisa.engine.ordered_threads import map_in_threads
from momalisa.engine.perception import Look
from momalisa.spec import WalkSpec

THREADS = 2
"""Threads that look at frames."""


class FilmMeasures(TypedDict):
    """The measures of `perception`, of a whole film."""

    distances: list[float]
    evenness: float
    sharpness: float
    ghosting: float
    directness: float


def measure_film(spec: WalkSpec, frames: Sequence[Frame]) -> FilmMeasures:
    """Measure a walk's frames, by place; those of a closed walk go on to the first.

    Each frame is looked at once, and few are held at a time.
    """
    count, parts, legs = len(frames), spec.frames - 1, len(spec.legs)
    order = [*range(count), *((0, 1) if spec.loop == "closed" else ())]
    distances, sharpness, doubles = list[float](), list[float](), list[bool]()
    last: deque[Look] = deque(maxlen=3)
    straight, stop = 0.0, None
    looks = map_in_threads(lambda index: Look(frames[index]), order, THREADS)
    for number, look in enumerate(looks):
        last.append(look)
        sharpness.append(look.sharpness)
        if 0 < number <= count:
            distances.append(last[-2].distance(look))
        if len(last) == 3:
            doubles.append(perception.is_double_exposure(*last))
        if number % parts == 0 and number <= parts * legs:
            straight += stop.distance(look) if stop else 0.0
            stop = look
    ends = range(0, parts * legs, parts)
    return FilmMeasures(
        distances=distances,
        evenness=perception.evenness(distances),
        sharpness=min(perception.least_sharpness(sharpness[n : n + parts + 1]) for n in ends),
        ghosting=sum(doubles) / max(len(doubles), 1),
        directness=perception.directness(distances, straight),
    )
