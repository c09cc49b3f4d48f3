"""Makes a distilled UNet a stock pipeline: its jumps become the steps that a stock scheduler takes.

The student jumps at uneven times, more of them in much noise, but a stock scheduler spaces its
steps evenly. So the schedule is warped until even steps have the noise of the uneven ones, and the
network is told the old times where the scheduler says the new ones.
"""

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor

from momalisa.atelier.denoiser import build_scheduler
from momalisa.atelier.distillation import LAST_TURN, Trajectory

TIMES = 1000
"""Of the schedule: the first and noisiest is 999."""


def even_times(count: int) -> Tensor:
    """The times of `count` steps as "trailing" schedulers space them, the noisiest first."""
    return torch.arange(TIMES, 0, -TIMES / count).round().long()[:count] - 1


def warp_schedule(trajectory: Trajectory) -> DDIMScheduler:
    """A scheduler whose `len(starts)` steps have the noise that a student is sampled with.

    Other times are interpolated.
    """
    old = trajectory.times[trajectory.starts].cpu().flip(0)
    new = even_times(len(old)).flip(0)
    stock = build_scheduler()
    xs, ys = (np.array([0.0, *times.tolist()]) for times in (new, old))
    at = np.interp(np.arange(TIMES), xs, ys)
    signal = np.interp(at, np.arange(TIMES), stock.alphas_cumprod.double().numpy())
    last = [0, *new.tolist()[:2]]
    turn = np.interp(np.arange(TIMES), last, [0.0, LAST_TURN, 0.0][: len(last)])
    signal = np.cos(np.arccos(np.sqrt(signal)) - turn) ** 2
    betas = 1.0 - signal / np.concatenate([[1.0], signal[:-1]])
    options = {"rescale_betas_zero_snr": False, "trained_betas": betas.tolist()}
    return DDIMScheduler.from_config(stock.config, **options)


@torch.no_grad()
def relabel_times(unet: UNet2DConditionModel, trajectory: Trajectory) -> None:
    """Change the first layer of the time embedding so that even times mean the starts' times.

    The smallest change that is exact at these times: the layer maps the new sinusoidal embeddings
    to what it mapped the old ones to.
    """
    old = trajectory.times[trajectory.starts].cpu()
    layer = unet.time_embedding.linear_1
    meant, told = (unet.time_proj(times).double() for times in (old, even_times(len(old))))
    change = (meant - told).T @ torch.linalg.pinv(told.T)
    layer.weight += (layer.weight.double() @ change).float()
