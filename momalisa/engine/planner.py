"""What is made for each place of a walk: a frame sampled by the model, or one from latents.

A frame that lies between two others that look alike is decoded from a mixture of their latents
(the *glide*); all others are sampled. Which it is depends on pictures that exist by then, so a plan
is asked for piece by piece while the walk is made. It is a pure function of the pieces before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache as memoised
from functools import cached_property
from typing import Literal

from momalisa.engine import perception
from momalisa.engine.even_pacing import (
    Distance,
    Spot,
    middles_of_wide_gaps,
    middles_of_widest_gaps,
    spots_at_equal_change,
)
from momalisa.engine.frame_cache import CachedFrames, FrameCache, LatentMixture, frame_key
from momalisa.engine.ordering import Visit, coarse_to_fine
from momalisa.spec import Place, WalkSpec

PREVIEWS = 16
"""Frames of a leg's preview, at most: large autoencoders take their time."""
GLIDE_SPAN = 1 / 3
"""Frames further apart on their leg than this are not glided between; but where pacing is even, the
survey alone says between which: nothing else crosses a sudden change."""
GLIDE_CHANGE = 0.12
"""Frames that differ more than this (`perception.distance`) are not glided between."""
SURVEY, SURVEY_TO_GLIDE = 0.25, 0.62
"""Places that even pacing surveys, for each frame of a leg: without the glide, and with it."""
SURVEY_ROUND = 8
"""Places surveyed at a time: not as many as fit into memory, on which no film may depend."""

Source = Literal["cache", "painted", "glided", "preview", "survey"]
"""Where a frame comes from: the cache, the model, its neighbours' latents; or it stands for a frame
that is not there yet: as a preview from latents alone, or as a picture that even pacing surveys."""
Change = Callable[[str, str], float]
"""The perceived change between two cached frames, by their keys."""


@dataclass(frozen=True)
class FrameTask:
    """A frame to make: at a place, or from the latents of two others."""

    index: int
    """Number of the place on the walk."""
    key: str
    place: Place
    source: Source
    mixture: LatentMixture | None = None


def measure_change(cache: FrameCache) -> Change:
    """The distances between frames of a cache, each pair measured once."""

    @memoised
    def change(one: str, other: str) -> float:
        return perception.step_distances(CachedFrames(cache, (one, other)))[0]

    return change


