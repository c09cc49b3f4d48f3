"""A walk's frames, one after another, coarse to fine."""

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from momalisa.errors import OutOfMemory
from momalisa.frames import Frame, FrameCache, frame_key
from momalisa.models.sd import StableDiffusion
from momalisa.paths import EMBEDDING_MIXES, slerp
from momalisa.spec import Place, Stop, WalkSpec

PIXELS_A_BATCH = {"cpu": 4 * 256**2, "mps": 4 * 512**2, "cuda": 16 * 512**2}
"""How much is denoised at once; a CPU gains little from more and would show frames late."""


@dataclass(frozen=True)
class WalkFrame:
    """A finished frame, and its number among the walk's places."""

    index: int
    key: str
    frame: Frame
    unet_samples: int
    """Rows sent through the UNet for it; 0 when it was in the cache."""


def coarse_to_fine(count: int) -> list[int]:
    """The numbers 0 to count - 1: both ends, the middle, the quarters, and so on."""
    order = [0, count - 1][:count]
    gaps = deque([(0, count - 1)])
    while gaps:
        low, high = gaps.popleft()
        if high - low > 1:
            middle = (low + high) // 2
            order.append(middle)
            gaps.extend([(low, middle), (middle, high)])
    return order


def frames(
    spec: WalkSpec, model: StableDiffusion, cache: FrameCache, *, batch: int = 0
) -> Generator[WalkFrame, None, None]:
    """Every distinct frame of a walk, coarse to fine; those in the cache are not made again.

    `batch` frames are denoised at once (0 = what suits the device), both ends first. When
    memory runs out the batch is halved and nothing is lost. Raises OutOfMemory if not even one
    frame fits, BadInput for a size the model cannot paint.
    """
    model.check(spec.size)
    walked = _Walk(spec, model)
    pixels = PIXELS_A_BATCH.get(model.device.type, PIXELS_A_BATCH["cpu"])
    size = batch or max(1, pixels // spec.size**2)
    waiting: list[int] = []
    ends_due = True
    for index in coarse_to_fine(len(walked.places)):
        kept = cache.get(walked.key(index))
        if kept is not None:
            yield WalkFrame(index, walked.key(index), kept, 0)
            continue
        waiting.append(index)
        if len(waiting) >= (min(2, size) if ends_due else size):
            size = yield from _painted(walked, waiting, cache, size)
            waiting, ends_due = [], False
    yield from _painted(walked, waiting, cache, size)


def _painted(
    walked: "_Walk", indices: Sequence[int], cache: FrameCache, size: int
) -> Generator[WalkFrame, None, int]:
    """Paint frames, `size` at a time; returns the size that fitted."""
    waiting = list(indices)
    while waiting:
        some = waiting[:size]
        try:
            finished = walked.paint(some)
        except torch.OutOfMemoryError as error:
            if size == 1:
                side = walked.spec.size
                raise OutOfMemory(
                    f"Not even one frame of {side} × {side} fits into the memory of "
                    f"{walked.model.device}. Please choose a smaller size."
                ) from error
            size = max(1, len(some) // 2)
            torch.cuda.empty_cache()
            continue
        for frame in finished:
            cache.put(frame.key, frame.frame)
            yield frame
        waiting = waiting[len(some) :]
    return size


class _Walk:
    """What the frames of one walk share: places, each stop's text and noise, the silence."""

    def __init__(self, spec: WalkSpec, model: StableDiffusion) -> None:
        self.spec, self.model = spec, model
        self.places = spec.places()

    @cached_property
    def words(self) -> dict[str, Tensor]:
        """Text embeddings (tokens, width), each prompt encoded once."""
        prompts = list(dict.fromkeys(stop.prompt for stop in self.spec.stops))
        return dict(zip(prompts, self.model.encode(prompts), strict=True))

    @cached_property
    def noises(self) -> dict[int, Tensor]:
        """Noise (c, h, w) by seed."""
        seeds = {stop.seed for stop in self.spec.stops}
        return {seed: self.model.noise(seed, self.spec.size) for seed in seeds}

    @cached_property
    def silence(self) -> Tensor | None:
        """The negative prompt's embedding, or None without guidance."""
        return self.model.encode([self.spec.negative])[0] if self.spec.guided else None

    def key(self, index: int) -> str:
        """The cache's key of a frame."""
        return frame_key(self.spec, self.places[index], self.model.digest)

    def paint(self, indices: Sequence[int]) -> list[WalkFrame]:
        """Denoise and decode some frames as one batch."""
        keys = [self.key(index) for index in indices]
        mixed = [self._mix(self.places[index]) for index in indices]
        noise, words = (torch.stack(parts) for parts in zip(*mixed, strict=True))
        latents, samples = self.model.denoise(
            noise,
            words,
            self.silence,
            steps=self.spec.steps,
            guidance=self.spec.guidance,
            seeds=[int(key[:15], 16) for key in keys],
        )
        share = samples // len(indices)
        pictures = self.model.decode(latents)
        return [
            WalkFrame(index, key, frame, share)
            for index, key, frame in zip(indices, keys, pictures, strict=True)
        ]

    def _mix(self, place: Place) -> tuple[Tensor, Tensor]:
        """Noise and text embedding at a place."""
        start, end = self.spec.legs[place.leg]
        t = torch.tensor([place.t], dtype=torch.float64)
        mix = EMBEDDING_MIXES[self.spec.interpolation]
        noise = slerp(self.noises[start.seed], self.noises[end.seed], t)[0]
        return noise, mix(*self._words_of(start, end), t)[0]

    def _words_of(self, start: Stop, end: Stop) -> tuple[Tensor, Tensor]:
        return self.words[start.prompt], self.words[end.prompt]
