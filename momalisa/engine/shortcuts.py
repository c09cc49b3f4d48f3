"""What fast mode leaves out, and how much of it: one value that says how a walk's frames are made.

- *solver*: DPM-Solver++ (2M; Lu et al. 2022) in fewer steps, closer where there is most noise.
- *interval*: guidance in the early steps only (Kynkäänniemi et al. 2024).
- *trunk*: the early steps are made for a few anchors of a leg, and each frame branches off from
  the two beside it.
- *glide*: of frames closely packed, every other one is decoded from its neighbours' latents.

Each is a pure function of the place, never of the pacing, so a frame in the cache stays true.
"""

import math
from dataclasses import dataclass
from typing import Any

from momalisa.spec import WalkSpec

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

_ODE = frozenset(
    {
        "DDIMScheduler",
        "DEISMultistepScheduler",
        "DPMSolverMultistepScheduler",
        "DPMSolverSinglestepScheduler",
        "EulerDiscreteScheduler",
        "HeunDiscreteScheduler",
        "LMSDiscreteScheduler",
        "PNDMScheduler",
        "UniPCMultistepScheduler",
    }
)
"""Schedulers that solve the same equation, so that another one of them may take over."""
_BRANCHING = frozenset({"DDIMScheduler", "DPMSolverMultistepScheduler", "EulerDiscreteScheduler"})
"""Schedulers whose history, if they keep one, is the model's last outputs."""


@dataclass(frozen=True)
class Plan:
    """How a walk's frames are made."""

    scheduler: Any
    steps: int
    guided: int | None
    """Only so many steps are guided; None for all."""
    trunk: int
    """Steps that frames share; 0 for none."""
    times: tuple[int, ...] = ()
    """Those of the steps, where they are not the scheduler's own."""


def plan(spec: WalkSpec, scheduler: Any) -> Plan:
    """The plan of a walk for a model's own scheduler; what does not fit it is left out."""
    kind = type(scheduler).__name__
    steps = spec.steps
    times: tuple[int, ...] = ()
    if "solver" in spec.shortcuts and kind in _ODE:
        scheduler, steps = _few_step(scheduler), max(min(FEW, steps), math.ceil(SOLVED * steps))
        times = _early_times(scheduler, steps)
    guided = math.ceil(GUIDED * steps) if "interval" in spec.shortcuts else None
    branches = type(scheduler).__name__ in _BRANCHING
    shared = int(TRUNK * steps) if "trunk" in spec.shortcuts and branches else 0
    return Plan(scheduler, steps, guided, shared if shared > 1 else 0, times)


def _early_times(scheduler: Any, steps: int) -> tuple[int, ...]:
    """The times of a few steps where a schedule ends in pure noise; else the scheduler's own.

    From there the first steps go furthest astray: closer together, they take a third of a walk's
    error away (Atelier, 8 steps, against DDIM in 20).
    """
    if not scheduler.config.get("rescale_betas_zero_snr"):
        return ()
    last = scheduler.config.num_train_timesteps
    return tuple(round(last * (1 - (step / steps) ** EARLY)) - 1 for step in range(steps))


def _few_step(scheduler: Any) -> Any:
    from diffusers import DPMSolverMultistepScheduler

    return DPMSolverMultistepScheduler.from_config(
        scheduler.config, algorithm_type="dpmsolver++", solver_order=2, final_sigmas_type="zero"
    )