@dataclass(frozen=True)
class FramePlanner:
    """Decides what a walk's frames are made from, and in which order."""

    spec: WalkSpec
    digest: str
    """The model's."""
    cache: FrameCache
    change: Change

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The places of the walk's frames."""
        return self.spec.places()

    @cached_property
    def _visits(self) -> list[Visit]:
        closed = self.spec.loop == "closed"
        return coarse_to_fine(len(self.places), len(self.spec.legs), closed=closed)

    @property
    def stops(self) -> list[Visit]:
        """The turns of the stops, both ends first."""
        return self._visits[: len(self.spec.stops)]

    @property
    def between(self) -> list[Visit]:
        """The turns of all other places, coarse to fine."""
        return self._visits[len(self.spec.stops) :]

    @property
    def glides(self) -> bool:
        """Whether the walk takes frames from their neighbours' latents at all."""
        return "glide" in self.spec.shortcuts

    def rounds(self, visits: Sequence[Visit]) -> Iterator[list[Visit]]:
        """The turns in their order, split where one may glide between two of the same round."""
        current: dict[int, Visit] = {}
        for visit in visits:
            if self._is_close(visit) and (visit.low in current or visit.high in current):
                yield list(current.values())
                current = {}
            current[visit.index] = visit
        yield list(current.values())

    def task(self, visit: Visit, keys: Mapping[int, str]) -> FrameTask:
        """What to make at a turn; `keys` are those of the frames before it, by place."""
        place, mixture = self.places[visit.index], self._glide(visit, keys)
        if mixture:
            return FrameTask(visit.index, mixture.key, place, "glided", mixture)
        return FrameTask(visit.index, self.key(place), place, "painted")

    def previews(self, visits: Sequence[Visit]) -> list[FrameTask]:
        """Rough frames for some of the turns that have no frame yet, in walking order."""
        places = [(visit.index, self.places[visit.index]) for visit in sorted(visits)]
        missing = [(i, p) for i, p in places if not self.cache.path(self.key(p)).exists()]
        stride = max(1, -(-len(missing) // (PREVIEWS * len(self.spec.legs))))
        tasks = [self._preview(index, place) for index, place in missing[::stride]]
        return [task for task in tasks if task is not None]

    def key(self, place: Place) -> str:
        """The key of the frame that the model samples at a place."""
        return frame_key(self.spec, place, self.digest)

    def have_latents(self, *keys: str) -> bool:
        """Whether the latents of all these frames are in the cache."""
        return all(self.cache.has_latents(key) for key in keys)

    def _preview(self, index: int, place: Place) -> FrameTask | None:
        """A rough frame from the latents of its leg's stops, if these are cached."""
        low, high = (self.key(Place(place.leg, end)) for end in (0.0, 1.0))
        if not self.have_latents(low, high):
            return None
        mixture = LatentMixture(low, high, place.t, rough=True)
        return FrameTask(index, mixture.key, place, "preview", mixture)

    def _is_close(self, visit: Visit) -> bool:
        """Whether a turn's neighbours are near enough on their leg to glide between them."""
        low, _, high = self._span(visit)
        return self.glides and 0.0 < high - low <= GLIDE_SPAN

    def _span(self, visit: Visit) -> tuple[float, float, float]:
        """Where a turn and its neighbours lie on its leg: low, itself, high."""
        place, low, high = (self.places[i] for i in (visit.index, visit.low, visit.high))
        return low.t, place.t, high.t if high.leg == place.leg else 1.0

    def _glide(self, visit: Visit, keys: Mapping[int, str]) -> LatentMixture | None:
        """The mixture of a turn's neighbours, if these are close on the leg and look alike."""
        if not self._is_close(visit):
            return None
        low, high = keys[visit.low], keys[visit.high]
        if not self.have_latents(low, high) or self.change(low, high) > GLIDE_CHANGE:
            return None
        start, t, end = self._span(visit)
        return LatentMixture(low, high, (t - start) / (end - start))


@dataclass(frozen=True)
class EvenLeg:
    """A leg of a walk with even pacing, as far as it has been surveyed.

    First some places are sampled by the model, where the leg changes most; then, where frames may
    glide, pictures between them are measured too; last its frames are placed at equal change.
    """

    planner: FramePlanner
    leg: int
    surveyed: tuple[float, ...] = (0.0, 1.0)
    """Sorted places that the model has sampled."""
    between: Mapping[float, str] = field(default_factory=dict)
    """The keys of frames from latents that were measured between these, by place."""

    def next_to_survey(self) -> list[FrameTask]:
        """The pictures to sample next; none when the survey is as large as it may be."""
        share = SURVEY_TO_GLIDE if self.planner.glides else SURVEY
        room = max(3, round(share * self._spec.frames)) - len(self.surveyed)
        middles = middles_of_widest_gaps(self.surveyed, self._change, min(SURVEY_ROUND, room))
        return [self._nearest(t, self.planner.key(Place(self.leg, t))) for t in middles]

    def with_surveyed(self, tasks: Sequence[FrameTask]) -> "EvenLeg":
        """The leg once these pictures have been made."""
        places = (task.place.t for task in tasks)
        return replace(self, surveyed=tuple(sorted([*self.surveyed, *places])))

    def next_to_measure(self) -> list[FrameTask]:
        """Pictures to decode in wide gaps, to be measured; none where frames cannot glide."""
        surveyed = (self.planner.key(Place(self.leg, t)) for t in self.surveyed)
        if not self.planner.glides or not self.planner.have_latents(*surveyed):
            return []
        middles = middles_of_wide_gaps(self._measured, self._change, self._spec.frames)
        tasks = [self._frame(self._number(t), Spot(t, t, 0.0)) for t in middles]
        return [
            replace(task, index=task.index % len(self.planner.places), source="preview")
            for task in tasks
        ]

    def with_measured(self, tasks: Sequence[FrameTask]) -> "EvenLeg":
        """The leg once these pictures have been decoded."""
        decoded = {task.place.t: task.key for task in tasks}
        return replace(self, between={**self.between, **decoded})

    def frames(self) -> list[FrameTask]:
        """The leg's frames at equal change, without its two stops."""
        count, surveyed = self._spec.frames, self.surveyed
        spots = spots_at_equal_change(self._measured, self._change, count, surveyed)
        return [self._frame(number, spot) for number, spot in enumerate(spots)][1:-1]

    @property
    def _spec(self) -> WalkSpec:
        return self.planner.spec

    @property
    def _measured(self) -> list[float]:
        return sorted([*self.surveyed, *self.between])

    @property
    def _change(self) -> Distance:
        """The perceived change between the pictures at two measured places."""

        def key(t: float) -> str:
            return self.between.get(t) or self.planner.key(Place(self.leg, t))

        return lambda low, high: self.planner.change(key(low), key(high))

    def _number(self, t: float) -> int:
        """The frame of the leg that would be nearest to a place if pacing were linear."""
        return round(t * (self._spec.frames - 1))

    def _index(self, number: int) -> int:
        return self.leg * (self._spec.frames - 1) + number

    def _nearest(self, t: float, key: str) -> FrameTask:
        """A surveyed picture, which stands for the frame nearest to it for now."""
        index = self._index(self._number(t)) % len(self.planner.places)
        return FrameTask(index, key, Place(self.leg, t), "survey")

    def _frame(self, number: int, spot: Spot) -> FrameTask:
        """A frame at its spot: one that was surveyed, one from latents, or one to be sampled."""
        spot = spot.among(self.surveyed)
        index, place = self._index(number), Place(self.leg, spot.t)
        low, high = (self.planner.key(Place(self.leg, t)) for t in (spot.low, spot.high))
        may_glide = self.planner.glides and self.planner.have_latents(low, high)
        if not may_glide or spot.weight in (0.0, 1.0):
            return FrameTask(index, self.planner.key(place), place, "painted")
        mixture = LatentMixture(low, high, spot.weight)
        return FrameTask(index, mixture.key, place, "glided", mixture)
