"""Distils a guided teacher into a student of the same shape that needs four unguided evaluations.

Phased consistency (Wang et al., Phased Consistency Model, 2024): the teacher's trajectory is cut
into as many segments as the student has steps, and from any point of a segment the student learns
to jump to the segment's end. Where the trajectory was stays where it was, so that the same noise
leads to the same composition. The states to learn from are the teacher's own trajectories from
noise; at the end of a segment half of them go on from where the student has jumped to, which is
what it meets when it samples. Half of all conditions are mixtures of two captions, as in a walk.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from itertools import pairwise

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from momalisa.atelier.denoiser import build_scheduler
from momalisa.engine.cpu_batching import CpuBatching

HUBER = 0.01
"""Of the pseudo-Huber loss, per value: larger errors count by their size, not by its square, so
that the student chooses between two pictures where it cannot tell, instead of mixing them."""
LAST_TURN = 0.04
"""Radians by which there is less noise at the last jump's start than the student was trained with.

It still mixes some: its clean latents vary a tenth less than the teacher's, its pictures have 0.97
of their sharpness. The noise that this leaves in makes up for that, and the pictures come no
farther from the teacher's: so from 0.03 to 0.06.
"""


@dataclass(frozen=True)
class DistillationRecipe:
    """The hyperparameters of a distillation."""

    seed: int = 0
    teacher_steps: int = 20
    guidance: float = 4.0
    starts: tuple[int, ...] = (0, 3, 7, 12)
    """The teacher's steps at which the student jumps: more of them in much noise."""
    chains: int = 256
    """Trajectories that are followed at the same time."""
    batch: int = 32
    samples: int = 100_000
    learning_rate: float = 3e-4
    warm_up: float = 0.02
    cool_down: float = 0.4
    ema: float = 0.999
    mixed_share: float = 0.5
    own_share: float = 0.5

    def learning_rate_at(self, progress: float) -> float:
        """The learning rate at `progress` in [0, 1]: linear rise, constant, linear fall."""
        rise, fall = progress / self.warm_up, (1.0 - progress) / self.cool_down
        return self.learning_rate * max(0.01, min(1.0, rise, fall))


class Trajectory:
    """The noise levels of the teacher's steps, and first-order jumps between them.

    Level `i` is the state before step `i`; the last one is the clean latent.
    """

    def __init__(self, recipe: DistillationRecipe, device: str = "cpu") -> None:
        scheduler = build_scheduler()
        scheduler.set_timesteps(recipe.teacher_steps)
        times: Tensor = scheduler.timesteps
        signal = scheduler.alphas_cumprod[times].double().sqrt()
        one = torch.ones(1, dtype=torch.float64)
        sigma = torch.cat([(1.0 - signal.square()).clamp_min(0.0).sqrt(), one * 0])
        levels = [*recipe.starts, recipe.teacher_steps]
        segments = list(pairwise(levels))
        self.clean = recipe.teacher_steps
        self.times = times.clone().to(device)
        self.alpha = torch.cat([signal, one]).float().to(device)
        self.sigma = sigma.float().to(device)
        self.starts = torch.tensor(recipe.starts, device=device)
        self.begins, self.ends = (
            torch.cat([torch.full((b - a,), (a, b)[n]) for a, b in segments]).to(device)
            for n in (0, 1)
        )
        """The start and the end of the segment in which a level lies."""

    def jump(self, x: Tensor, v: Tensor, level: Tensor, target: Tensor) -> Tensor:
        """Follow v (n, c, h, w) from the levels (n) to others (DDIM; Song et al. 2021, eq. 12)."""
        a, s, a2, s2 = (
            values[at][:, None, None, None]
            for at, values in (
                (level, self.alpha),
                (level, self.sigma),
                (target, self.alpha),
                (target, self.sigma),
            )
        )
        return a2 * (a * x - s * v) + s2 * (s * x + a * v)

    def for_sampling(self) -> "Trajectory":
        """The noise levels to sample with: less than these, by LAST_TURN, at the last start."""
        other, last = copy(self), self.starts[-1]
        angle = torch.atan2(self.sigma[last], self.alpha[last]) - LAST_TURN
        other.alpha, other.sigma = self.alpha.clone(), self.sigma.clone()
        other.alpha[last], other.sigma[last] = angle.cos(), angle.sin()
        return other

    def leverage(self, level: Tensor, target: Tensor) -> Tensor:
        """By how much a jump's result changes with v (n): the sine of the angle between both."""
        return self.alpha[target] * self.sigma[level] - self.sigma[target] * self.alpha[level]


@torch.no_grad()
def predict_guided(
    teacher: UNet2DConditionModel, x: Tensor, time: Tensor, c: Tensor, empty: Tensor, scale: float
) -> Tensor:
    """The teacher's v with classifier-free guidance (Ho and Salimans 2022, eq. 6)."""
    both = torch.cat([empty.expand_as(c), c])
    unconditional, conditional = predict(teacher, x.repeat(2, 1, 1, 1), time.repeat(2), both).chunk(
        2
    )
    return unconditional + scale * (conditional - unconditional)


def predict(unet: UNet2DConditionModel, x: Tensor, time: Tensor, c: Tensor) -> Tensor:
    """The network's v (n, channels, h, w); on a GPU in half precision, with gradients in bf16."""
    half = torch.bfloat16 if torch.is_grad_enabled() else torch.float16
    with torch.autocast(x.device.type, half, enabled=x.device.type == "cuda"):
        return unet(x, time, c, return_dict=False)[0].float()  # type: ignore[no-any-return]


