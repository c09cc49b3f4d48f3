"""Samples clean latents at places of a walk, exactly or with the shortcuts of its spec."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import ceil, floor
from statistics import fmean

import torch
from torch import Tensor

from momalisa.engine.conditioning import Conditioning, concatenate, mix_conditioning
from momalisa.engine.frame_cache import Frame
from momalisa.engine.interpolation import EMBEDDING_MIXES, slerp
from momalisa.engine.lora_weights import Weights, mix_weights
from momalisa.engine.prediction_mix import Toward
from momalisa.engine.runner import ModelRunner
from momalisa.engine.sampling import Guidance, SamplingState, blend_states, gather, split
from momalisa.engine.shortcuts import ANCHORS, plan_sampling
from momalisa.engine.step_noise import SeedMix, StepNoise
from momalisa.prompt_weights import parse_prompt
from momalisa.spec import Place, Stop, WalkSpec


class LatentSampler:
    """Samples latents at places of one walk; encodes each stop once, and shares early steps."""

    def __init__(self, spec: WalkSpec, runner: ModelRunner) -> None:
        self.spec, self.runner = spec, runner
        self._size = (spec.width, spec.height)
        self.plan = plan_sampling(spec, runner.model.sampler(spec.steps, *self._size))
        self._trunk: dict[Place, SamplingState] = {}
        self._noises: dict[Stop, Tensor] = {}

    @property
    def film_size(self) -> tuple[int, int]:
        """Width and height of the frames in pixels."""
        return self._size

    @cached_property
    def _texts(self) -> dict[str, Conditioning]:
        """Conditionings by prompt, each encoded once; of frames of other walks, those around it."""
        prompts = dict.fromkeys(text for stop in self.spec.stops for text in stop.prompts)
        # One by one, since a batch pads short texts, which are to hold their last token instead.
        return {prompt: self._encode(prompt) for prompt in prompts}

    def text_of(self, stop: Stop, weights: Sequence[float] = ()) -> Conditioning:
        """A stop's conditioning, one row; a frame of another walk has what was mixed for it.

        `weights` are those of the LoRAs at the stop.
        """
        if stop.between is None:
            return self._encode(stop.prompt, weights) if weights else self._texts[stop.prompt]
        frame = stop.between
        ends = (self.text_of(frame.start, weights), self.text_of(frame.end, weights))
        t = torch.tensor([stop.between.t], dtype=torch.float64)
        return mix_conditioning(*ends, t, EMBEDDING_MIXES[stop.between.interpolation])

    def _encode(self, prompt: str, weights: Sequence[float] = ()) -> Conditioning:
        if not self.spec.prompt_weights:
            return self.runner.encode([prompt], *self._size, weights)
        return self.runner.encode_weighted(parse_prompt(prompt), *self._size, weights)

    def _text_in_middle(self, start: Sequence[float], end: Sequence[float]) -> Conditioning:
        """The conditioning of the prompt for the middle, one row, by the LoRAs' weights there."""
        weights = tuple(fmean(pair) for pair in zip(start, end, strict=True))
        return self._encode(self.spec.middle, weights)

    def noise_of(self, stop: Stop) -> Tensor:
        """A stop's noise (c, h, w)."""
        if stop not in self._noises:
            self._noises[stop] = self._draw_noise(stop)
        return self._noises[stop]

    def _draw_noise(self, stop: Stop) -> Tensor:
        if stop.between is None:
            return self.runner.model.noise(stop.seed, *self._size)
        ends = (self.noise_of(stop.between.start), self.noise_of(stop.between.end))
        return slerp(*ends, torch.tensor([stop.between.t], dtype=torch.float64))[0]

    def weights_at(self, places: Sequence[Place]) -> Weights:
        """The weights of the LoRAs at places, by their digests."""
        if not self.spec.loras:
            return {}
        ends = [self.spec.lora_weights(place.leg) for place in places]
        t = torch.tensor([place.t for place in places], dtype=torch.float64)
        return mix_weights([lora.digest for lora in self.spec.loras], ends, t)

    def guidance_at(self, places: Sequence[Place]) -> Guidance:
        """How frames at places are guided; not at all where the walk's guidance is 1 or less."""
        if not self.spec.guided or self.runner.model.guidance != "cfg":
            return Guidance()
        normalise = self.runner.model.normalise_guided
        negative = self._negative_at(places)
        return Guidance(negative, self.spec.guidance, self.plan.guided_steps, normalise)

    def _negative_at(self, places: Sequence[Place]) -> Conditioning:
        """The negative prompt's conditioning: for all places, or where LoRAs change it for each."""
        if not any(len(lora.weights) > 1 for lora in self.spec.loras):
            return self._negative(self.spec.lora_weights(0)[0])
        mix_tokens = EMBEDDING_MIXES[self.spec.interpolation]
        mixed = []
        for place in places:
            start, end = map(self._negative, self.spec.lora_weights(place.leg))
            t = torch.tensor([place.t], dtype=torch.float64)
            mixed.append(mix_conditioning(start, end, t, mix_tokens))
        return concatenate(mixed)

    def _negative(self, weights: Sequence[float]) -> Conditioning:
        negative = self.spec.negative
        if not self.spec.prompt_weights:
            return self.runner.encode_negative(negative, *self._size, weights)
        weighted = parse_prompt(negative)
        return self.runner.encode_weighted(weighted, *self._size, weights, negative=True)

    def use_loras(self) -> None:
        """Load the walk's LoRAs, which another walk's still may have taken out."""
        if self.spec.loras:  # else those of others have no effect
            self.runner.use_loras(self.spec.loras)

    def sample(self, places: Sequence[Place]) -> tuple[Tensor, int]:
        """Clean latents (n, c, h, w) at places as one batch, and the model samples they took."""
        self.use_loras()
        if self._mixes_predictions:
            return self._mix_predictions(places)
        shared = self.plan.trunk_steps
        state, spent = self._branch_off(places) if shared else (self._start(places), 0)
        state = self.runner.advance(
            state,
            self.conditioning_at(places),
            self.guidance_at(places),
            noises=self.step_noises_at(places),
            weights=self.weights_at(places),
        )
        return state.latents, spent + state.samples

    def probed(self, leg: int) -> list[float]:
        """The places inside a leg whose frames take no more samples, in its order."""
        return []

    def finish(self, places: Sequence[Place], frames: Sequence[Frame]) -> list[Frame]:
        """Frames as they are shown, from those that were decoded of the latents at places."""
        return list(frames)

    @property
    def _mixes_predictions(self) -> bool:
        return self.spec.interpolation == "predictions"

    def _mix_predictions(self, places: Sequence[Place]) -> tuple[Tensor, int]:
        """Clean latents at places: stops by themselves, others from both ends of their leg."""
        groups: dict[bool, list[int]] = {}
        for row, place in enumerate(places):
            groups.setdefault(place.t in (0.0, 1.0), []).append(row)
        latents: dict[int, Tensor] = {}
        samples = 0
        for are_stops, rows in groups.items():
            some = [places[row] for row in rows]
            state = self.runner.advance(
                self._start(some),
                self.conditioning_at(some),
                self.guidance_at(some),
                noises=self.step_noises_at(some),
                between=None if are_stops else self._toward_end(some),
                weights=self.weights_at(some),
            )
            latents |= zip(rows, state.latents, strict=True)
            # Of frames the end is predicted for as well:
            samples += state.samples + (0 if are_stops else state.done * len(some))
        return torch.stack([latents[row] for row in range(len(places))]), samples

    def _toward_end(self, places: Sequence[Place]) -> Toward:
        ends = self.conditioning_at([Place(place.leg, 1.0) for place in places])
        return Toward(torch.tensor([place.t for place in places]), ends)

    def _start(self, places: Sequence[Place]) -> SamplingState:
        model = self.runner.model
        noise = torch.stack([self._noise_at(place) for place in places])
        return self.plan.sampler.start(noise.to(model.device, model.dtype))

    def _branch_off(self, places: Sequence[Place]) -> tuple[SamplingState, int]:
        """States that branch off from the trunk, each from between the anchors beside it."""
        parts = [place.t * ANCHORS for place in places]
        starts, ends = (
            [self._anchor(place.leg, edge(part)) for place, part in zip(places, parts, strict=True)]
            for edge in (floor, ceil)
        )
        spent = self._grow_trunk(list(dict.fromkeys([*starts, *ends])), len(places))
        t = torch.tensor([part - floor(part) for part in parts], dtype=torch.float64)
        first, second = (gather([self._trunk[a] for a in anchors]) for anchors in (starts, ends))
        return blend_states(first, second, t), spent

    def _anchor(self, leg: int, number: int) -> Place:
        """The place of an anchor; one that two legs share has one place only."""
        if number == ANCHORS and (leg + 1 < len(self.spec.legs) or self.spec.loop == "closed"):
            return Place((leg + 1) % len(self.spec.legs), 0.0)
        return Place(leg, number / ANCHORS)

    def _grow_trunk(self, anchors: Sequence[Place], batch: int) -> int:
        """Add anchors to the trunk that it lacks; the model samples they took."""
        missing = [anchor for anchor in anchors if anchor not in self._trunk]
        spent = 0
        for first in range(0, len(missing), batch):
            some = missing[first : first + batch]
            state = self.runner.advance(
                self._start(some),
                self.conditioning_at(some),
                self.guidance_at(some),
                until=self.plan.trunk_steps,
                weights=self.weights_at(some),
            )
            self._trunk |= zip(some, split(state), strict=True)
            spent += state.samples
        return spent

    def _noise_at(self, place: Place) -> Tensor:
        start, end = self.spec.legs[place.leg]
        t = torch.tensor([place.t], dtype=torch.float64)
        return slerp(self.noise_of(start), self.noise_of(end), t)[0]

    def step_noises_at(self, places: Sequence[Place]) -> list[StepNoise]:
        """What schedulers that add noise draw at places."""
        stops = [self.spec.legs[place.leg] for place in places]
        return [
            StepNoise((_seeds(start), _seeds(end)), place.t, self.noise_of(start).shape)
            for place, (start, end) in zip(places, stops, strict=True)
        ]

    def conditioning_at(
        self, places: Sequence[Place], *, mixes_texts: bool = False
    ) -> Conditioning:
        """The conditions at places: those of the leg's two stops, mixed at `t`; one row a place.

        Where predictions are mixed it is the text of the start until the end, unless texts are to
        be mixed nevertheless.
        """
        holds = self._mixes_predictions and not mixes_texts
        mix_tokens = EMBEDDING_MIXES[self.spec.interpolation]
        mixed = []
        for place in places:
            start, end = self.spec.legs[place.leg]
            at = float(place.t == 1.0) if holds else place.t
            t = torch.tensor([at], dtype=torch.float64)
            weights = self.spec.lora_weights(place.leg)
            texts = [self.text_of(start, weights[0]), self.text_of(end, weights[1])]
            if self.spec.middle:
                half = int(at >= 0.5)
                texts[1 - half], t = self._text_in_middle(*weights), 2.0 * t - half
            mixed.append(mix_conditioning(texts[0], texts[1], t, mix_tokens))
        return self.with_guidance(
            concatenate(mixed), self.spec.guidance if self.spec.guided else 1.0
        )

    def with_guidance(self, conditioning: Conditioning, guidance: float) -> Conditioning:
        """The same, with the guidance as a number where the network reads it as one."""
        if self.runner.model.guidance != "embedded":
            return conditioning
        scale = torch.full((len(conditioning),), guidance)
        return replace(conditioning, extra={**conditioning.extra, "guidance": scale})


def _seeds(stop: Stop) -> SeedMix:
    """The seed of a stop's noise; of a frame of another walk those around it, and its place."""
    if stop.between is None:
        return stop.seed
    return _seeds(stop.between.start), _seeds(stop.between.end), stop.between.t
