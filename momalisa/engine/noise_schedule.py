"""The noise schedule of any scheduler of diffusers, as levels between clean latents and noise.

The schedulers' own steps go from fixed times to fixed times. From a picture a frame starts at any
level, so what a step does is written here once: for schedules that keep the variance, for flows and
for angles; of first order, or of second (DPM-Solver++ 2M; Lu et al. 2022) where a scheduler is.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from torch import Tensor

from momalisa.engine import schedulers
from momalisa.engine.sampling import Sampler
from momalisa.errors import BadInput

Prediction = Literal["epsilon", "v_prediction", "sample", "flow"]
SHORTEST_STEP = 0.3
"""Of a second-order step: how short the step before it counts at least, in its own length. After a
very short one the direction would be that of rounding."""
_SILENT = 1e-4
"""A signal below this counts as so much where it is divided by."""


class Level(NamedTuple):
    """How much signal and noise latents have, and the time that the network is told of it."""

    signal: float
    noise: float
    time: float

    @property
    def angle(self) -> float:
        """From 0 for clean latents to a quarter turn for noise alone."""
        return math.atan2(self.noise, self.signal)


CLEAN = Level(1.0, 0.0, 0.0)


@dataclass(frozen=True)
class NoiseSchedule:
    """The levels of a run's steps, and of any time between them."""

    prediction: Prediction
    steps: tuple[Level, ...]
    """Of a run, the most noise first."""
    level_at: Callable[[float], Level]
    """The level of an angle."""
    whole_times: bool
    """Whether the network is told times in whole numbers."""
    deviation: float
    """Of the noise at full level; that of the latents is in proportion."""
    second_order: bool
    renews_noise: bool
    """Whether each step but the last adds new noise instead of what it found."""

    def clean(self, latents: Tensor, prediction: Tensor, level: Level) -> Tensor:
        """The clean latents that a prediction means."""
        match self.prediction:
            case "epsilon":
                signal = max(level.signal, _SILENT)
                return (latents - level.noise * prediction) / signal
            case "v_prediction":
                return level.signal * latents - level.noise * prediction
            case "flow":
                return latents - level.noise * prediction
        return prediction

    def slopes(self, level: Level, target: Level) -> tuple[float, float]:
        """A first-order step is `a * latents + b * prediction`: a and b."""
        kept = target.noise / max(level.noise, 1e-9)
        moved = target.signal - level.signal * kept
        match self.prediction:
            case "epsilon":
                signal = max(level.signal, _SILENT)
                return kept + moved / signal, -moved * level.noise / signal
            case "v_prediction":
                return kept + moved * level.signal, -moved * level.noise
            case "flow":
                return kept + moved, -moved * level.noise
        return kept, moved

    def start_at(self, share: float) -> tuple[Level, Level]:
        """The level of a share of a quarter turn to noise: as latents are mixed, and as they count.

        More noise than a run begins with counts as so much, as noise alone does.
        """
        mixed = self.level_at(share * math.pi / 2)
        return mixed, mixed if mixed.angle < self.steps[0].angle else self.steps[0]

    def steps_from(self, start: Level) -> list[Level]:
        """The levels of a run that starts at any level: that one, and the steps below it."""
        return [start, *(step for step in self.steps if step.angle < start.angle - 1e-6)]


def go_to(latents: Tensor, clean: Tensor, level: Level, target: Level) -> Tensor:
    """Latents at a lower noise level: one deterministic (DDIM) step towards the clean ones."""
    kept = target.noise / max(level.noise, 1e-9)
    return kept * latents + (target.signal - level.signal * kept) * clean


def extrapolate(clean: Sequence[Tensor], levels: Sequence[Level]) -> Tensor:
    """The clean latents in the middle of the next step, from the last two (DPM-Solver++ 2M).

    `levels` are those of the last two steps and of the target.
    """
    before, here, target = (_log_ratio(level) for level in levels)
    ratio = max((here - before) / max(target - here, 1e-9), SHORTEST_STEP)
    return clean[1] + (clean[1] - clean[0]) / (2.0 * ratio)


def _log_ratio(level: Level) -> float:
    return math.log(max(level.signal, _SILENT) / max(level.noise, _SILENT))


def read_schedule(sampler: Sampler, like: Tensor) -> NoiseSchedule:
    """The schedule of a sampler's run. Raises BadInput for a scheduler of another kind."""
    state = sampler.start(like)
    scheduler = state.scheduler
    times = [float(time) for time in scheduler.timesteps[: state.steps]]
    times = sorted(set(times), reverse=True)
    kind = schedulers.kind_of_schedule(scheduler)
    if kind is None:
        raise BadInput(
            "The scheduler of this model goes other ways than from noise to picture: "
            "it cannot walk from a picture. Please choose another model."
        )
    prediction, level_at, at_time, deviation = _KINDS[kind](scheduler)
    return NoiseSchedule(
        prediction,
        tuple(at_time(time) for time in times),
        level_at,
        not scheduler.timesteps.is_floating_point(),
        deviation,
        second_order=schedulers.is_second_order(scheduler),
        renews_noise=schedulers.renews_noise(scheduler),
    )


Kind = tuple[Prediction, Callable[[float], Level], Callable[[float], Level], float]


def _keeping_variance(scheduler: Any) -> Kind:
    """Signal and noise are cosine and sine of an angle, by the table of the training."""
    squares = scheduler.alphas_cumprod.double().cpu().numpy()
    angles = np.arccos(np.sqrt(np.clip(squares, 0.0, 1.0)))
    times = np.arange(len(angles))

    def of(angle: float, time: float) -> Level:
        return Level(math.cos(angle), math.sin(angle), time)

    return (
        scheduler.config.prediction_type,
        lambda angle: of(angle, float(np.interp(angle, angles, times))),
        lambda time: of(float(np.interp(time, times, angles)), time),
        1.0,
    )


def _flow(scheduler: Any) -> Kind:
    """Signal and noise add up to 1, and time is the noise's share."""
    whole = float(scheduler.config.num_train_timesteps)

    def of(noise: float) -> Level:
        return Level(1.0 - noise, noise, noise * whole)

    def level_at(angle: float) -> Level:
        return of(math.sin(angle) / (math.sin(angle) + math.cos(angle)))

    return "flow", level_at, lambda time: of(time / whole), 1.0


def _angle(scheduler: Any) -> Kind:
    """Time is the angle (TrigFlow; Lu & Song 2024)."""

    def of(angle: float) -> Level:
        return Level(math.cos(angle), math.sin(angle), angle)

    return "v_prediction", of, of, float(scheduler.config.sigma_data)


_KINDS = {"variance": _keeping_variance, "flow": _flow, "angle": _angle}