@torch.no_grad()
def sample(
    student: UNet2DConditionModel, trajectory: Trajectory, noise: Tensor, c: Tensor
) -> Tensor:
    """The student's clean latents from noise, in one jump per segment."""
    x, trajectory = noise, trajectory.for_sampling()
    for start in trajectory.starts:
        level = start.expand(len(x))
        v = predict(student, x, trajectory.times[level], c)
        x = trajectory.jump(x, v, level, trajectory.ends[level])
    return x


class Chains:
    """The trajectories that are followed, each at its own level, with its conditions."""

    def __init__(
        self,
        conditions: Tensor,
        empty: Tensor,
        trajectory: Trajectory,
        recipe: DistillationRecipe,
        shape: Sequence[int],
    ) -> None:
        self.conditions, self.empty = conditions, empty
        self._trajectory, self._recipe, self._shape = trajectory, recipe, tuple(shape)
        self._device = conditions.device
        self._rng = torch.Generator(self._device).manual_seed(recipe.seed)
        n = recipe.chains
        self.x = torch.empty(n, *shape, device=self._device)
        self.start = torch.empty_like(self.x)
        self.c = torch.empty(n, *conditions.shape[1:], device=self._device)
        self.level = torch.zeros(n, dtype=torch.long, device=self._device)
        self._restart(torch.arange(n, device=self._device))

    def state(self) -> dict[str, Tensor]:
        """All that is needed to go on from here."""
        names = ("x", "start", "c", "level")
        return {name: getattr(self, name) for name in names} | {"rng": self._rng.get_state()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from a state."""
        self.x, self.start, self.c = state["x"], state["start"], state["c"]
        self.level = state["level"]
        self._rng.set_state(state["rng"])

    def draw(self) -> Tensor:
        """The rows of a batch."""
        order = torch.randperm(self._recipe.chains, generator=self._rng, device=self._device)
        return order[: self._recipe.batch]

    def advance(self, rows: Tensor, following: Tensor, own: Tensor) -> None:
        """Go on to the teacher's next states, or, at a segment's end, to the student's (`own`)."""
        ended = self.level[rows] + 1 == self._trajectory.ends[self.level[rows]]
        chance = torch.rand(len(rows), generator=self._rng, device=self._device)
        chance = chance < self._recipe.own_share
        x = torch.where((ended & chance)[:, None, None, None], own, following)
        self.x[rows] = x
        self.level[rows] += 1
        self.start[rows[ended]] = x[ended]
        self._restart(rows[self.level[rows] == self._trajectory.clean])

    def _restart(self, rows: Tensor) -> None:
        """Begin anew from noise, with other conditions."""
        n = len(rows)
        self.x[rows] = torch.randn(n, *self._shape, generator=self._rng, device=self._device)
        self.start[rows] = self.x[rows]
        self.level[rows] = 0
        self.c[rows] = mix_conditions(self.conditions, n, self._recipe.mixed_share, self._rng)


def mix_conditions(conditions: Tensor, n: int, share: float, rng: torch.Generator) -> Tensor:
    """Draw n conditions, a share of them mixtures of two, as between two stops of a walk."""
    device, count = conditions.device, len(conditions)
    first, second = (torch.randint(count, (n,), generator=rng, device=device) for _ in range(2))
    t, chance = (torch.rand(n, generator=rng, device=device) for _ in range(2))
    t = t * (chance < share)
    return torch.lerp(conditions[first], conditions[second], t[:, None, None])


def compute_step(
    student: UNet2DConditionModel,
    teacher: UNet2DConditionModel,
    chains: Chains,
    rows: Tensor,
    trajectory: Trajectory,
    recipe: DistillationRecipe,
    batching: CpuBatching,
) -> tuple[Tensor, Tensor, Tensor]:
    """Set the student's gradients for a batch.

    Inside a segment the target is where the student jumps to from the teacher's next state; at its
    end it is that state. Returns the losses (n), the teacher's next states (n, c, h, w), and, for
    rows at the end of their segment, the states that the student jumps to from its start.
    """
    parameters = list(student.parameters())

    def part(which: slice) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        at = rows[which]
        x, c, level = chains.x[at], chains.c[at], chains.level[at]
        time, end, next_level = trajectory.times[level], trajectory.ends[level], level + 1
        v = predict_guided(teacher, x, time, c, chains.empty, recipe.guidance)
        following = trajectory.jump(x, v, level, next_level)
        last = next_level == end
        is_last = last[:, None, None, None]
        with torch.no_grad():
            y = torch.where(is_last, chains.start[at], following)
            high = torch.where(last, trajectory.begins[level], next_level)
            landed = trajectory.jump(y, predict(student, y, trajectory.times[high], c), high, end)
        target = torch.where(is_last, following, landed)
        reached = trajectory.jump(x, predict(student, x, time, c), level, end)
        error = (reached - target) / trajectory.leverage(level, end)[:, None, None, None]
        losses = (error.square().mean((1, 2, 3)) + HUBER**2).sqrt() - HUBER
        gradients = torch.autograd.grad(losses.sum() / len(rows), parameters)
        return losses.detach(), following, landed, list(gradients)

    losses, following, own, gradients = zip(*batching.run(part, len(rows)), strict=True)
    for parameter, *parts in zip(parameters, *gradients, strict=True):
        parameter.grad = sum(parts[1:], parts[0])
    return torch.cat(losses), torch.cat(following), torch.cat(own)
