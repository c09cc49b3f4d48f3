"""Decides how each frame of a walk is made: sampled by the model, or decoded from latents.

Where the shortcut *glide* is taken, some frames are decoded from a mixture of the latents of two
neighbours; all others are sampled. With a pacing that is known beforehand (`FramePlanner`), the two
must be near on their leg and look alike. With even pacing (`EvenLeg`), every frame between two
places of the survey is a mixture, since the survey is dense where the leg changes; without the
glide, the frames are the most even choice of the survey's pictures.

The decision needs the pictures of the neighbours, so planning alternates with rendering: each step
is a pure function of the spec, the cache and the steps before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache as memoised
from functools import cached_property
from typing import Literal

from momalisa.engine.even_pacing import (
    FINEST,
    Distance,
    Spot,
    largest_change,
    middles_of_wide_gaps,
    middles_of_widest_gaps,
    most_even,
    spots_at_equal_change,
)
from momalisa.engine.frame_cache import FrameCache, LatentMixture, frame_key
from momalisa.engine.frame_changes import FrameChanges
from momalisa.engine.ordering import Visit, coarse_to_fine
from momalisa.spec import Place, WalkSpec

PREVIEWS = 16
"""Frames of a leg's preview, at most: large autoencoders take their time."""
GLIDE_SPAN = 1 / 3
"""The largest distance on a leg between two frames that a third is mixed from; even pacing has no
such limit."""
GLIDE_CHANGE = 0.12
"""The largest perceived distance (`perception.distance`) between two frames that a third is mixed
from; even pacing has no such limit."""
SURVEY_TO_GLIDE = 0.62
"""Places surveyed by even pacing with the glide, as a share of a leg's frames."""
SURVEYS_TO_CHOOSE = (1.0, 1.25, 1.5, 1.75)
"""The same without the glide: after each share the survey ends if frames chosen from it are even
enough, and after the last in any case."""
EVEN_ENOUGH = 1.4
"""The largest change from frame to frame, in means, at which frames are even enough."""
SURVEYS_BESIDE_PROBES = (1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5)
"""The same where a leg was probed: a place takes half of the steps there."""
EVEN_ENOUGH_BESIDE_PROBES = 1.25
"""The same there."""
SURVEY_ROUND = 8
"""Places surveyed at a time. It is fixed, so that films do not depend on a machine's memory."""

TaskSource = Literal["painted", "glided", "preview", "survey"]
Source = Literal["cache"] | TaskSource
"""Where a frame comes from: the cache, the model (painted) or its neighbours' latents (glided). Two
kinds stand in for frames that are not made yet: previews from the stops' latents, and pictures that
even pacing samples for its survey."""


@dataclass(frozen=True)
class FrameTask:
    """A frame to make: sampled at a place, or decoded from a mixture of two others' latents."""

    index: int
    """Index of the place on the walk."""
    key: str
    place: Place
    source: TaskSource
    mixture: LatentMixture | None = None
    rough: bool = False
    """Whether it may be decoded roughly; it is not cached then."""


