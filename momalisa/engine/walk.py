"""A walk's frames, one after another, coarse to fine."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from momalisa.engine import perception
from momalisa.engine.even_pacing import Distance, Spot, at_equal_change, wide_gaps, widest_gaps
from momalisa.engine.frame_cache import Between, Frame, FrameCache, KeptFrames, frame_key, own_seed
from momalisa.engine.interpolation import lerp
from momalisa.engine.latents import WalkLatents
from momalisa.errors import OutOfMemory
from momalisa.models.sd import StableDiffusion
from momalisa.spec import Place, WalkSpec

PIXELS_A_BATCH = {"cpu": 8 * 256**2, "mps": 4 * 512**2, "cuda": 16 * 512**2}
"""How much is denoised at once; a CPU gains little from more and would show frames late."""
USUAL_MEMORY = 8 * 2**30
"""Free bytes of a GPU for which that suits."""
PREVIEWS = 16
"""Frames of a leg's preview, at most: large autoencoders take their time."""
GLIDE_SPAN = 1 / 3
"""Frames further apart on their leg than this are not glided between; but where pacing is even, the
survey alone says between which: a leap is crossed by nothing else."""
GLIDE_CHANGE = 0.12
"""Nor are frames that differ more than this to the eye (`perception.distance`)."""
SURVEY, SURVEY_TO_GLIDE = 0.25, 0.62
"""Places that even pacing surveys, for each frame of a leg."""
ROUND = 8
"""Places surveyed at a time: not as many as fit into memory, on which no film may depend."""
WRITERS = 4

Source = Literal["cache", "painted", "glided", "preview"]


@dataclass(frozen=True)
class WalkFrame:
    """A finished frame, and its number among the walk's places."""

    index: int
    key: str
    frame: Frame
    unet_samples: int
    """Rows sent through the UNet for it."""
    source: Source = "painted"


@dataclass(frozen=True, order=True)
class Visit:
    """A place's turn: its number, and those of the coarser places on both sides of it."""

    index: int
    low: int
    high: int


