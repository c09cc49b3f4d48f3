"""Samples frames of walks with pictures: from a work of art into what the model dreams, and back.

Near a picture its latents are noised to a level that rises with the distance along the leg, and
denoised under the leg's mixed conditions: at the picture it is the picture itself, at a prompt the
model's own. The noise at a picture is not any: it is the one that the model would have painted the
picture from (`inversion`), and goes on the arc to the noise of the leg's other end. Between two
pictures the level falls again; in the middle, under much noise, the one's latents become the
other's. Texts are mixed on the line where the interpolation is not one of texts.
"""

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from momalisa.engine import attention
from momalisa.engine.attention_legs import AttentionSampler
from momalisa.engine.frame_cache import Frame, FrameCache, frame_key
from momalisa.engine.guided_legs import Ends, Guide
from momalisa.engine.interpolation import slerp
from momalisa.engine.inversion import denoise, predict_guided
from momalisa.engine.lora_weights import take_rows, weighed
from momalisa.engine.noise_schedule import Level, NoiseSchedule, read_schedule
from momalisa.engine.picture_settings import (
    WAY,
    Way,
    level_of_noise,
    remaining_detail,
    share_of_end,
)
from momalisa.engine.runner import ModelRunner
from momalisa.engine.works import Work, Works, add_detail
from momalisa.spec import Place, Stop, WalkSpec


