"""Samples walks by attention: early steps at a few anchors of a leg, from both of its ends.

In the early steps a picture takes shape: at the ends and the middle of a leg (its anchors) they are
taken as `engine.attention` says. Every frame branches off from between the two anchors beside it,
so that no composition leaps, and takes the late steps by itself. There its text hastens from that
of one end to that of the other, so that a frame shows one picture and not two. Then the leg is
probed, and frames lie where it changes evenly (`leg_curve`).

A prompt for the middle, after AID's guide prompts, is the text there, and comes in from either end.
Eight pairs, with prompts that name something of both ends (Atelier, 24 frames, linear pacing,
2026-11-27), without and with it: sharpness 0.54 and 0.62, double exposures 5.1 and 4.5 %, certainty
of manner halfway 0.75 and 0.78, largest step 1.75 and 1.77, as many samples.

Where a scheduler's runs cannot branch off, each frame takes all steps by itself, and lies where it
is on the leg.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

import torch
from torch import Tensor

from momalisa.engine.attention import Between, Tokens, hasten, weigh_end
from momalisa.engine.conditioning import Conditioning
from momalisa.engine.frame_cache import DECIMALS, frame_key
from momalisa.engine.latents import LatentSampler
from momalisa.engine.leg_curve import Curve, fit_curve
from momalisa.engine.prediction_mix import Toward
from momalisa.engine.sampling import SamplingState, blend_states, gather, split
from momalisa.engine.shortcuts import ATTENDING_ANCHORS
from momalisa.engine.step_noise import StepNoise
from momalisa.spec import Place

AT_ONCE = 2
"""Probes in a batch. It is fixed, so that a leg's curve does not depend on the batch size."""
OF_SMALL_AT_ONCE = 8
"""The same of a small network, whose rows take less time in larger batches."""


@dataclass(frozen=True)
class Ends:
    """What is known of a leg's two ends."""

    steps: Sequence[Tokens]
    """Their tokens, at each of the steps that are taken for both ends."""
    early: SamplingState
    """After these steps."""
    clean: SamplingState


@dataclass(frozen=True)
class Leg:
    """What the frames of a leg need besides their places."""

    anchors: Sequence[SamplingState]
    """After the early steps, equally far apart on the leg."""
    curve: Curve
    probes: Mapping[float, Tensor]
    """Clean latents (c, h, w) that were sampled for the curve, by the place of their frame."""


