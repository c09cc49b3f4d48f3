"""What fast mode leaves out, and how much of it: one value that says how a walk's frames are made.

- *solver*: DPM-Solver++ (2M; Lu et al. 2022) in fewer steps, closer where there is most noise.
- *interval*: guidance in the early steps only (Kynkäänniemi et al. 2024).
- *trunk*: the early steps are made for a few anchors of a leg, and each frame branches off from
  the two beside it.
- *glide*: of frames closely packed, every other one is decoded from its neighbours' latents.

Each is a pure function of the place, never of the pacing, so a frame in the cache stays true.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from momalisa.engine import schedulers
from momalisa.spec import WalkSpec

if TYPE_CHECKING:
    from momalisa.engine.sampling import Sampler

ANCHORS = 4
"""Parts of a leg between two anchors of its trunk."""
TRUNK = 0.3
"""The trunk's share of the steps."""
GUIDED = 0.85
"""The guided share of the steps."""
SOLVED = 0.4
"""The few-step solver's share of the steps that were asked for."""
FEW = 8
"""A solver takes at least so many steps, or what was asked for if that is less."""
EARLY = 1.5
"""How much closer a solver's steps are in much noise, where most is decided; 1 for not at all."""

SETTINGS: dict[str, tuple[float, ...]] = {
    "solver": (SOLVED, FEW, EARLY),
    "interval": (GUIDED,),
    "trunk": (TRUNK, ANCHORS),
}
"""What a frame's pixels depend on besides its spec, by shortcut; a glide has a key of its own."""


@dataclass(frozen=True)
class SamplingPlan:
    """How a walk's frames are sampled."""

    sampler: "Sampler"
    guided_steps: int | None
    """Only so many steps are guided; None for all."""
    trunk_steps: int
    """Steps that frames share; 0 for none."""


def plan_sampling(spec: WalkSpec, sampler: "Sampler") -> SamplingPlan:
    """The plan of a walk, from a model's own sampler; shortcuts that do not fit it are left out."""
    if "solver" in spec.shortcuts and schedulers.solves_ode(sampler.scheduler):
        sampler = _few_steps(sampler)
    steps = sampler.steps
    guided = math.ceil(GUIDED * steps) if "interval" in spec.shortcuts else None
    branches = "trunk" in spec.shortcuts and schedulers.can_branch(sampler.scheduler)
    shared = int(TRUNK * steps) if branches else 0
    return SamplingPlan(sampler, guided, shared if shared > 1 else 0)


def few_steps(steps: int) -> int:
    """How many steps the few-step solver takes in place of `steps`."""
    return max(min(FEW, steps), math.ceil(SOLVED * steps))


def _few_steps(sampler: "Sampler") -> "Sampler":
    scheduler, steps = schedulers.few_step_solver(sampler.scheduler), few_steps(sampler.steps)
    return replace(
        sampler, scheduler=scheduler, steps=steps, timesteps=_early_times(scheduler, steps)
    )


def _early_times(scheduler: Any, steps: int) -> tuple[int, ...]:
    """The timesteps of a few steps where a schedule ends in pure noise; else none.

    From there the first steps go furthest astray: closer together, they take a third of a walk's
    error away (Atelier, 8 steps, against DDIM in 20).
    """
    if not scheduler.config.get("rescale_betas_zero_snr"):
        return ()
    last = scheduler.config.num_train_timesteps
    return tuple(round(last * (1 - (step / steps) ** EARLY)) - 1 for step in range(steps))