def coarse_to_fine(count: int, legs: int = 1, *, closed: bool = False) -> list[Visit]:
    """Every place once: all stops first, then the middles of the legs, the quarters, and so on.

    `count` places on `legs` legs of equal length; on a closed walk the last leg ends at place 0.
    """
    parts = count if closed else count - 1
    joints = [leg * parts // legs for leg in range(legs + 1)]
    stops = [0, *([] if closed else joints[-1:]), *joints[1:-1]] if count > 1 else [0]
    visits = [Visit(stop, stop, stop) for stop in stops]
    gaps = deque(pairwise(joints))
    while gaps:
        low, high = gaps.popleft()
        if high - low > 1:
            middle = (low + high) // 2
            visits.append(Visit(middle, low, high % count))
            gaps.extend([(low, middle), (middle, high)])
    return visits


def frames(
    spec: WalkSpec, model: StableDiffusion, cache: FrameCache, *, batch: int = 0
) -> Generator[WalkFrame, None, None]:
    """Every distinct frame of a walk, coarse to fine; those in the cache are not made again.

    Stops come first, then a preview of what lies between them, made of image latents alone; each
    of its frames is replaced later. `batch` frames are denoised at once (0 = what suits the
    device). When memory runs out the batch is halved and nothing is lost. Raises OutOfMemory if
    not even one frame fits, BadInput for a size the model cannot paint.
    """
    model.check(spec.size)
    walk = _Walk(spec, model, cache)
    brush = _Brush(WalkLatents(spec, model), cache, batch or _frames_at_once(model, spec.size))
    stops, between = walk.stops(), walk.between()
    yield from brush.paint([walk.task(visit) for visit in stops[:2]])
    yield from brush.paint([walk.task(visit) for visit in stops[2:]])
    yield from brush.paint(walk.preview(between))
    if spec.pacing == "even":
        for leg in range(len(spec.legs)):
            yield from _evenly(walk, leg, brush)
        return
    for some in walk.rounds(between):
        yield from brush.paint([walk.task(visit) for visit in some])


def still(spec: WalkSpec, place: Place, model: StableDiffusion, cache: FrameCache) -> WalkFrame:
    """The frame at any place of a walk, if it does not glide there. Raises as `frames` does."""
    model.check(spec.size)
    task = _Task(0, frame_key(spec, place, model.digest), place, "painted")
    (made,) = _Brush(WalkLatents(spec, model), cache, 1).paint([task])
    return made


def _evenly(walk: "_Walk", leg: int, brush: "_Brush") -> Iterator[WalkFrame]:
    """A leg's frames at equal change: first the survey, shown as a preview, then the frames."""
    places, room = [0.0, 1.0], walk.survey_size() - 2
    while middles := walk.unsurveyed(leg, places, min(ROUND, room)):
        yield from brush.paint([walk.probe(leg, t) for t in middles])
        places, room = sorted([*places, *middles]), room - len(middles)
    marks = places
    while middles := walk.unmarked(leg, places, marks):
        yield from brush.paint([walk.mark(leg, t, places) for t in middles])
        marks = sorted([*marks, *middles])
    spots = at_equal_change(marks, walk.change_on(leg), walk.spec.frames, places)
    tasks = [walk.placed(leg, n, spot.among(places)) for n, spot in enumerate(spots)]
    yield from brush.paint(tasks[1:-1])


def _frames_at_once(model: StableDiffusion, side: int) -> int:
    """As many as suit the device; on CUDA in proportion to its free memory, within reason."""
    pixels: float = PIXELS_A_BATCH.get(model.device.type, PIXELS_A_BATCH["cpu"])
    if model.device.type == "cuda":
        free, _whole = torch.cuda.mem_get_info(model.device)
        pixels *= min(4.0, max(0.25, free / USUAL_MEMORY))
    return max(1, int(pixels) // side**2)


@dataclass(frozen=True)
class _Task:
    """A frame to make: at a place, or from the latents between two others."""

    index: int
    key: str
    place: Place
    source: Source
    between: Between | None = None


class _Walk:
    """What is to be made for a walk, in which order, and what each place's frame is kept as."""

    def __init__(self, spec: WalkSpec, model: StableDiffusion, cache: FrameCache) -> None:
        self.spec, self.cache, self.digest = spec, cache, model.digest
        self.places = spec.places()
        self.keys: dict[int, str] = {}
        self._changes: dict[tuple[str, str], float] = {}
        self._marks: dict[tuple[int, float], str] = {}
        closed = spec.loop == "closed"
        self._visits = coarse_to_fine(len(self.places), len(spec.legs), closed=closed)

    def stops(self) -> list[Visit]:
        """The turns of the stops."""
        return self._visits[: len(self.spec.stops)]

    def between(self) -> list[Visit]:
        """The turns of all other places."""
        return self._visits[len(self.spec.stops) :]

    def rounds(self, visits: Sequence[Visit]) -> Iterator[list[Visit]]:
        """The turns in their order, parted before one that may glide between two of its part."""
        current: dict[int, Visit] = {}
        for visit in visits:
            if self._close(visit) and (visit.low in current or visit.high in current):
                yield list(current.values())
                current = {}
            current[visit.index] = visit
        yield list(current.values())

    def task(self, visit: Visit) -> _Task:
        """The frame of a turn; those that it could glide between have been tasks before."""
        place, between = self.places[visit.index], self._glide(visit)
        key = between.key if between else self._key(place)
        self.keys[visit.index] = key
        return _Task(visit.index, key, place, "glided" if between else "painted", between)

    def survey_size(self) -> int:
        """How many places of a leg are surveyed for even pacing, its ends among them.

        Where frames may glide the survey is most of the work, else it comes on top of it.
        """
        share = SURVEY_TO_GLIDE if "glide" in self.spec.shortcuts else SURVEY
        return max(3, round(share * self.spec.frames))

    def unsurveyed(self, leg: int, places: Sequence[float], count: int) -> list[float]:
        """Up to `count` places that a survey should look at next."""
        return widest_gaps(places, self.change_on(leg), count)

    def change_on(self, leg: int) -> Distance:
        """The perceived change between the pictures at two measured places of a leg."""

        def change(low: float, high: float) -> float:
            one, other = (
                self._marks.get((leg, t)) or self._key(Place(leg, t)) for t in (low, high)
            )
            return self._change(one, other)

        return change

    def probe(self, leg: int, t: float) -> _Task:
        """The picture at a place that is surveyed; it stands for the frame nearest to it so far."""
        place = Place(leg, t)
        index = self._first(leg) + round(t * (self.spec.frames - 1))
        return _Task(index % len(self.places), self._key(place), place, "preview")

    def unmarked(self, leg: int, places: Sequence[float], marks: Sequence[float]) -> list[float]:
        """Places in wide gaps of a leg surveyed at `places`, to be measured if frames can glide."""
        latents = self._have_latents(*(self._key(Place(leg, t)) for t in places))
        if "glide" not in self.spec.shortcuts or not latents:
            return []
        return wide_gaps(marks, self.change_on(leg), self.spec.frames)

    def mark(self, leg: int, t: float, places: Sequence[float]) -> _Task:
        """The picture between surveyed places; it stands for the frame nearest to it so far."""
        task = self.placed(leg, round(t * (self.spec.frames - 1)), Spot(t, t, 0.0).among(places))
        self._marks[leg, t] = task.key
        return replace(task, index=task.index % len(self.places), source="preview")

    def placed(self, leg: int, number: int, spot: Spot) -> _Task:
        """A leg's frame at its spot: one that was surveyed, one gliding, or one to be painted."""
        index, place = self._first(leg) + number, Place(leg, spot.t)
        low, high = self._key(Place(leg, spot.low)), self._key(Place(leg, spot.high))
        may_glide = "glide" in self.spec.shortcuts and self._have_latents(low, high)
        if not may_glide or spot.weight in (0.0, 1.0):
            return _Task(index, self._key(place), place, "painted")
        between = Between(low, high, spot.weight)
        return _Task(index, between.key, place, "glided", between)

    def _first(self, leg: int) -> int:
        return leg * (self.spec.frames - 1)

    def _key(self, place: Place) -> str:
        return frame_key(self.spec, place, self.digest)

    def preview(self, visits: Sequence[Visit]) -> list[_Task]:
        """Rough frames for some of the turns that have no frame yet, in walking order."""
        places = [(visit.index, self.places[visit.index]) for visit in sorted(visits)]
        missing = [(i, place) for i, place in places if not self._kept(place)]
        stride = max(1, -(-len(missing) // (PREVIEWS * len(self.spec.legs))))
        tasks = [self._rough(index, place) for index, place in missing[::stride]]
        return [task for task in tasks if task is not None]

    def _kept(self, place: Place) -> bool:
        return self.cache.path(self._key(place)).exists()

    def _rough(self, index: int, place: Place) -> _Task | None:
        """A frame between the stops of its leg, if their latents are kept."""
        low, high = (self._key(Place(place.leg, end)) for end in (0.0, 1.0))
        if not self._have_latents(low, high):
            return None
        between = Between(low, high, place.t, rough=True)
        return _Task(index, between.key, place, "preview", between)

    def _close(self, visit: Visit) -> bool:
        """Whether a turn's neighbours are near enough on their leg to glide between them."""
        low, _, high = self._around(visit)
        return "glide" in self.spec.shortcuts and 0.0 < high - low <= GLIDE_SPAN

    def _around(self, visit: Visit) -> tuple[float, float, float]:
        """Where a turn and its neighbours lie on its leg: low, itself, high."""
        place, low, high = (self.places[i] for i in (visit.index, visit.low, visit.high))
        return low.t, place.t, high.t if high.leg == place.leg else 1.0

    def _glide(self, visit: Visit) -> Between | None:
        """How a frame lies between its neighbours, if these are near to the eye as well."""
        if not self._close(visit):
            return None
        low, high = self.keys[visit.low], self.keys[visit.high]
        if not self._have_latents(low, high) or self._change(low, high) > GLIDE_CHANGE:
            return None
        start, t, end = self._around(visit)
        return Between(low, high, (t - start) / (end - start))

    def _have_latents(self, *keys: str) -> bool:
        return all(self.cache.has_latents(key) for key in keys)

    def _change(self, one: str, other: str) -> float:
        """The perceived change between two kept frames."""
        pair = (one, other)
        if pair not in self._changes:
            self._changes[pair] = perception.steps(KeptFrames(self.cache, pair))[0]
        return self._changes[pair]


class _Brush:
    """Makes frames, as many at once as memory allows."""

    def __init__(self, latents: WalkLatents, cache: FrameCache, batch: int) -> None:
        self.latents, self.cache, self.batch = latents, cache, batch

    def paint(self, tasks: Sequence[_Task]) -> Iterator[WalkFrame]:
        """The frames of tasks: first those that are kept, then those decoded, then the others."""
        missing = []
        for task in tasks:
            kept = self.cache.get(task.key)
            if kept is None:
                missing.append(task)
            else:
                source = task.source if task.source == "preview" else "cache"
                yield WalkFrame(task.index, task.key, kept, 0, source)
        yield from self._batches([task for task in missing if task.between])
        yield from self._batches([task for task in missing if not task.between])

    def _batches(self, tasks: list[_Task]) -> Iterator[WalkFrame]:
        while tasks:
            some = tasks[: self.batch]
            try:
                finished = self._made(some)
            except RuntimeError as error:
                if not _no_memory(error):
                    raise
                self._halve(len(some), error)
                continue
            yield from finished
            tasks = tasks[len(some) :]

    def _halve(self, tried: int, error: Exception) -> None:
        if tried == 1:
            raise OutOfMemory(
                f"Not even one frame of {self.latents.spec.size} pixels a side fits into the "
                f"memory of {self.latents.model.device}. Please choose a smaller size."
            ) from error
        self.batch = tried // 2
        torch.cuda.empty_cache()

    def _made(self, tasks: Sequence[_Task]) -> list[WalkFrame]:
        """Frames of one kind as one batch, kept with their latents."""
        latents, samples = self._latents(tasks)
        rough = tasks[0].between is not None and tasks[0].between.rough
        pictures = self._decoded_small(latents) if rough else self.latents.model.decode(latents)
        arrays = [None] * len(tasks) if rough else latents.half().cpu().numpy()
        with ThreadPoolExecutor(WRITERS) as writers:
            list(writers.map(self.cache.put, [task.key for task in tasks], pictures, arrays))
        share, rest = divmod(samples, len(tasks))
        shares = [share + rest, *[share] * (len(tasks) - 1)]
        return [
            WalkFrame(task.index, task.key, picture, cost, task.source)
            for task, picture, cost in zip(tasks, pictures, shares, strict=True)
        ]

    def _decoded_small(self, latents: Tensor) -> list[Frame]:
        """Frames decoded at half their size and enlarged."""
        cells = [max(1, side // 2) for side in latents.shape[-2:]]
        small = self.latents.model.decode(interpolate(latents, cells, mode="area"))
        size = (self.latents.spec.size, self.latents.spec.size)
        return [np.asarray(Image.fromarray(picture).resize(size)) for picture in small]

    def _latents(self, tasks: Sequence[_Task]) -> tuple[Tensor, int]:
        """Clean latents of tasks of one kind, and the UNet samples they took."""
        mixtures = [self._mixed(task.between) for task in tasks if task.between]
        if mixtures:
            return torch.stack(mixtures), 0
        seeds = [own_seed(task.key) for task in tasks]
        return self.latents.at([task.place for task in tasks], seeds)

    def _mixed(self, between: Between) -> Tensor:
        """Latents (c, h, w) on the line between those of two kept frames."""
        low, high = (
            torch.from_numpy(self.cache.latents(key)) for key in (between.low, between.high)
        )
        model = self.latents.model
        mixed = lerp(low.float(), high.float(), torch.tensor([between.weight]))[0]
        return mixed.to(model.device, model.dtype)


def _no_memory(error: RuntimeError) -> bool:
    """Whether a device ran out of memory; the CPU and MPS have no error of their own for it."""
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or (
        "out of memory" in text or "allocate memory" in text
    )
