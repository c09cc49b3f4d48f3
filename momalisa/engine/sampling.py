"""Batched, guided denoising over any callable model, which can be halted and branched off."""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from momalisa.engine.interpolation import lerp, slerp

Mix = Callable[[Tensor, Tensor, Tensor], Tensor]
Denoiser = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(latents (n, c, h, w), time (), words (n, tokens, width)) -> prediction like the latents."""


class Scheduler(Protocol):
    """What denoising needs of a diffusers scheduler."""

    timesteps: Tensor
    init_noise_sigma: Any

    def set_timesteps(
        self,
        num_inference_steps: int | None = None,
        *,
        device: torch.device,
        timesteps: list[int] | None = None,
    ) -> None:
        """Choose the times of a run, by their number or one by one."""

    def scale_model_input(self, sample: Tensor, timestep: Tensor) -> Tensor:
        """Bring latents to the scale that the model expects at a time."""

    def step(self, model_output: Tensor, timestep: Tensor, sample: Tensor, **extra: Any) -> Any:
        """Go one step from a prediction."""


@dataclass(frozen=True)
class Guidance:
    """Classifier-free guidance (Ho & Salimans 2022): uncond + scale * (cond - uncond).

    `silence` (tokens, width) is the negative prompt's embedding, None for no guidance. Only the
    first `steps` steps are guided, since late ones change little (Kynkäänniemi et al. 2024);
    None guides them all.
    """

    silence: Tensor | None = None
    scale: float = 1.0
    steps: int | None = None

    def at(self, step: int) -> Tensor | None:
        """The silence of a guided step; None for one that is not."""
        return self.silence if self.steps is None or step < self.steps else None


@dataclass(frozen=True)
class Course:
    """Latents (n, c, h, w) that are `done` steps on their way to clean ones.

    `samples` rows went through the model for them. The scheduler is the course's own: multistep
    solvers keep a history.
    """

    latents: Tensor
    scheduler: Any
    done: int = 0
    samples: int = 0

    @classmethod
    def start(
        cls, scheduler: Scheduler, noise: Tensor, steps: int, times: Sequence[int] = ()
    ) -> Self:
        """Set out from `noise` (n, c, h, w) of unit variance, with `steps` steps to go.

        They are taken at the scheduler's own times, or at these.
        """
        own = copy.deepcopy(scheduler)
        if times:
            own.set_timesteps(timesteps=list(times), device=noise.device)
        else:
            own.set_timesteps(steps, device=noise.device)
            # Rounding can give one too many, before the first: DDIM's "trailing" at 61 steps.
            own.timesteps = own.timesteps[own.timesteps >= 0]
        return cls(noise * own.init_noise_sigma, own)


def split(course: Course) -> list[Course]:
    """Each sample as a course of its own; the samples so far are counted for none of them."""
    return [part(course, slice(row, row + 1)) for row in range(len(course.latents))]


def part(course: Course, rows: slice) -> Course:
    """Some of a batch's rows as a course of their own, without the samples so far."""
    past = [None if x is None else x[rows] for x in _past(course)]
    return _remade(course, course.latents[rows], past)


def gather(courses: Sequence[Course]) -> Course:
    """Courses that are as far as each other, as one batch, without the samples so far."""
    latents = torch.cat([course.latents for course in courses])
    pasts = zip(*(_past(course) for course in courses), strict=True)
    return _remade(courses[0], latents, [None if p[0] is None else torch.cat(p) for p in pasts])


def blend(start: Course, end: Course, t: Tensor) -> Course:
    """The courses between those of two batches, sample by sample at `t` (n,).

    Latents, which are noise in part, go on the arc; the solver's history, which is of clean
    latents, on the line.
    """
    pasts = zip(_past(start), _past(end), strict=True)
    history = [None if a is None or b is None else _by_row(lerp, a, b, t) for a, b in pasts]
    return _remade(start, _by_row(slerp, start.latents, end.latents, t), history)


def _by_row(mix: Mix, starts: Tensor, ends: Tensor, t: Tensor) -> Tensor:
    rows = zip(starts, ends, t.reshape(-1, 1), strict=True)
    return torch.cat([mix(start, end, at) for start, end, at in rows])


def _past(course: Course) -> list[Tensor | None]:
    """What a multistep solver remembers."""
    return list(getattr(course.scheduler, "model_outputs", ()))


def _remade(course: Course, latents: Tensor, past: list[Tensor | None]) -> Course:
    scheduler = copy.deepcopy(course.scheduler)
    if past:
        scheduler.model_outputs = past
    return Course(latents, scheduler, course.done)


@torch.no_grad()
def advance(
    course: Course,
    model: Denoiser,
    words: Tensor,
    guidance: Guidance,
    *,
    until: int | None = None,
    generators: Sequence[torch.Generator] = (),
) -> Course:
    """Take a course on to step `until` (None: to its end), where its latents are clean.

    `words` (n, tokens, width) condition each sample; a guided step sends two rows a sample
    through the model. `generators`, one a sample, feed schedulers that draw noise of their own.
    """
    scheduler = copy.deepcopy(course.scheduler)
    draws = generators and "generator" in inspect.signature(scheduler.step).parameters
    extra: dict[str, Any] = {"generator": list(generators)} if draws else {}
    latents, samples = course.latents, course.samples
    last = len(scheduler.timesteps) if until is None else until
    for step in range(course.done, last):
        time = scheduler.timesteps[step]
        silence = guidance.at(step)
        if silence is None:
            prediction = model(scheduler.scale_model_input(latents, time), time, words)
        else:
            doubled = scheduler.scale_model_input(torch.cat([latents, latents]), time)
            both = torch.cat([silence.expand_as(words), words])
            unconditional, conditional = model(doubled, time, both).chunk(2)
            prediction = unconditional + guidance.scale * (conditional - unconditional)
        samples += len(latents) if silence is None else 2 * len(latents)
        latents = scheduler.step(prediction, time, latents, **extra, return_dict=False)[0]
    return replace(course, latents=latents, scheduler=scheduler, done=last, samples=samples)
