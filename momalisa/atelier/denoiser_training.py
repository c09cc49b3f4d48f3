"""Trains the denoiser by v-prediction, with checkpoints from which it resumes exactly."""

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler
from diffusers.training_utils import EMAModel
from torch import Tensor, nn
from tqdm import tqdm

from momalisa.atelier.denoiser import Denoiser, build_scheduler, denoising_losses
from momalisa.atelier.denoiser_validation import COLUMNS, validate
from momalisa.atelier.recipe import Recipe
from momalisa.atelier.training_data import TrainingData
from momalisa.engine.cpu_batching import CpuBatching
from momalisa.files import replacing

CPU_CHUNK = 16
"""Latents per forward pass on a CPU core: their activations fit its cache. Training is 1.1 times
as fast as with 32."""


class LossBalance:
    """Weights the losses so that every stratum contributes equally, however small its losses.

    The outline of a leaf on a flat ground is decided at times at which nothing else is: there
    the squared error is a twentieth of that of Op Art lines in much noise, and a plain mean
    nearly ignores it. Each loss is divided by the running mean of its stratum (as EDM2 does for
    each noise level: Karras et al., 2024, after Kendall et al., 2018).
    """

    RATE = 0.02
    """A new loss's share in the running mean; the first fifty are averaged evenly."""

    def __init__(self, strata: int) -> None:
        self.means = torch.ones(strata)
        self.counts = torch.zeros(strata)

    def weights(self, strata: Tensor) -> Tensor:
        """Weights (n) for canvases of these strata (n), with mean 1."""
        weights = 1.0 / self.means[strata]
        return weights / weights.mean()

    def update(self, strata: Tensor, losses: Tensor) -> None:
        """Update the running means with losses (n) of canvases of these strata (n)."""
        for stratum, loss in zip(strata.tolist(), losses.tolist(), strict=True):
            self.counts[stratum] += 1
            rate = max(self.RATE, 1.0 / float(self.counts[stratum]))
            self.means[stratum] += rate * (loss - self.means[stratum])


def learning_rate(progress: float, recipe: Recipe) -> float:
    """The share of the full rate at `progress` in [0, 1]: linear rise, constant, linear fall."""
    rise = progress / recipe.warm_up
    fall = (1.0 - progress) / recipe.cool_down
    return max(0.01, min(1.0, rise, fall))


def compute_gradients(
    model: Denoiser,
    scheduler: DDIMScheduler,
    batching: CpuBatching,
    weights: Tensor,
    *batch: Tensor,
) -> Tensor:
    """Set the gradients of a batch's weighted mean loss; returns the unweighted losses (n).

    The parts of the batch are computed in parallel and summed in order, so that a step is
    reproducible.
    """
    parameters = list(model.parameters())
    size = len(weights)
    shares = weights / size

    def part_gradients(rows: slice) -> tuple[Tensor, list[Tensor]]:
        chunk = CPU_CHUNK if parameters[0].device.type == "cpu" else size
        sums = [torch.zeros_like(one) for one in parameters]
        losses = []
        for first in range(rows.start, rows.stop, chunk):
            part = slice(first, min(first + chunk, rows.stop))
            part_losses = denoising_losses(model, scheduler, *(x[part] for x in batch))
            loss = (part_losses * shares[part].to(part_losses.device)).sum()
            torch._foreach_add_(sums, torch.autograd.grad(loss, parameters))
            losses.append(part_losses.detach().cpu())
        return torch.cat(losses), sums

    losses, gradients = zip(*batching.run(part_gradients, size), strict=True)
    for parameter, *parts in zip(parameters, *gradients, strict=True):
        parameter.grad = sum(parts[1:], parts[0])
    return torch.cat(losses)


