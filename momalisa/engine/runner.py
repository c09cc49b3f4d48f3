"""Runs a model's batches on its device: split over CPU cores, a small network traced."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.cpu_batching import CpuBatching
from momalisa.engine.frame_cache import Frame
from momalisa.engine.jit_trace import CELLS, traced
from momalisa.engine.model import DiffusionModel
from momalisa.engine.sampling import Guidance, Predict, SamplingState, advance, gather, take

SMALL = 100_000_000
"""Weights of a network up to which Python's overhead between operations counts."""

REMEMBERED = 16
"""Calls whose encoded prompts are kept: pictures of one walk are asked for one after another."""


class ModelRunner:
    """Samples and decodes with a model: the numbers are the model's, in less time."""

    def __init__(self, model: DiffusionModel, seconds_to_load: float = 0.0) -> None:
        self.model = model
        self.seconds_to_load = seconds_to_load
        self.distilled = False
        """Whether the checkpoint was distilled to few steps, which no shortcut may replace."""
        self.on_step: Callable[[], None] = lambda: None
        """Called before each prediction and each decoding, in any thread; may raise to stop."""
        weights = sum(weight.numel() for weight in model.network.parameters())
        self._small = weights <= SMALL
        self._encoded: dict[tuple[str | int, ...], Conditioning] = {}
        self._batching = CpuBatching(model.device, small=self._small)

    @property
    def device(self) -> torch.device:
        """Where the model runs."""
        return self.model.device

    @cached_property
    def predict(self) -> Predict:
        """The model's `predict`, traced where the network is small and runs on the CPU."""
        if self._small and self.model.device.type == "cpu":
            return traced(self.model)
        return self.model.predict

    def warm_up(self) -> None:
        """Encode a prompt and trace the network now, so that faults show and no frame waits."""
        side = CELLS * self.model.latent_factor
        self.model.encode([""], side, side)
        _ = self.predict

    def encode(self, prompts: Sequence[str], width: int, height: int) -> Conditioning:
        """The model's `encode`, which remembers the prompts of the last few calls."""
        question: tuple[str | int, ...] = (*prompts, width, height)
        found = self._encoded.pop(question, None) or self.model.encode(prompts, width, height)
        self._encoded[question] = found  # the last one in the order
        if len(self._encoded) > REMEMBERED:
            del self._encoded[next(iter(self._encoded))]
        return found

    def advance(
        self,
        state: SamplingState,
        conditioning: Conditioning,
        guidance: Guidance,
        *,
        seeds: Sequence[int] = (),
        until: int | None = None,
    ) -> SamplingState:
        """Sample on to step `until`, as `sampling.advance` does.

        `seeds`, one a sample, feed schedulers that draw noise of their own.
        """
        device, dtype = self.model.device, self.model.dtype
        if guidance.negative is not None:
            guidance = replace(guidance, negative=guidance.negative.to(device, dtype))
        conditioning = conditioning.to(device, dtype)
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        network = self.predict

        def predict(latents: Tensor, time: Tensor, conditions: Conditioning) -> Tensor:
            self.on_step()
            return network(latents, time, conditions)

        def go(rows: slice) -> SamplingState:
            return advance(
                take(state, rows),
                predict,
                conditioning[rows],
                guidance,
                until=until,
                generators=generators[rows],
            )

        parts = self._batching.run(go, len(conditioning))
        samples = state.samples + sum(part.samples for part in parts)
        return replace(gather(parts), done=parts[0].done, samples=samples)

    def decode(self, latents: Tensor) -> list[Frame]:
        """Frames (height, width, 3) of clean latents (n, c, h, w)."""

        def decode(rows: slice) -> list[Frame]:
            self.on_step()
            return self.model.decode(latents[rows])

        parts = self._batching.run(decode, len(latents))
        return [frame for some in parts for frame in some]
