"""Renders frame tasks: reads the cache, decodes latents, or samples with the model."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from momalisa.engine.frame_cache import Frame, FrameCache, LatentMixture, frame_key
from momalisa.engine.interpolation import lerp
from momalisa.engine.latents import LatentSampler
from momalisa.engine.planner import FrameTask, Source
from momalisa.errors import OutOfMemory
from momalisa.spec import Place

PIXELS_A_BATCH = {"cpu": 8 * 256**2, "mps": 4 * 512**2, "cuda": 16 * 512**2}
"""How much is sampled at once; a CPU gains little from more and would show frames late."""
USUAL_MEMORY = 8 * 2**30
"""Free bytes of a GPU for which that suits."""
WRITERS = 4
"""Threads that write frames into the cache."""


@dataclass(frozen=True)
class WalkFrame:
    """A frame of a walk, and the index of its place."""

    index: int
    key: str
    frame: Frame
    unet_samples: int
    """Rows sent through the model for it."""
    source: Source = "painted"

    @property
    def finished(self) -> bool:
        """False for previews and survey pictures, which only stand in for a frame."""
        return self.source not in ("preview", "survey")


def frames_at_once(device: torch.device, pixels: int) -> int:
    """How many frames of that many pixels suit a device; on CUDA in proportion to free memory."""
    most: float = PIXELS_A_BATCH.get(device.type, PIXELS_A_BATCH["cpu"])
    if device.type == "cuda":
        free, _total = torch.cuda.mem_get_info(device)
        most *= min(4.0, max(0.25, free / USUAL_MEMORY))
    return max(1, int(most) // pixels)


class FrameRenderer:
    """Renders frames in batches as large as memory allows, and caches them."""

    def __init__(self, sampler: LatentSampler, cache: FrameCache, batch: int = 0) -> None:
        self.sampler, self.cache = sampler, cache
        self.batch = batch or frames_at_once(sampler.runner.model.device, sampler.spec.pixels)

    def render(self, tasks: Sequence[FrameTask]) -> Iterator[WalkFrame]:
        """Yield the frames of tasks: first cached ones, then those from latents, then sampled ones.

        Raises OutOfMemory if not even one frame fits.
        """
        missing = []
        for task in tasks:
            cached = self.cache.get(task.key)
            if cached is None:
                missing.append(task)
            else:
                source = task.source if task.source in ("preview", "survey") else "cache"
                yield WalkFrame(task.index, task.key, cached, 0, source)
        yield from self._batches([task for task in missing if task.mixture])
        yield from self._batches([task for task in missing if not task.mixture])

    def probed(self, leg: int) -> tuple[float, ...]:
        """The places inside a leg whose frames take no more samples; the cache knows them still.

        Raises OutOfMemory if what finds them does not fit.
        """
        sampler = self.sampler
        middle = frame_key(sampler.spec, Place(leg, 0.5), sampler.runner.model.digest)
        key = hashlib.sha256(f"{middle} probed".encode()).hexdigest()
        with suppress(FileNotFoundError):
            return tuple(self.cache.latents(key).tolist())
        try:
            places = tuple(sampler.probed(leg))
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            self._halve_batch(1, error)
        if places:
            self.cache.put_latents(key, np.array(places))
        return places

    def _batches(self, tasks: list[FrameTask]) -> Iterator[WalkFrame]:
        while tasks:
            some = tasks[: self.batch]
            try:
                finished = self._make(some)
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
                self._halve_batch(len(some), error)
                continue
            yield from finished
            tasks = tasks[len(some) :]

    def _halve_batch(self, tried: int, error: Exception) -> None:
        if tried == 1:
            raise OutOfMemory(
                f"Not even one frame of {self.sampler.spec.shown_size} pixels fits into the memory "
                f"of {self.sampler.runner.model.device}. Please choose a smaller size."
            ) from error
        self.batch = tried // 2
        torch.cuda.empty_cache()

    def _make(self, tasks: Sequence[FrameTask]) -> list[WalkFrame]:
        """Make frames, all mixed or all sampled, as one batch; cache them with their latents."""
        latents, samples = self._latents(tasks)
        first = tasks[0]
        rough = first.mixture.rough if first.mixture else first.rough
        pictures = self._decode_small(latents) if rough else self.sampler.runner.decode(latents)
        if first.mixture is None:
            pictures = self.sampler.finish([task.place for task in tasks], pictures)
        if not first.rough:
            arrays = [None] * len(tasks) if rough else latents.half().cpu().numpy()
            with ThreadPoolExecutor(WRITERS) as writers:
                list(writers.map(self.cache.put, [task.key for task in tasks], pictures, arrays))
        share, rest = divmod(samples, len(tasks))
        shares = [share + rest, *[share] * (len(tasks) - 1)]
        return [
            WalkFrame(task.index, task.key, picture, cost, task.source)
            for task, picture, cost in zip(tasks, pictures, shares, strict=True)
        ]

    def _decode_small(self, latents: Tensor) -> list[Frame]:
        """Frames for previews: by a tiny decoder, or decoded at half their size and enlarged."""
        if self.sampler.runner.rough_decoder:
            return self.sampler.runner.decode(latents, rough=True)
        cells = [max(1, side // 2) for side in latents.shape[-2:]]
        small = self.sampler.runner.decode(interpolate(latents, cells, mode="area"))
        size = (self.sampler.spec.width, self.sampler.spec.height)
        return [np.asarray(Image.fromarray(picture).resize(size)) for picture in small]

    def _latents(self, tasks: Sequence[FrameTask]) -> tuple[Tensor, int]:
        """Clean latents of tasks of one kind, and the model samples they took."""
        mixtures = [self._mix(task.mixture) for task in tasks if task.mixture]
        if mixtures:
            return torch.stack(mixtures), 0
        return self.sampler.sample([task.place for task in tasks])

    def _mix(self, mixture: LatentMixture) -> Tensor:
        """Latents (c, h, w) on the line between those of two cached frames."""
        low, high = (
            torch.from_numpy(self.cache.latents(key)) for key in (mixture.low, mixture.high)
        )
        model = self.sampler.runner.model
        mixed = lerp(low.float(), high.float(), torch.tensor([mixture.weight]))[0]
        return mixed.to(model.device, model.dtype)


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device ran out of memory; the CPU and MPS have no error of their own for it."""
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or (
        "out of memory" in text or "allocate memory" in text
    )
