"""The approximations of fast mode, and the sampling plan of a walk that takes some of them.

- *solver*: DPM-Solver++ (2M; Lu et al. 2022) in fewer steps, denser where there is most noise.
- *interval*: guidance in the early steps only (Kynkäänniemi et al. 2024).
- *trunk*: the early steps are sampled at a few anchors of a leg only; each frame branches off from
  a blend of the two anchors beside it.
- *glide*: a frame between two others is decoded from a mixture of their latents; see `planner`.

The first three depend on a frame's place only, not on the pacing, so cached frames stay valid. A
mixture has a key of its own, made of those of its neighbours.

A checkpoint that was distilled to few steps takes none of the first three, in either mode: its own
steps are all there is to take.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from momalisa.engine import schedulers
from momalisa.spec import SHORTCUTS, WalkSpec

if TYPE_CHECKING:
    from momalisa.engine.sampling import Sampler

ANCHORS = 4
"""Equal parts that a leg is divided into by the anchors of its trunk."""
TRUNK_SHARE = 0.3
"""The share of the steps that frames take together."""
GUIDED_SHARE = 0.85
"""The share of the steps that are guided."""
SOLVER_SHARE = 0.4
"""Steps of the few-step solver, as a share of the steps of the spec."""
FEWEST_STEPS = 8
"""The few-step solver takes at least so many steps, or those of the spec if these are fewer."""
EARLY_DENSITY = 1.5
"""How much denser a solver's first steps are, where most is decided; 1 is equally dense."""

ATTENDING = (0.25, 0.5)
"""The part of the steps that are taken for both ends of a leg with the interpolation "attention",
reading what the model read there. All before the second are taken at the leg's anchors only."""
ATTENDING_ANCHORS = 2
"""Equal parts that these anchors divide a leg into."""
STEEPEST = 4.0
"""How much faster than along the leg a frame's text turns into the end's in the last steps, at the
middle."""
ATTENDING_ALONE = (0.25, 0.75)
"""Of a scheduler whose runs cannot branch off: the part of the steps that each frame takes for both
ends of its leg."""
SLOWED = 0.5
"""How much slower than along the leg the weight of its end rises in the middle then."""

PARTS = 5
"""Equal parts of a leg at whose borders it is probed first, with the interpolation "attention"."""
ROUNDS = (4, 4, 4, 4)
"""How many gaps between probes are halved each time after that: few, so that most lie where much
happens. With 20 probes in all, a film of 24 frames takes no more samples than by text alone."""
PROBES = PARTS - 1 + sum(ROUNDS)
"""Of a leg, in all."""
UNIFORM = 0.02
"""The share of a leg's change that is taken to be the same everywhere."""

SETTINGS: dict[str, tuple[float, ...]] = {
    "attention": (
        *(*ATTENDING, ATTENDING_ANCHORS, STEEPEST, *ATTENDING_ALONE, SLOWED),
        *(PARTS, *ROUNDS, UNIFORM),
    ),
    "solver": (SOLVER_SHARE, FEWEST_STEPS, EARLY_DENSITY),
    "interval": (GUIDED_SHARE,),
    "trunk": (TRUNK_SHARE, ANCHORS),
}
"""What a frame's pixels depend on besides its spec, by interpolation or shortcut: part of its key.
"""


@dataclass(frozen=True)
class SamplingPlan:
    """How a walk's frames are sampled."""

    sampler: "Sampler"
    guided_steps: int | None
    """Only so many steps are guided; None for all."""
    trunk_steps: int
    """Steps that frames share; 0 for none."""
    attending: range = range(0)
    """The steps that are taken for both ends of a leg, reading these; empty for none, as in a walk
    of one step. They are the last ones of the trunk, if it has any."""


def fit_to_checkpoint(spec: WalkSpec, *, distilled: bool) -> WalkSpec:
    """The walk without the shortcuts in sampling, if the checkpoint was distilled to few steps.

    Another solver would take other steps than those it was trained for, and between so few there is
    nothing to share or to leave unguided. So fast and exact mode share its frames.
    """
    if not distilled:
        return spec
    without = [name for name in SHORTCUTS if name in spec.without or name in SETTINGS]
    return spec.model_copy(update={"without": tuple(without)})


def plan_sampling(spec: WalkSpec, sampler: "Sampler") -> SamplingPlan:
    """The plan of a walk, from a model's own sampler; shortcuts that do not fit it are left out."""
    if "solver" in spec.shortcuts and schedulers.solves_ode(sampler.scheduler):
        sampler = _few_steps(sampler)
    steps = sampler.steps
    guided = math.ceil(GUIDED_SHARE * steps) if "interval" in spec.shortcuts else None
    if spec.interpolation == "attention" and steps > 1:  # else two pictures would be mixed
        branches = schedulers.can_branch(sampler.scheduler)
        attending = attending_steps(steps, branches=branches)
        return SamplingPlan(sampler, guided, attending.stop if branches else 0, attending)
    if spec.interpolation in ("attention", "predictions"):
        return SamplingPlan(sampler, guided, 0)
    branches = "trunk" in spec.shortcuts and schedulers.can_branch(sampler.scheduler)
    shared = int(TRUNK_SHARE * steps) if branches else 0
    return SamplingPlan(sampler, guided, shared if shared > 1 else 0)


def attending_steps(steps: int, *, branches: bool = True) -> range:
    """Which of so many steps are taken for both ends of a leg, with the interpolation "attention".

    `branches` says whether the scheduler's runs can branch off.
    """
    first, stop = ATTENDING if branches else ATTENDING_ALONE
    return range(math.floor(first * steps), math.ceil(stop * steps))


def few_steps(steps: int) -> int:
    """How many steps the few-step solver takes in place of `steps`."""
    return max(min(FEWEST_STEPS, steps), math.ceil(SOLVER_SHARE * steps))


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
    return tuple(round(last * (1 - (step / steps) ** EARLY_DENSITY)) - 1 for step in range(steps))
