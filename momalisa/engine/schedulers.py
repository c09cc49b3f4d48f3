"""Which of diffusers' schedulers can be exchanged or branched, and the solver for few steps.

Their classes are named here and nowhere else in the engine.
"""

from typing import Any, Literal

_ODE_SOLVERS = frozenset(
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
_CONSISTENCY = frozenset({"LCMScheduler", "SCMScheduler"})


def solves_ode(scheduler: Any) -> bool:
    """Whether the scheduler solves the probability flow ODE, as the few-step solver does."""
    return type(scheduler).__name__ in _ODE_SOLVERS and not _adds_noise(scheduler)


def can_branch(scheduler: Any) -> bool:
    """Whether runs of the scheduler can be split, joined and blended half way."""
    return type(scheduler).__name__ in _BRANCHING and not _adds_noise(scheduler)


def _adds_noise(scheduler: Any) -> bool:
    """Whether a solver of either kind is set to add noise at each step."""
    return str(scheduler.config.get("algorithm_type")).startswith("sde")


def few_step_solver(scheduler: Any) -> Any:
    """DPM-Solver++ (2M; Lu et al. 2022) on another scheduler's noise schedule."""
    from diffusers import DPMSolverMultistepScheduler

    # The solver divides by the signal, so it must be told if there is none in the first noise. Not
    # every schedule that ends there says so: one of betas of its own need not.
    silent = float(scheduler.alphas_cumprod[-1]) == 0.0
    return DPMSolverMultistepScheduler.from_config(
        scheduler.config,
        algorithm_type="dpmsolver++",
        solver_order=2,
        final_sigmas_type="zero",
        rescale_betas_zero_snr=silent or scheduler.config.get("rescale_betas_zero_snr", False),
    )


def kind_of_schedule(scheduler: Any) -> Literal["variance", "flow", "angle"] | None:
    """How signal and noise are mixed: variance is kept, they add up to 1, or by an angle.

    None for a scheduler of another kind.
    """
    name, config = type(scheduler).__name__, scheduler.config
    if name == "SCMScheduler":
        return "angle"
    flows = config.get("use_flow_sigmas") or config.get("prediction_type") == "flow_prediction"
    if name.startswith("FlowMatch") or flows:
        return "flow"
    known = config.get("prediction_type") in ("epsilon", "v_prediction", "sample")
    return "variance" if known and hasattr(scheduler, "alphas_cumprod") else None


def is_second_order(scheduler: Any) -> bool:
    """Whether the scheduler takes the steps of DPM-Solver++ (2M)."""
    config = scheduler.config
    multistep = type(scheduler).__name__ == "DPMSolverMultistepScheduler"
    return multistep and config.solver_order == 2 and config.algorithm_type == "dpmsolver++"


def renews_noise(scheduler: Any) -> bool:
    """Whether each step of a consistency model's scheduler adds noise to clean latents anew."""
    return type(scheduler).__name__ in _CONSISTENCY
