"""Runs a model's batches on its device: split over CPU cores, a small network traced."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import count
from typing import Any, TypeVar

import torch
from torch import Tensor

from momalisa.engine import attention
from momalisa.engine.attention import Between, PredictBetween, RecordTokens, Tokens
from momalisa.engine.conditioning import Conditioning
from momalisa.engine.cpu_batching import CpuBatching
from momalisa.engine.frame_cache import Frame
from momalisa.engine.jit_trace import CELLS, traced
from momalisa.engine.lora_weights import Weights, take_rows, weighed
from momalisa.engine.model import DiffusionModel
from momalisa.engine.prediction_mix import Toward, mix_predictions
from momalisa.engine.sampling import Guidance, Predict, SamplingState, advance, gather, take
from momalisa.engine.step_noise import StepNoise
from momalisa.loras import Lora
from momalisa.prompt_weights import WeightedPrompt

T = TypeVar("T")

SMALL = 100_000_000
"""Weights of a network up to which Python's overhead between operations counts."""

WORTH_TRACING = 140
"""Samples of a network after which it is traced: in these, Python took as long as tracing takes."""

REMEMBERED = 32
"""Calls whose encoded prompts are kept: pictures of one walk are asked for one after another."""

KEPT = 4
"""Encoded pictures that are kept between calls: at a film's size some 40 MB each."""


