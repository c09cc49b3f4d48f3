"""Clean latents at the places of a walk, exactly or by the shortcuts that its spec takes."""

from collections.abc import Sequence
from functools import cached_property
from math import ceil, floor

import torch
from torch import Tensor

from momalisa.engine.interpolation import EMBEDDING_MIXES, slerp
from momalisa.engine.sampling import Course, Guidance, blend, gather, split
from momalisa.engine.shortcuts import ANCHORS, plan
from momalisa.models.sd import StableDiffusion
from momalisa.spec import Place, WalkSpec


class WalkLatents:
    """What the frames of one walk share: each stop's text and noise, the silence, the trunk."""

    def __init__(self, spec: WalkSpec, model: StableDiffusion) -> None:
        self.spec, self.model = spec, model
        self.plan = plan(spec, model.pipeline.scheduler)
        self._trunk: dict[Place, Course] = {}

    @cached_property
    def _words(self) -> dict[str, Tensor]:
        """Text embeddings (tokens, width), each prompt encoded once."""
        prompts = list(dict.fromkeys(stop.prompt for stop in self.spec.stops))
        return dict(zip(prompts, self.model.encode(prompts), strict=True))

    @cached_property
    def _noises(self) -> dict[int, Tensor]:
        """Noise (c, h, w) by seed."""
        seeds = {stop.seed for stop in self.spec.stops}
        return {seed: self.model.noise(seed, self.spec.size) for seed in seeds}

    @cached_property
    def _guidance(self) -> Guidance:
        """How the walk is guided; not at all where its guidance is 1 or less."""
        if not self.spec.guided:
            return Guidance()
        silence = self.model.encode([self.spec.negative])[0]
        return Guidance(silence, self.spec.guidance, self.plan.guided)

    def at(self, places: Sequence[Place], seeds: Sequence[int]) -> tuple[Tensor, int]:
        """Clean latents (n, c, h, w) at places as one batch, and the UNet samples they took.

        `seeds` feed schedulers that draw noise of their own.
        """
        course, spent = self._branches(places) if self.plan.trunk else (self._start(places), 0)
        course = self.model.advance(course, self._words_at(places), self._guidance, seeds=seeds)
        return course.latents, spent + course.samples

    def _start(self, places: Sequence[Place]) -> Course:
        noise = torch.stack([self._noise_at(place) for place in places])
        plan = self.plan
        return self.model.start(noise, plan.steps, plan.scheduler, plan.times)

    def _branches(self, places: Sequence[Place]) -> tuple[Course, int]:
        """Courses that branch off from the trunk, each from between the anchors beside it."""
        parts = [place.t * ANCHORS for place in places]
        starts, ends = (
            [self._anchor(place.leg, edge(part)) for place, part in zip(places, parts, strict=True)]
            for edge in (floor, ceil)
        )
        spent = self._grow(list(dict.fromkeys([*starts, *ends])), len(places))
        t = torch.tensor([part - floor(part) for part in parts], dtype=torch.float64)
        first, second = (gather([self._trunk[a] for a in anchors]) for anchors in (starts, ends))
        return blend(first, second, t), spent

    def _anchor(self, leg: int, number: int) -> Place:
        """The place of an anchor; one that two legs share has one place only."""
        if number == ANCHORS and (leg + 1 < len(self.spec.legs) or self.spec.loop == "closed"):
            return Place((leg + 1) % len(self.spec.legs), 0.0)
        return Place(leg, number / ANCHORS)

    def _grow(self, anchors: Sequence[Place], batch: int) -> int:
        """Add anchors to the trunk that it lacks; the UNet samples they took."""
        missing = [anchor for anchor in anchors if anchor not in self._trunk]
        spent = 0
        for first in range(0, len(missing), batch):
            some = missing[first : first + batch]
            course = self.model.advance(
                self._start(some), self._words_at(some), self._guidance, until=self.plan.trunk
            )
            self._trunk |= zip(some, split(course), strict=True)
            spent += course.samples
        return spent

    def _noise_at(self, place: Place) -> Tensor:
        start, end = self.spec.legs[place.leg]
        t = torch.tensor([place.t], dtype=torch.float64)
        return slerp(self._noises[start.seed], self._noises[end.seed], t)[0]

    def _words_at(self, places: Sequence[Place]) -> Tensor:
        """Text embeddings (n, tokens, width) at places."""
        mix = EMBEDDING_MIXES[self.spec.interpolation]
        found = []
        for place in places:
            start, end = self.spec.legs[place.leg]
            t = torch.tensor([place.t], dtype=torch.float64)
            found.append(mix(self._words[start.prompt], self._words[end.prompt], t))
        return torch.cat(found)