class AttentionSampler(LatentSampler):
    """Samples latents at places of one walk, by attention if that is its interpolation."""

    _ends: tuple[int, Ends] | None = None
    """Those of one leg, with its number."""
    _spent = 0
    """Model samples that no frame has been charged with."""

    def sample(self, places: Sequence[Place]) -> tuple[Tensor, int]:
        """Clean latents (n, c, h, w) at places as one batch, and the model samples they took."""
        if not self.plan.attending:
            return super().sample(places)
        self.use_loras()
        groups: dict[int | None, list[int]] = {}
        for row, place in enumerate(places):
            groups.setdefault(None if place.t in (0.0, 1.0) else place.leg, []).append(row)
        latents: dict[int, Tensor] = {}
        for leg, rows in groups.items():
            some = [places[row] for row in rows]
            found = self._sample_stops(some) if leg is None else self._sample_leg(leg, some)
            latents |= zip(rows, found, strict=True)
        spent, self._spent = self._spent, 0
        return torch.stack([latents[row] for row in range(len(places))]), spent

    def probed(self, leg: int) -> list[float]:
        """The places inside a leg that were sampled for its curve."""
        if not self.plan.attending or not self.plan.trunk_steps:
            return super().probed(leg)
        self.use_loras()
        return list(self.leg(leg).probes)

    def leg(self, leg: int) -> Leg:
        """A leg's anchors and curve; found once, for the stills of a walk as well."""
        key = frame_key(self.spec, Place(leg, 0.5), self.runner.model.digest)
        return self.runner.keep(("leg", key), lambda: self._explore(leg))

    def _sample_stops(self, places: Sequence[Place]) -> Tensor:
        """Latents of stops, each by itself."""
        leg = places[0].leg
        if list(places) == _both_ends(leg):  # whose tokens are needed next
            return self._ends_of(leg).clean.latents
        return self._go_on(self._start(places), places, self.step_noises_at(places)).latents

    def _sample_leg(self, leg: int, places: Sequence[Place]) -> Tensor:
        """Latents of places inside a leg."""
        if not self.plan.trunk_steps:
            noises = self.step_noises_at(places)
            return self._go_on(self._start(places), places, noises, attends=True).latents
        known = self.leg(leg)
        found = [known.probes.get(round(place.t, DECIMALS)) for place in places]
        lie = [
            Place(leg, known.curve(place.t))
            for place, probe in zip(places, found, strict=True)
            if probe is None
        ]
        rest = iter(self._branch(known.anchors, lie) if lie else ())
        return torch.stack([next(rest) if probe is None else probe for probe in found])

    def _explore(self, leg: int) -> Leg:
        ends = self._ends_of(leg)
        start, end = split(ends.early)
        parts = range(1, ATTENDING_ANCHORS)
        middle = [self._anchor_at(Place(leg, part / ATTENDING_ANCHORS)) for part in parts]
        anchors = [start, *middle, end]
        at_once = OF_SMALL_AT_ONCE if self.runner.is_small else AT_ONCE

        def probe(places: Sequence[float]) -> Tensor:
            found = []
            for first in range(0, len(places), at_once):
                some = [Place(leg, t) for t in places[first : first + at_once]]
                found.append(self._branch(anchors, some))
            return torch.cat(found)

        curve, found = fit_curve(ends.clean.latents, probe)
        inside = list(found.items())[1:-1]
        return Leg(anchors, curve, {round(share, DECIMALS): latents for share, latents in inside})

    def _anchor_at(self, place: Place) -> SamplingState:
        """The state inside a leg after the early steps, some of which are taken for both ends."""
        until = self.plan.trunk_steps
        return self._go_on(self._start([place]), [place], until=until, attends=True)

    def _branch(self, anchors: Sequence[SamplingState], places: Sequence[Place]) -> Tensor:
        """Clean latents at places of a leg, each from between the two anchors beside it."""
        parts = [place.t * (len(anchors) - 1) for place in places]
        low, high = (gather([anchors[edge(part)] for part in parts]) for edge in (floor, ceil))
        t = torch.tensor([part - floor(part) for part in parts], dtype=torch.float64)
        state = blend_states(low, high, t)
        steps = len(state.scheduler.timesteps)
        texts = [
            self.conditioning_at([self._hasten(place, step / steps) for place in places])
            for step in range(state.done, steps)
        ]
        return self._go_on(state, places, texts=texts).latents

    def _hasten(self, place: Place, progress: float) -> Place:
        """Where the text of a place is taken in a step: nearer to the nearest prompt."""
        if not self.spec.middle:
            return Place(place.leg, hasten(place.t, progress))
        half = 0.5 if place.t > 0.5 else 0.0
        return Place(place.leg, half + hasten(2.0 * (place.t - half), progress) / 2.0)

    def _go_on(
        self,
        state: SamplingState,
        places: Sequence[Place],
        noises: Sequence[StepNoise] = (),
        *,
        until: int | None = None,
        texts: Sequence[Conditioning] = (),
        attends: bool = False,
    ) -> SamplingState:
        """Sample on; with `attends`, at places of one leg, from both its ends in some steps.

        `texts` are those of each step, if they are not the places' own.
        """
        before = state.samples
        between = self._between(places) if attends else None
        state = self.runner.advance(
            state,
            texts or self.conditioning_at(places),
            self.guidance_at(places),
            noises=noises,
            until=until,
            between=between,
            weights=self.weights_at(places),
        )
        twice = len(between.steps) * len(places) if between else 0
        self._spent += state.samples - before + twice
        return state

    def _between(self, places: Sequence[Place]) -> Between:
        """What places of one leg need of its ends."""
        # The prompt for the middle, if there is one, comes in from either end.
        half = 0.5 if self.spec.middle else 0.0
        starts, ends = (
            self.conditioning_at([Place(place.leg, side(place.t, at)) for place in places])
            for side, at in ((min, half), (max, 1.0 - half))
        )
        steps = self._ends_of(places[0].leg).steps
        toward = Toward(weigh_end(torch.tensor([place.t for place in places])), ends)
        return Between(starts, toward, self.plan.attending.start, steps)

    def _ends_of(self, leg: int) -> Ends:
        """What is known of a leg's ends; of the last leg it is kept."""
        if self._ends is None or self._ends[0] != leg:
            self._ends = leg, self._record_ends(leg)
        return self._ends[1]

    def _record_ends(self, leg: int) -> Ends:
        ends = _both_ends(leg)
        noises = self.step_noises_at(ends)
        tokens, early = self.runner.record_ends(
            self._start(ends),
            self.conditioning_at(ends),
            self.guidance_at(ends),
            noises=noises,
            steps=self.plan.attending,
            weights=self.weights_at(ends),
        )
        self._spent += early.samples
        return Ends(tokens, early, self._go_on(early, ends, noises))


def _both_ends(leg: int) -> list[Place]:
    return [Place(leg, 0.0), Place(leg, 1.0)]
