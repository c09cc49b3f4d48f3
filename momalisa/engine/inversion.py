"""The noise that a model would have painted a picture from, and frames that start from a picture.

*Inversion* goes a run's steps backwards, each solved by fixed-point iterations (Pan et al. 2023;
guidance 1), and makes the noise that it finds like noise again: each channel gets mean 0, variance
1, a flat spectrum and neighbours that are not alike (see arXiv 2505.07481 on what inverted noise
lacks). A frame that starts from a picture begins at any level of noise: `denoise` takes the steps
below it.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from momalisa.engine.conditioning import Conditioning, concatenate
from momalisa.engine.noise_schedule import CLEAN, Level, NoiseSchedule, extrapolate, go_to
from momalisa.engine.runner import ModelRunner
from momalisa.engine.sampling import Guidance
from momalisa.engine.step_noise import StepNoise

DAMPING = 0.5
"""How much of its way a fixed-point iteration goes; all of it would swing about the solution."""
LEFT = 0.03
"""How alike neighbours may be in noise that counts as Gaussian; of drawn noise 0.05 at most."""
PARTINGS = 8
"""How often what is above that is taken out; once is mostly enough."""

PredictLevel = Callable[[Tensor, Level], Tensor]
"""(latents (n, c, h, w), level) -> prediction of the latents' shape."""
PredictAt = Callable[[Tensor, Tensor, Conditioning, Level], Tensor]
"""As `sampling.Predict`, told the level of noise besides."""


@torch.no_grad()
def invert(
    clean: Tensor, schedule: NoiseSchedule, predict: PredictLevel, iterations: int
) -> tuple[Tensor, int]:
    """Noise (n, c, h, w) of variance 1 that leads to clean latents, and the predictions it took.

    Steps of first order lead back to them the better, the more steps and iterations there are.
    """
    latents, samples = clean, 0
    levels = [*schedule.steps, CLEAN]
    for level, target in zip(reversed(schedule.steps), reversed(levels[1:]), strict=True):
        factor, slope = schedule.slopes(level, target)
        guess = latents
        for iteration in range(max(1, iterations)):
            found = (latents - slope * predict(guess, level)) / factor
            guess = found if iteration == 0 else guess + DAMPING * (found - guess)
            samples += len(latents)
        latents = guess
    return latents / (schedule.steps[0].noise * schedule.deviation), samples


def make_gaussian(noise: Tensor) -> Tensor:
    """Noise (n, c, h, w) with mean 0, variance 1 and a flat spectrum in each channel.

    Inverted noise still has shapes of its picture: neighbours are alike. Each frequency keeps its
    phase, and its power is divided by that of those around it; then what is left is taken out where
    it is more than LEFT. Drawn noise hardly changes.
    """
    waves = torch.fft.fft2(_standardise(noise.float()))
    shifts = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    around = [waves.abs().square().roll(shift, (-2, -1)) for shift in shifts]
    power = torch.stack(around).mean(0).clamp_min(1e-6)
    flat = _standardise(torch.fft.ifft2(waves / power.sqrt()).real)
    return torch.cat([_part_neighbours(one[None]) for one in flat])


def _part_neighbours(noise: Tensor) -> Tensor:
    """One sample's noise (1, c, h, w), whose neighbours are alike by LEFT at most.

    A spectrum takes each row's end for a neighbour of its beginning. Where these are opposites, as
    of a picture that is light above and dark below, it is flat though neighbours are alike.
    """
    for _ in range(PARTINGS):
        pairs = [(distance, axis) for distance in (1, 2) for axis in (-2, -1)]
        found = [
            (_likeness(noise, *pair), *pair) for pair in pairs if pair[0] < noise.shape[pair[1]]
        ]
        if all(abs(alike) <= LEFT for alike, _, _ in found):
            break
        shares = [alike / 2 * _sum_neighbours(noise, *pair) for alike, *pair in found]
        noise = _standardise(noise - torch.stack(shares).sum(0))
    return noise


def _likeness(noise: Tensor, distance: int, axis: int) -> float:
    """The autocorrelation of noise with mean 0, within its edges, at a distance along an axis."""
    length = noise.shape[axis] - distance
    products = noise.narrow(axis, distance, length) * noise.narrow(axis, 0, length)
    return float(products.mean() / noise.square().mean())


