"""The pictures among a walk's stops: at the film's size, as latents, and as noise.

What the autoencoder loses of a picture is added to the frames next to it, where these still look
like the picture: so the film begins with the work, not with a copy, and never shows two pictures.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.inversion import invert, make_gaussian, predict_unguided
from momalisa.engine.noise_schedule import NoiseSchedule
from momalisa.engine.picture_crop import crop_picture
from momalisa.engine.picture_settings import AROUND, ITERATIONS, LIKENESS, OCTAVES, TREATMENT
from momalisa.engine.runner import ModelRunner
from momalisa.stop import StopImage

BLUR_SIDE = 256
"""Pixels of a side at which the finest octave is about one pixel fine."""


class Work(NamedTuple):
    """A picture at a film's size, and as the model knows it."""

    picture: Frame
    latents: Tensor
    """Clean, (c, h, w), on the CPU."""
    copy: Frame
    """What the autoencoder gives back of it."""
    lost: Sequence[NDArray[np.int16]]
    """The difference, in octaves, the finest first."""


@dataclass
class Works:
    """The pictures of a walk's stops, each read, encoded and inverted once."""

    runner: ModelRunner
    cache: FrameCache
    size: tuple[int, int]
    """Width and height of the film."""
    schedule: NoiseSchedule
    _works: dict[StopImage, Work] = field(default_factory=dict)
    _noises: dict[tuple[StopImage, str], Tensor] = field(default_factory=dict)
    samples: int = 0
    """Rows sent through the model for inversions so far."""

    def work(self, image: StopImage) -> Work:
        """A picture, encoded. Raises BadInput if its file is not at hand."""
        if image not in self._works:
            # Between calls, too, since each place of a slider is one.
            key = (self.cache.folder, image, self.size)
            self._works[image] = self.runner.keep(key, lambda: self._read(image))
        return self._works[image]

    def _read(self, image: StopImage) -> Work:
        picture = crop_picture(self.cache.get_file(image.digest), image, self.size)
        latents = self.runner.model.encode_picture(picture)
        (copy,) = self.runner.decode(latents[None])
        lost = _octaves(picture.astype(np.float32) - copy)
        return Work(picture, latents.float().cpu(), copy, lost)

    def noise(self, image: StopImage, prompt: str, text: Conditioning) -> Tensor:
        """The noise (c, h, w) that the model would have painted a picture from.

        It is kept in the cache, since each walk from a picture needs it.
        """
        place = (image, prompt)
        if place not in self._noises:
            key = self._key(image, prompt)
            try:
                noise = torch.from_numpy(self.cache.latents(key))
            except FileNotFoundError:
                noise = self._invert(self.work(image).latents[None], text)[0].half()
                self.cache.put_latents(key, noise.numpy())
            # Of half precision in both cases, or a film would depend on what is in the cache.
            self._noises[place] = noise.float()
        return self._noises[place]

    def _invert(self, latents: Tensor, text: Conditioning) -> Tensor:
        predict = predict_unguided(self.runner, text, self.schedule)
        noise, samples = invert(latents, self.schedule, predict, ITERATIONS)
        self.samples += samples
        return make_gaussian(noise)

    def _key(self, image: StopImage, prompt: str) -> str:
        """What the noise of a picture depends on, after the picture's digest: it goes with it."""
        picture = image.model_dump(exclude={"credit"})
        steps = [list(step) for step in self.schedule.steps]
        parts = [picture, prompt, self.size, self.runner.model.digest, steps, ITERATIONS, TREATMENT]
        text = json.dumps(["inversion", *parts])
        return f"{image.digest}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def add_detail(frame: Frame, work: Work, shares: Sequence[float]) -> Frame:
    """A frame with what the autoencoder lost of a picture, where the frame looks like that.

    `shares` says how much of each octave, the finest first.
    """
    if not any(shares):
        return frame
    detail = sum(share * octave for share, octave in zip(shares, work.lost, strict=True))
    added = frame + _likeness(frame, work.copy)[..., None] * detail
    return np.rint(np.clip(added, 0, 255)).astype(np.uint8)


def _octaves(lost: NDArray[np.float32]) -> list[NDArray[np.int16]]:
    """A field (h, w, 3) in parts that add up to it: what each blur of double the radius takes."""
    unit = min(lost.shape[:2]) / BLUR_SIDE
    parts, rest = [], lost
    for octave in range(OCTAVES - 1):
        blurred = _blur(lost, 2**octave * unit)
        parts.append(rest - blurred)
        rest = blurred
    return [part.astype(np.int16) for part in (*parts, rest)]


def _blur(field: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
    blur = ImageFilter.GaussianBlur(radius)
    levels = np.rint(field / 2 + 128).astype(np.uint8)
    return (np.asarray(Image.fromarray(levels).filter(blur), np.float32) - 128) * 2


def _likeness(frame: Frame, copy: Frame) -> NDArray[np.float32]:
    """1 where two pictures are equal around a pixel, less the more they differ."""
    apart = np.abs(frame.astype(np.int16) - copy).mean(-1).astype(np.uint8)
    radius = max(1, round(AROUND * min(frame.shape[:2]) / 2))
    blurred = np.asarray(Image.fromarray(apart).filter(ImageFilter.BoxBlur(radius)), np.float32)
    likeness: NDArray[np.float32] = np.exp(-np.square(blurred / LIKENESS))
    return likeness