class PictureSampler(AttentionSampler):
    """Samples latents at places of a walk that has pictures among its stops."""

    def __init__(
        self, spec: WalkSpec, runner: ModelRunner, cache: FrameCache, way: Way = WAY
    ) -> None:
        """`cache` has the pictures, and keeps what is made of them."""
        super().__init__(spec, runner)
        self._cache, self._way = cache, way

    @cached_property
    def schedule(self) -> NoiseSchedule:
        """The levels of noise of the walk's steps."""
        model = self.runner.model
        like = torch.zeros_like(model.noise(0, *self.film_size))[None]
        return read_schedule(self.plan.sampler, like.to(model.device))

    @cached_property
    def works(self) -> Works:
        """The walk's pictures."""
        return Works(self.runner, self._cache, self.film_size, self.schedule)

    def sample(self, places: Sequence[Place]) -> tuple[Tensor, int]:
        """Clean latents (n, c, h, w) at places as one batch, and the model samples they took."""
        self.use_loras()
        latents: dict[int, Tensor] = {}
        groups: dict[bool, list[int]] = {True: [], False: []}
        for row, place in enumerate(places):
            if (work := self._work_at(place)) is not None:
                latents[row] = work.latents
            else:
                groups[self._is_between(place)].append(row)
        samples = 0
        for from_picture, rows in groups.items():
            some = [places[row] for row in rows]
            if some:
                paint = self._sample_from_pictures if from_picture else super().sample
                found, spent = paint(some)
                latents |= zip(rows, found.float().cpu(), strict=True)
                samples += spent
        stacked = torch.stack([latents[row] for row in range(len(places))])
        return stacked.to(self.runner.device, self.runner.model.dtype), samples

    def probed(self, leg: int) -> list[float]:
        """The places inside a leg whose frames take no more samples; none beside a picture."""
        return [] if self._is_between(Place(leg, 0.5)) else super().probed(leg)

    def finish(self, places: Sequence[Place], frames: Sequence[Frame]) -> list[Frame]:
        """Frames as they are shown: the picture itself at a picture, and next to it its detail."""
        return [self._finish(*one) for one in zip(places, frames, strict=True)]

    def _finish(self, place: Place, frame: Frame) -> Frame:
        if (work := self._work_at(place)) is not None:
            return work.picture
        for stop, distance in zip(self.spec.legs[place.leg], (place.t, 1 - place.t), strict=True):
            if stop.image is not None:
                frame = add_detail(frame, self.works.work(stop.image), remaining_detail(distance))
        return frame

    def _work_at(self, place: Place) -> Work | None:
        """The picture, if a place is a stop that has one; None for all other places."""
        ends = dict(zip((0.0, 1.0), self.spec.legs[place.leg], strict=True))
        stop = ends.get(place.t)
        return None if stop is None or stop.image is None else self.works.work(stop.image)

    def _is_between(self, place: Place) -> bool:
        """Whether a place is on a leg with a picture, and no stop."""
        has_picture = any(stop.image is not None for stop in self.spec.legs[place.leg])
        return has_picture and place.t not in (0.0, 1.0)

    def _sample_from_pictures(self, places: Sequence[Place]) -> tuple[Tensor, int]:
        """Latents of places on legs with a picture; each by itself, since their levels differ."""
        before = self.works.samples
        starts = [self._start_at(place) for place in places]
        guides = [Guide(self.runner, self.ends_around(place), place.t) for place in places]
        spent = self.works.samples - before
        texts = self.conditioning_at(places, mixes_texts=True)
        noises = self.step_noises_at(places)
        guidance, weights = self.guidance_at(places), self.weights_at(places)

        def paint(rows: slice) -> list[tuple[Tensor, int]]:
            made = []
            for row in range(*rows.indices(len(places))):
                (latents, level), own = starts[row], slice(row, row + 1)
                guide = guides[row]
                predict, cost = predict_guided(
                    self.runner, texts[own], guidance[own], self.schedule, guide.predict
                )
                with weighed(take_rows(weights, own)):
                    clean = denoise(latents[None], level, self.schedule, predict, noise=noises[row])
                made.append((guide.finish(clean)[0], cost() + guide.samples))
            return made

        parts = self.runner.run(paint, len(places))
        made = [one for part in parts for one in part]
        return torch.stack([one for one, _ in made]), spent + sum(cost for _, cost in made)

    def ends_around(self, place: Place) -> Ends | None:
        """What guides a frame at a place, on a leg with a picture; None where nothing can."""
        stops = self.spec.legs[place.leg]
        are_works = all(stop.image is not None for stop in stops)
        if self.runner.model.attends:
            attention.attach(self.runner.model.network)
        elif not are_works:
            return None
        places = [Place(place.leg, 0.0), Place(place.leg, 1.0)]
        return Ends(
            torch.stack([self._clean_at(end) for end in places]),
            torch.stack([self._noise_of(stop) for stop in stops]) * self.schedule.deviation,
            self.conditioning_at(places, mixes_texts=True),
            are_works,
        )

    def _clean_at(self, end: Place) -> Tensor:
        """The clean latents (c, h, w) at an end of a leg: a picture's, or the model's own."""
        if (work := self._work_at(end)) is not None:
            return work.latents
        key = frame_key(self.spec, end, self.runner.model.digest)
        # Between calls, too, since each place of a slider is one.
        return self.runner.keep((self._cache.folder, key), lambda: self._paint(end))

    def _paint(self, end: Place) -> Tensor:
        latents, samples = super().sample([end])
        self.works.samples += samples
        return latents[0].float().cpu()

    def _start_at(self, place: Place) -> tuple[Tensor, Level]:
        """Latents (c, h, w) at a place with as much noise as it begins with, and their level."""
        start, end = self.spec.legs[place.leg]
        rise = level_of_noise(place.t, start=start.image is not None, end=end.image is not None)
        mixed, level = self.schedule.start_at(1.0 if self._way == "inversion" else rise)
        t = torch.tensor([place.t], dtype=torch.float64)
        noise = slerp(self._noise_of(start), self._noise_of(end), t)[0] * self.schedule.deviation
        return mixed.signal * self._under_noise(place) + mixed.noise * noise, level

    def _noise_of(self, stop: Stop) -> Tensor:
        if stop.image is None or self._way == "strength":
            return self.noise_of(stop)
        # Inverted without LoRAs: the noise of a picture is the model's own.
        text = self.with_guidance(self.text_of(stop), 1.0)
        # Sign or word: by its prompt the noise is known again.
        prompt = f"weighted: {stop.prompt}" if self.spec.prompt_weights else stop.prompt
        return self.works.noise(stop.image, prompt, text)

    def _under_noise(self, place: Place) -> Tensor:
        """The clean latents under the noise."""
        first, second = (
            None if stop.image is None else self.works.work(stop.image).latents
            for stop in self.spec.legs[place.leg]
        )
        if first is not None and second is not None:
            share = share_of_end(place.t)
            return (1.0 - share) * first + share * second
        anchor = second if first is None else first
        assert anchor is not None
        return anchor