class ModelRunner:
    """Samples and decodes with a model: the numbers are the model's, in less time."""

    def __init__(self, model: DiffusionModel, seconds_to_load: float = 0.0) -> None:
        self.model = model
        self.seconds_to_load = seconds_to_load
        self.distilled = False
        """Whether the checkpoint was distilled to few steps, which no shortcut may replace."""
        self.rough_decoder: Callable[[Tensor], list[Frame]] | None = None
        """Decodes latents (n, c, h, w) roughly in little time, if there is such a decoder."""
        self.on_step: Callable[[], None] = lambda: None
        """Called before each prediction and each decoding, in any thread; may raise to stop."""
        weights = sum(weight.numel() for weight in model.network.parameters())
        self.is_small = weights <= SMALL
        """Whether Python's overhead between the network's operations counts."""
        self._sampled = 0
        self._encoded: dict[tuple[object, ...], Conditioning] = {}
        self._loras: tuple[Lora, ...] = ()
        self._kept: dict[Hashable, Any] = {}
        self._batching = CpuBatching(model.device, small=self.is_small)

    @property
    def device(self) -> torch.device:
        """Where the model runs."""
        return self.model.device

    @property
    def is_quick(self) -> bool:
        """Whether frames come almost as fast as previews: from a small network in few steps."""
        return self.is_small and self.distilled

    @property
    def _traces(self) -> bool:
        """Whether the network is small and runs on the CPU, so that tracing it pays.

        A recording would know of no LoRA, or of one weight only.
        """
        may_trace = self.model.traceable and not self._loras
        return self.is_small and may_trace and self.model.device.type == "cpu"

    def use_loras(self, loras: Sequence[Lora]) -> None:
        """Load these LoRAs into the model, and no others, unless they are loaded.

        Raises BadInput for one that is not there or does not fit the model.
        """
        if {lora.digest for lora in loras} != {lora.digest for lora in self._loras}:
            self._loras = ()
            self._encoded.clear()
            self.model.load_loras(loras)
        self._loras = tuple(loras)

    @property
    def _trace_pays(self) -> bool:
        return self._traces and self._sampled >= WORTH_TRACING

    @property
    def predict(self) -> Predict:
        """The model's `predict`, traced where that pays."""
        return self._traced if self._trace_pays else self.model.predict

    @property
    def _record_tokens(self) -> RecordTokens:
        return attention.record_tokens(self._attached.predict)

    @property
    def _predict_between(self) -> PredictBetween:
        return attention.predict_between(self._attached.predict)

    @cached_property
    def _attached(self) -> DiffusionModel:
        """The model, whose attention layers can read the tokens of both ends."""
        attention.attach(self.model.network)
        return self.model

    @cached_property
    def _traced(self) -> Predict:
        return traced(self.model)

    def trace(self) -> None:
        """Trace the network now, if that ever pays: it takes about a second."""
        self._sampled = max(self._sampled, WORTH_TRACING)
        _ = self.predict

    def warm_up(self) -> None:
        """Encode a prompt, so that faults of the tokenizer and the text encoder show."""
        side = CELLS * self.model.latent_factor
        self.model.encode([""], side, side)

    def encode(
        self, prompts: Sequence[str], width: int, height: int, weights: Sequence[float] = ()
    ) -> Conditioning:
        """The model's `encode`, which remembers the prompts of the last few calls.

        `weights` are those of the LoRAs in use, of which some change the text encoders, too.
        """
        encode = partial(self._encode, self.model.encode, prompts, width, height, weights)
        return self._remember((tuple(prompts), width, height, weights), encode)

    def encode_negative(
        self, prompt: str, width: int, height: int, weights: Sequence[float] = ()
    ) -> Conditioning:
        """The model's `encode_negative`, remembered likewise."""
        encode = partial(self._encode, self.model.encode_negative, prompt, width, height, weights)
        return self._remember((prompt, width, height, weights), encode)

    def encode_weighted(
        self,
        prompt: WeightedPrompt,
        width: int,
        height: int,
        weights: Sequence[float] = (),
        *,
        negative: bool = False,
    ) -> Conditioning:
        """The model's `encode_weighted`, remembered likewise; without signs what it is without.

        `weights` are those of the LoRAs in use. Raises BadInput.
        """
        if prompt.is_plain:
            if negative:
                return self.encode_negative(prompt.text, width, height, weights)
            return self.encode([prompt.text], width, height, weights)
        model = partial(self.model.encode_weighted, negative=negative)
        encode = partial(self._encode, model, prompt, width, height, weights)
        return self._remember((prompt, width, height, weights, negative), encode)

    def _encode(
        self,
        encode: Callable[..., Conditioning],
        text: object,
        width: int,
        height: int,
        weights: Sequence[float],
    ) -> Conditioning:
        named = zip(self._loras, weights, strict=True) if weights else ()
        with weighed({lora.digest: torch.tensor([weight]) for lora, weight in named}):
            return encode(text, width, height)

    def _remember(
        self, question: tuple[object, ...], encode: Callable[[], Conditioning]
    ) -> Conditioning:
        found = self._encoded.pop(question, None) or encode()
        self._encoded[question] = found  # the last one in the order
        if len(self._encoded) > REMEMBERED:
            del self._encoded[next(iter(self._encoded))]
        return found

    def advance(
        self,
        state: SamplingState,
        conditioning: Conditioning | Sequence[Conditioning],
        guidance: Guidance,
        *,
        noises: Sequence[StepNoise] = (),
        until: int | None = None,
        between: Between | Toward | None = None,
        weights: Weights = {},  # noqa: B006, which is never changed
    ) -> SamplingState:
        """Sample on to step `until`, as `sampling.advance` does.

        With `between` predictions for both ends are mixed. `weights` are those of LoRAs in use.
        """
        # Before the threads ask for it:
        _ = self._predict_between if isinstance(between, Between) else self.predict
        if between is not None:
            between = between.to(self.model.device, self.model.dtype)

        def network(rows: slice) -> Predict:
            if isinstance(between, Between):
                return self._attending(between[rows])
            if between is not None:
                mixed = mix_predictions(self.predict, between[rows])
                return self._apart_from_guidance(mixed, rows.stop - rows.start)
            return self.predict

        return self._advance(state, conditioning, guidance, noises, until, network, weights)

    def record_ends(
        self,
        state: SamplingState,
        conditioning: Conditioning,
        guidance: Guidance,
        *,
        noises: Sequence[StepNoise],
        steps: range,
        weights: Weights = {},  # noqa: B006, which is never changed
    ) -> tuple[list[Tokens], SamplingState]:
        """The tokens of a leg's two ends at each of the steps, and the state after them."""
        _ = self._record_tokens  # before several threads ask for it
        kept: dict[int, list[Tokens]] = {}

        def network(rows: slice) -> Predict:
            own = kept.setdefault(rows.start, [])
            return self._recording(own, rows.stop - rows.start, steps.start)

        ends = self._advance(state, conditioning, guidance, noises, steps.stop, network, weights)
        by_step = zip(*(kept[start] for start in sorted(kept)), strict=True)
        return [tuple(map(torch.cat, zip(*parts, strict=True))) for parts in by_step], ends

    def _advance(
        self,
        state: SamplingState,
        conditioning: Conditioning | Sequence[Conditioning],
        guidance: Guidance,
        noises: Sequence[StepNoise],
        until: int | None,
        network: Callable[[slice], Predict],
        weights: Weights,
    ) -> SamplingState:
        """Sample on with a network of its own for each part of the batch."""
        device, dtype = self.model.device, self.model.dtype
        if guidance.negative is not None:
            guidance = replace(guidance, negative=guidance.negative.to(device, dtype))
        texts = [conditioning] if isinstance(conditioning, Conditioning) else conditioning
        texts = [text.to(device, dtype) for text in texts]

        def go(rows: slice) -> SamplingState:
            own = network(rows)

            def predict(latents: Tensor, time: Tensor, conditions: Conditioning) -> Tensor:
                self.on_step()
                return own(latents, time, conditions)

            with weighed(take_rows(weights, rows)):
                return advance(
                    take(state, rows),
                    predict,
                    [text[rows] for text in texts],
                    guidance[rows],
                    until=until,
                    noises=noises[rows],
                )

        parts = self._batching.run(go, len(state.latents))
        samples = state.samples + sum(part.samples for part in parts)
        self._sampled += samples - state.samples
        return replace(gather(parts), done=parts[0].done, samples=samples)

    def _recording(self, kept: list[Tokens], rows: int, first: int) -> Predict:
        """The model's `predict`, which adds conditional rows' tokens from a step on to `kept`."""
        steps = count()

        def record(latents: Tensor, time: Tensor, conditions: Conditioning) -> Tensor:
            if next(steps) < first:
                return self.predict(latents, time, conditions)
            prediction, tokens = self._record_tokens(latents, time, conditions)
            kept.append(tokens)
            return prediction

        return self._apart_from_guidance(record, rows)

    def _attending(self, between: Between) -> Predict:
        """The model's `predict`; in some steps conditional rows go for both ends of their leg."""
        steps = count(-between.first)

        def attend(latents: Tensor, time: Tensor, conditions: Conditioning) -> Tensor:
            step = next(steps)
            if step not in range(len(between.steps)):
                return self.predict(latents, time, conditions)
            ends = between.steps[step]
            return self._predict_between(latents, time, between.start, between.toward, ends)

        return self._apart_from_guidance(attend, len(between.start))

    def _apart_from_guidance(self, conditional: Predict, rows: int) -> Predict:
        """`conditional` for the last `rows` rows; unconditional ones before them go alone."""

        def predict(latents: Tensor, time: Tensor, conditions: Conditioning) -> Tensor:
            own = conditional(latents[-rows:], time, conditions[-rows:])
            if len(latents) == rows:
                return own
            return torch.cat([self.predict(latents[:rows], time, conditions[:rows]), own])

        return predict

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns; made once, as long as it is among the last few asked for."""
        found = self._kept.pop(key) if key in self._kept else make()
        self._kept[key] = found  # the last one in the order
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return found

    def run(self, work: Callable[[slice], T], rows: int) -> list[T]:
        """The results of `work` on each part of a batch, side by side on the cores of a CPU."""
        _ = self.predict  # before several threads ask for it
        return self._batching.run(work, rows)

    def decode(self, latents: Tensor, *, rough: bool = False) -> list[Frame]:
        """Frames (height, width, 3) of clean latents (n, c, h, w); rough ones if that is faster."""
        decoder = (self.rough_decoder if rough else None) or self.model.decode

        def decode(rows: slice) -> list[Frame]:
            self.on_step()
            return decoder(latents[rows])

        parts = self._batching.run(decode, len(latents))
        return [frame for some in parts for frame in some]