@dataclass(frozen=True)
class FramePlanner:
    """Plans the frames of a walk whose pacing is known beforehand, and the previews of any walk."""

    spec: WalkSpec
    digest: str
    """The model's."""
    cache: FrameCache
    changes: FrameChanges

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
        """The stops, the two ends of the walk first."""
        return self._visits[: len(self.spec.stops)]

    @property
    def between(self) -> list[Visit]:
        """All other places, coarse to fine."""
        return self._visits[len(self.spec.stops) :]

    @property
    def glides(self) -> bool:
        """Whether frames of this walk may be decoded from their neighbours' latents."""
        return "glide" in self.spec.shortcuts

    def rounds(self, visits: Sequence[Visit]) -> Iterator[list[Visit]]:
        """Groups of places, in order, that can be made at once.

        A frame and the neighbours that it may be mixed from are never in one group.
        """
        current: dict[int, Visit] = {}
        for visit in visits:
            if self._is_close(visit) and (visit.low in current or visit.high in current):
                yield list(current.values())
                current = {}
            current[visit.index] = visit
        yield list(current.values())

    def task(self, visit: Visit, keys: Mapping[int, str]) -> FrameTask:
        """The task for a place; `keys` are the keys of all frames before it, by index."""
        place, mixture = self.places[visit.index], self._glide(visit, keys)
        if mixture:
            return FrameTask(visit.index, mixture.key, place, "glided", mixture)
        return FrameTask(visit.index, self.key(place), place, "painted")

    def previews(self, visits: Sequence[Visit]) -> list[FrameTask]:
        """Tasks for rough frames at some of the places without a cached frame, in walking order."""
        places = [(visit.index, self.places[visit.index]) for visit in sorted(visits)]
        missing = [(i, p) for i, p in places if not self.cache.path(self.key(p)).exists()]
        stride = max(1, -(-len(missing) // (PREVIEWS * len(self.spec.legs))))
        tasks = [self._preview(index, place) for index, place in missing[::stride]]
        return [task for task in tasks if task is not None]

    def key(self, place: Place) -> str:
        """The cache key of the frame that the model samples at a place."""
        return self._frame_key(place)

    @cached_property
    def _frame_key(self) -> Callable[[Place], str]:
        return memoised(lambda place: frame_key(self.spec, place, self.digest))

    def have_latents(self, *keys: str) -> bool:
        """Whether the latents of all these frames are in the cache."""
        return all(self.cache.has_latents(key) for key in keys)

    def _preview(self, index: int, place: Place) -> FrameTask | None:
        """The task of a rough frame from its two stops' latents; None if these are not cached."""
        low, high = (self.key(Place(place.leg, end)) for end in (0.0, 1.0))
        if not self.have_latents(low, high):
            return None
        mixture = LatentMixture(low, high, place.t, rough=True)
        return FrameTask(index, mixture.key, place, "preview", mixture)

    def _is_close(self, visit: Visit) -> bool:
        """Whether a place's neighbours are near enough on their leg to be mixed."""
        low, _, high = self._span(visit)
        return self.glides and 0.0 < high - low <= GLIDE_SPAN

    def _span(self, visit: Visit) -> tuple[float, float, float]:
        """Positions on the leg: the lower neighbour, the place itself, the higher neighbour."""
        place, low, high = (self.places[i] for i in (visit.index, visit.low, visit.high))
        return low.t, place.t, high.t if high.leg == place.leg else 1.0

    def _glide(self, visit: Visit, keys: Mapping[int, str]) -> LatentMixture | None:
        """The mixture of a place's neighbours; None unless they are near and look alike."""
        if not self._is_close(visit):
            return None
        low, high = keys[visit.low], keys[visit.high]
        if not self.have_latents(low, high) or self.changes.between(low, high) > GLIDE_CHANGE:
            return None
        start, t, end = self._span(visit)
        return LatentMixture(low, high, (t - start) / (end - start))


@dataclass(frozen=True)
class EvenLeg:
    """A leg of a walk with even pacing: what has been measured, and what to make next.

    First the model samples some places, where the leg changes most. Then, where frames may glide,
    pictures between these are decoded and measured, and the frames placed at equal change. Else the
    frames are chosen among the sampled pictures, so that none is a mixture of two others.
    """

    planner: FramePlanner
    leg: int
    probed: tuple[float, ...] = ()
    """Places whose pictures take no more samples: they are surveyed first."""
    surveyed: tuple[float, ...] = (0.0, 1.0)
    """Sorted places that the model has sampled."""
    between: Mapping[float, str] = field(default_factory=dict)
    """The keys of pictures decoded and measured between these, by place."""

    def next_to_survey(self) -> list[FrameTask]:
        """Tasks for the places to sample next; empty once the survey is complete."""
        if middles := [t for t in self.probed if t not in self.surveyed]:
            pass
        elif self.planner.glides:
            room = max(3, round(SURVEY_TO_GLIDE * self._spec.frames)) - len(self.surveyed)
            count = max(0, min(SURVEY_ROUND, room))
            middles = middles_of_widest_gaps(self.surveyed, self._change, count)
        else:
            # Of half the gaps at most, so that even a short survey is dense where it needs to be.
            count = min(SURVEY_ROUND, self._room_to_choose(), max(1, len(self.surveyed) // 2))
            middles = middles_of_widest_gaps(self.surveyed, self._change, count, FINEST)
        return [self._nearest(t, self.planner.key(Place(self.leg, t))) for t in middles]

    def _room_to_choose(self) -> int:
        """How many places to survey until the frames are chosen, for a trial; 0 if all is done."""
        frames, count = self._spec.frames, len(self.surveyed)
        shares = SURVEYS_BESIDE_PROBES if self.probed else SURVEYS_TO_CHOOSE
        most = EVEN_ENOUGH_BESIDE_PROBES if self.probed else EVEN_ENOUGH
        sizes = [len(self.probed) + 2, *(round(share * frames) for share in shares)]
        may_choose = count in sizes and count >= frames
        if may_choose and largest_change(self.surveyed, self._change, frames) <= most:
            return 0
        return next((size - count for size in sizes if size > count), 0)

    def with_surveyed(self, tasks: Sequence[FrameTask]) -> "EvenLeg":
        """The leg after these tasks of the survey have been rendered."""
        places = (task.place.t for task in tasks)
        return replace(self, surveyed=tuple(sorted([*self.surveyed, *places])))

    def next_to_measure(self) -> list[FrameTask]:
        """Tasks for pictures to decode in wide gaps; empty once all are, or without the glide."""
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
        """The leg after these pictures have been decoded."""
        decoded = {task.place.t: task.key for task in tasks}
        return replace(self, between={**self.between, **decoded})

    def frames(self) -> list[FrameTask]:
        """Tasks for the leg's frames at equal change, without its two stops."""
        count, surveyed = self._spec.frames, self.surveyed
        if not self.planner.glides:
            chosen = most_even(surveyed, self._change, count)
            return [self._painted(number, t) for number, t in enumerate(chosen)][1:-1]
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
        measured = self._measured
        keys = {t: self.between.get(t) or self.planner.key(Place(self.leg, t)) for t in measured}
        changes = self.planner.changes
        changes.measure([keys[t] for t in measured])  # all at once: that is quicker
        return lambda low, high: changes.between(keys[low], keys[high])

    def _number(self, t: float) -> int:
        """The number of the leg's frame that is nearest to a place under linear pacing."""
        return round(t * (self._spec.frames - 1))

    def _index(self, number: int) -> int:
        return self.leg * (self._spec.frames - 1) + number

    def _nearest(self, t: float, key: str) -> FrameTask:
        """The task of a surveyed place; its picture stands in for the frame nearest to it."""
        index = self._index(self._number(t)) % len(self.planner.places)
        return FrameTask(index, key, Place(self.leg, t), "survey")

    def _frame(self, number: int, spot: Spot) -> FrameTask:
        """The task of a frame at a spot: a surveyed picture, a mixture, or a place to sample."""
        spot = spot.among(self.surveyed)
        low, high = (self.planner.key(Place(self.leg, t)) for t in (spot.low, spot.high))
        if not self.planner.have_latents(low, high) or spot.weight in (0.0, 1.0):
            return self._painted(number, spot.t)
        mixture, place = LatentMixture(low, high, spot.weight), Place(self.leg, spot.t)
        return FrameTask(self._index(number), mixture.key, place, "glided", mixture)

    def _painted(self, number: int, t: float) -> FrameTask:
        place = Place(self.leg, t)
        return FrameTask(self._index(number), self.planner.key(place), place, "painted")
