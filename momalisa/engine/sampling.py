"""Batched, guided sampling with any model, which can be halted half way and branched off."""

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from momalisa.engine.conditioning import Conditioning, Mix, concatenate
from momalisa.engine.interpolation import lerp, slerp
from momalisa.engine.step_noise import SeededNoise, StepNoise
from momalisa.errors import BadInput

Predict = Callable[[Tensor, Tensor, Conditioning], Tensor]
"""(latents (n, c, h, w), time (), conditions of n) -> prediction of the latents' shape."""


@dataclass(frozen=True)
class Sampler:
    """A scheduler and the steps of a run: `timesteps`, or as many as `steps` says."""

    scheduler: Any
    steps: int
    timesteps: tuple[int, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else a family's `set_timesteps` takes: a shift by size, say."""

    def start(self, noise: Tensor) -> "SamplingState":
        """The state before the first step, from noise (n, c, h, w) of unit variance.

        Raises BadInput for more steps than the scheduler has, or too few.
        """
        own = _copy_scheduler(self.scheduler)
        if self.timesteps:
            own.set_timesteps(timesteps=list(self.timesteps), device=noise.device, **self.options)
        else:
            most = getattr(own, "config", {}).get("original_inference_steps")
            if most and self.steps > most:  # a consistency model's
                raise BadInput(f"The model paints in at most {most} steps. Please choose fewer.")
            try:
                own.set_timesteps(self.steps, device=noise.device, **self.options)
            except ValueError as error:  # PNDM's warm-up, say, takes four
                raise BadInput(
                    f"The model's scheduler does not paint in {self.steps} "
                    f"{'step' if self.steps == 1 else 'steps'}. Please choose another number."
                ) from error
            # Rounding can give one too many, before the first: DDIM's "trailing" at 61 steps. Other
            # schedulers have logarithms of noise levels there, which may be negative as well.
            own.timesteps = own.timesteps[own.timesteps != -1]
        return SamplingState(noise * getattr(own, "init_noise_sigma", 1.0), own)


@dataclass(frozen=True)
class SamplingState:
    """Latents (n, c, h, w) that are `done` steps on their way to clean ones.

    `samples` rows went through the model for them. The scheduler is the state's own: multistep
    solvers keep a history.
    """

    latents: Tensor
    scheduler: Any
    done: int = 0
    samples: int = 0
    steps: int | None = None
    """How many of the scheduler's times are steps, where not all are."""


@dataclass(frozen=True)
class Guidance:
    """Classifier-free guidance (Ho & Salimans 2022): uncond + scale * (cond - uncond).

    `negative` is the negative prompt's conditioning, one row for all samples or one for each; None
    for no guidance. Only the first `steps` steps are guided, since late ones change little
    (Kynkäänniemi et al. 2024); None guides them all. `normalise` makes of the guided prediction,
    and the conditional one, what is used.
    """

    negative: Conditioning | None = None
    scale: float = 1.0
    steps: int | None = None
    normalise: Callable[[Tensor, Tensor], Tensor] = lambda guided, _conditional: guided

    def __getitem__(self, rows: slice) -> "Guidance":
        """The same for a slice of the samples."""
        if self.negative is None or len(self.negative) == 1:
            return self
        return replace(self, negative=self.negative[rows])

    def guides(self, step: int) -> bool:
        """Whether a step is guided."""
        return self.negative is not None and (self.steps is None or step < self.steps)


def split(state: SamplingState) -> list[SamplingState]:
    """One state for each sample, which count no model evaluations so far."""
    return [take(state, slice(row, row + 1)) for row in range(len(state.latents))]


def take(state: SamplingState, rows: slice) -> SamplingState:
    """Some of a batch's rows as a state of their own, which counts no evaluations so far."""
    history = {
        name: [None if x is None else x[rows] for x in remembered]
        for name, remembered in _history(state).items()
    }
    return _with(state, state.latents[rows], history)


def gather(states: Sequence[SamplingState]) -> SamplingState:
    """States that are as far as each other as one batch, which counts no evaluations so far."""
    latents = torch.cat([state.latents for state in states])
    histories = [_history(state) for state in states]
    joined = {
        name: [
            None if rows[0] is None else torch.cat(rows)
            for rows in zip(*(history[name] for history in histories), strict=True)
        ]
        for name in histories[0]
    }
    return _with(states[0], latents, joined)


def blend_states(start: SamplingState, end: SamplingState, t: Tensor) -> SamplingState:
    """The states between those of two batches, sample by sample at `t` (n,).

    Latents, which are noise in part, go on the arc, those that a solver remembers, too; what else
    it remembers, which is of clean latents, on the line.
    """
    ends = _history(end)
    mixed = {
        name: [
            None if a is None or b is None else _interpolate_rows(_MIX.get(name, lerp), a, b, t)
            for a, b in zip(remembered, ends[name], strict=True)
        ]
        for name, remembered in _history(start).items()
    }
    return _with(start, _interpolate_rows(slerp, start.latents, end.latents, t), mixed)


def _interpolate_rows(interpolate: Mix, starts: Tensor, ends: Tensor, t: Tensor) -> Tensor:
    rows = zip(starts, ends, t.reshape(-1, 1), strict=True)
    return torch.cat([interpolate(start, end, at) for start, end, at in rows])


_LATENTS = ("sample", "cur_sample", "last_sample")
_PREDICTIONS = ("model_outputs", "ets", "cur_model_output", "derivatives", "prev_derivative")
"""Under which names schedulers remember latents and predictions of the steps before, by rows."""
_MIX: Mapping[str, Mix] = dict.fromkeys(_LATENTS, slerp)

_History = dict[str, list[Tensor | None]]


def _history(state: SamplingState) -> _History:
    """What a solver remembers of a batch's rows, by the name of its attribute."""
    found = {name: getattr(state.scheduler, name, None) for name in (*_LATENTS, *_PREDICTIONS)}
    return {
        name: value if isinstance(value, list) else [value]
        for name, value in found.items()
        if isinstance(value, list | Tensor)
    }


def _with(state: SamplingState, latents: Tensor, history: _History) -> SamplingState:
    scheduler = _copy_scheduler(state.scheduler)
    for name, remembered in history.items():
        several = isinstance(getattr(scheduler, name), list)
        setattr(scheduler, name, remembered if several else remembered[0])
    return replace(state, latents=latents, scheduler=scheduler, samples=0)


def _copy_scheduler(scheduler: Any) -> Any:
    """A scheduler with a state of its own; its settings, which no run changes, are shared.

    They can be lists of a thousand numbers, which took longer to copy than a step takes.
    """
    settings = getattr(scheduler, "_internal_dict", None)
    return copy.deepcopy(scheduler, {id(settings): settings})


@torch.no_grad()
def advance(
    state: SamplingState,
    predict: Predict,
    conditioning: Conditioning | Sequence[Conditioning],
    guidance: Guidance,
    *,
    until: int | None = None,
    noises: Sequence[StepNoise] = (),
) -> SamplingState:
    """Go on to step `until` (None: to the end, where latents are clean).

    The conditioning is that of all steps, or one for each in turn; the last goes on. A guided step
    sends two rows a sample through the model. `noises`, one a sample, feed schedulers that add
    noise.
    """
    scheduler = _copy_scheduler(state.scheduler)
    takes = inspect.signature(scheduler.step).parameters
    draws = noises and "generator" in takes
    generators = [noise.generators[0] for noise in noises]
    extra: dict[str, Any] = {"generator": generators} if draws else {}
    if "eta" in takes:
        extra["eta"] = 0.0  # as the stock pipelines do, whatever the scheduler would
    latents, samples = state.latents, state.samples
    last = (state.steps or len(scheduler.timesteps)) if until is None else until
    texts = [conditioning] if isinstance(conditioning, Conditioning) else conditioning
    with_negative = texts
    if guidance.negative is not None:
        shared = len(guidance.negative) == 1
        negative = guidance.negative.repeat(len(latents)) if shared else guidance.negative
        with_negative = [concatenate([negative, text]) for text in texts]
    for step in range(state.done, last):
        turn = min(step - state.done, len(texts) - 1)
        time = scheduler.timesteps[step]
        guided = guidance.guides(step)
        if not guided:
            prediction = predict(_scale(scheduler, latents, time), time, texts[turn])
        else:
            doubled = _scale(scheduler, torch.cat([latents, latents]), time)
            unconditional, conditional = predict(doubled, time, with_negative[turn]).chunk(2)
            guided_one = unconditional + guidance.scale * (conditional - unconditional)
            prediction = guidance.normalise(guided_one, conditional)
        samples += 2 * len(latents) if guided else len(latents)
        with SeededNoise(noises if draws else ()):
            latents = scheduler.step(prediction, time, latents, **extra, return_dict=False)[0]
    return replace(state, latents=latents, scheduler=scheduler, done=last, samples=samples)


def _scale(scheduler: Any, latents: Tensor, time: Tensor) -> Tensor:
    """Latents at the scale that the model expects at a time; most schedules know of no other."""
    if not hasattr(scheduler, "scale_model_input"):
        return latents
    return scheduler.scale_model_input(latents, time)  # type: ignore[no-any-return]