def _sum_neighbours(noise: Tensor, distance: int, axis: int) -> Tensor:
    length, total = noise.shape[axis] - distance, torch.zeros_like(noise)
    total.narrow(axis, distance, length).add_(noise.narrow(axis, 0, length))
    total.narrow(axis, 0, length).add_(noise.narrow(axis, distance, length))
    return total


def _standardise(noise: Tensor) -> Tensor:
    mean = noise.mean((2, 3), keepdim=True)
    deviation = noise.std((2, 3), keepdim=True, correction=0).clamp_min(1e-6)
    return (noise - mean) / deviation


@torch.no_grad()
def denoise(
    latents: Tensor,
    start: Level,
    schedule: NoiseSchedule,
    predict: PredictLevel,
    *,
    noise: StepNoise | None = None,
) -> Tensor:
    """Clean latents of one sample (1, c, h, w) at a level.

    `noise` feeds schedules that renew it.
    """
    levels = [*schedule.steps_from(start), CLEAN]
    draws = _draws(len(schedule.steps), latents, noise) if schedule.renews_noise else []
    found: list[Tensor] = []
    for step, (level, target) in enumerate(pairwise(levels)):
        found = [*found[-1:], schedule.clean(latents, predict(latents, level), level)]
        clean = found[-1]
        if schedule.second_order and len(found) == 2 and target != CLEAN:
            clean = extrapolate(found, levels[step - 1 : step + 2])
        if draws and target != CLEAN:
            fresh = draws[len(schedule.steps) - len(levels) + 1 + step] * schedule.deviation
            latents = target.signal * clean + target.noise * fresh
        else:
            latents = go_to(latents, clean, level, target)
    return latents


def _draws(steps: int, like: Tensor, noise: StepNoise | None) -> list[Tensor]:
    """What is drawn at each of a run's steps; a run that starts later leaves the first ones out."""
    if noise is None:
        raise ValueError("this schedule needs noise at each step")

    def draw(generator: torch.Generator) -> Tensor:
        return torch.randn(like.shape, generator=generator)

    return [noise.draw(draw).to(like) for _ in range(steps)]


def predict_unguided(
    runner: ModelRunner, text: Conditioning, schedule: NoiseSchedule
) -> PredictLevel:
    """The model's `predict` for one text, without guidance, that takes a noise level for a time."""
    return predict_guided(runner, text, Guidance(), schedule)[0]


def predict_guided(
    runner: ModelRunner,
    text: Conditioning,
    guidance: Guidance,
    schedule: NoiseSchedule,
    network: PredictAt | None = None,
) -> tuple[PredictLevel, Callable[[], int]]:
    """A model's predictions for one sample, told a level, and how many rows they took so far.

    `network` predicts in place of the model; the conditional row is the last one.
    """
    device, dtype = runner.device, runner.model.dtype
    text = text.to(device, dtype)
    negative = None if guidance.negative is None else guidance.negative.to(device, dtype)
    rows = 0

    def predict(latents: Tensor, level: Level) -> Tensor:
        nonlocal rows
        runner.on_step()
        time = torch.tensor(round(level.time) if schedule.whole_times else level.time)
        both, texts = latents, text
        guides = negative is not None and guidance.guides(_step_of(level, schedule.steps))
        if negative is not None and guides:
            both, texts = torch.cat([latents] * 2), concatenate([negative, text])
        rows += len(both)
        both, time = both.to(device, dtype), time.to(device)
        found = network(both, time, texts, level) if network else runner.predict(both, time, texts)
        found = found.to(latents)
        if not guides:
            return found
        unconditional, conditional = found.chunk(2)
        mixed = unconditional + guidance.scale * (conditional - unconditional)
        return guidance.normalise(mixed, conditional)

    return predict, lambda: rows


def _step_of(level: Level, steps: Sequence[Level]) -> int:
    """The index of the step that a level is in: the last one with at least its noise."""
    return max(0, sum(step.angle >= level.angle - 1e-6 for step in steps) - 1)
