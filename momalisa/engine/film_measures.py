"""How the frames of a film change from one to the next, from stop to stop."""

from collections.abc import Iterator, Sequence
from typing import TypedDict

from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame
from momalisa.spec import WalkSpec


class FilmMeasures(TypedDict):
    """The measures of `perception`, of a whole film."""

    distances: list[float]
    evenness: float
    sharpness: float
    ghosting: float
    directness: float


def measure_film(spec: WalkSpec, frames: Sequence[Frame]) -> FilmMeasures:
    """Measure a walk's frames, by place; those of a closed walk go on to the first."""
    order = [*range(len(frames)), *((0, 1) if spec.loop == "closed" else ())]
    steps = order[: len(frames) + 1]
    distances = perception.step_distances(frames[index] for index in steps)
    legs = list(_indices_by_leg(spec, len(frames)))
    straight = sum(perception.distance(frames[leg[0]], frames[leg[-1]]) for leg in legs)
    sharpness = [perception.relative_sharpness(frames[index] for index in leg) for leg in legs]
    return FilmMeasures(
        distances=distances,
        evenness=perception.evenness(distances),
        sharpness=min(sharpness),
        ghosting=perception.ghosting(frames[index] for index in order),
        directness=perception.directness(distances, straight),
    )


def _indices_by_leg(spec: WalkSpec, count: int) -> Iterator[list[int]]:
    """The indices of each leg's frames, those of both its stops included."""
    parts = spec.frames - 1
    for first in range(0, parts * len(spec.legs), parts):
        yield [index % count for index in range(first, first + parts + 1)]