@dataclass
class TrainingState:
    """All that a checkpoint keeps of a training: model, optimiser, average, balance, step."""

    model: Denoiser
    optimiser: torch.optim.Optimizer
    average: EMAModel
    """The exponential moving average of the model's weights."""
    balance: LossBalance
    step: int = 0

    @classmethod
    def start(cls, model: Denoiser, strata: int, recipe: Recipe, device: str) -> "TrainingState":
        """The state before the first step; moves the model to the device."""
        model.to(device)
        groups = [
            {"params": list(model.unet.parameters()), "share": 1.0},
            {"params": list(model.text_encoder.parameters()), "share": recipe.text_share},
        ]
        optimiser = torch.optim.AdamW(
            groups, lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True
        )
        average = EMAModel(model.parameters(), decay=recipe.ema, use_ema_warmup=True, power=0.75)
        average.to(device)
        return cls(model, optimiser, average, LossBalance(strata))

    def load(self, path: Path, device: str) -> None:
        """Replace the state by that of a checkpoint."""
        saved = torch.load(path, map_location=device, weights_only=True)
        self.model.load_state_dict(saved["model"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.average.load_state_dict(saved["average"])
        self.average.to(device)
        self.balance.means, self.balance.counts = saved["balance"].cpu()
        self.step = int(saved["step"])

    def save(self, path: Path) -> None:
        """Write a checkpoint atomically."""
        content = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.state_dict(),
            "balance": torch.stack([self.balance.means, self.balance.counts]),
            "step": self.step,
        }
        with replacing(path) as part:
            torch.save(content, part)

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Swap the averaged weights into the model within the context."""
        self.average.store(self.model.parameters())
        self.average.copy_to(self.model.parameters())
        try:
            yield
        finally:
            self.average.restore(self.model.parameters())


def train_denoiser(
    model: Denoiser,
    data: TrainingData,
    validation: TrainingData,
    recipe: Recipe,
    folder: Path,
    *,
    device: str,
    on_checkpoint: Callable[[Denoiser, int], None],
    checkpoint_seconds: float = 240.0,
) -> None:
    """Train for the recipe's number of samples, resuming from the checkpoint in `folder`.

    Writes a checkpoint every `checkpoint_seconds` and at the end, then calls `on_checkpoint`
    with the model, its weights averaged, and the number of samples so far.
    """
    checkpoint = folder / "denoiser.pt"
    state = TrainingState.start(model, data.strata, recipe, device)
    if checkpoint.exists():
        state.load(checkpoint, device)
    total = recipe.samples // recipe.batch
    if state.step == total:
        # An earlier run may have been killed between its last checkpoint and `on_checkpoint`.
        with state.averaged_weights():
            on_checkpoint(model, state.step * recipe.batch)
    scheduler, batching = build_scheduler(), CpuBatching(torch.device(device), small=True)
    last_save, losses = time.monotonic(), []
    bar = tqdm(total=total, initial=state.step, desc="denoiser", unit="step")
    while state.step < total:
        losses.append(_train_step(state, data, recipe, scheduler, batching))
        bar.update()
        if time.monotonic() - last_save > checkpoint_seconds or state.step == total:
            state.save(checkpoint)
            samples, seconds = state.step * recipe.batch, round(bar.format_dict["elapsed"])
            with state.averaged_weights():
                metrics = validate(model, validation, scheduler)
                row = [samples, seconds, float(np.mean(losses)), *metrics]
                append_to_log(
                    folder / "denoiser.csv", ("samples", "seconds", "loss", *COLUMNS), row
                )
                on_checkpoint(model, samples)
            last_save, losses = time.monotonic(), []
    bar.close()


def _train_step(
    state: TrainingState,
    data: TrainingData,
    recipe: Recipe,
    scheduler: DDIMScheduler,
    batching: CpuBatching,
) -> float:
    """Draw a batch and update the weights; returns the mean loss."""
    progress = state.step / (recipe.samples // recipe.batch)
    for group in state.optimiser.param_groups:
        share = group["share"] * learning_rate(progress, recipe)
        group["lr"] = recipe.learning_rate * share
    strata, batch = data.draw(state.step, recipe)
    weights = state.balance.weights(strata)
    losses = compute_gradients(state.model, scheduler, batching, weights, *batch)
    state.balance.update(strata, losses)
    nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
    state.optimiser.step()
    state.average.step(state.model.parameters())
    state.step += 1
    return float(losses.mean())


def append_to_log(path: Path, header: Sequence[str], row: Sequence[float]) -> None:
    """Append a row to a CSV file, which starts with a header."""
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(header)
        writer.writerow([f"{v:.4f}" if isinstance(v, float) else v for v in row])
