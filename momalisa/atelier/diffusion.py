"""The denoiser: a small conditional UNet, trained with its text encoder by v-prediction."""

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own idiom)
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.training_utils import EMAModel
from torch import Tensor, nn
from tqdm import tqdm
from transformers import CLIPTextModel, CLIPTokenizer

from momalisa.atelier.canvases import Canvases
from momalisa.atelier.recipe import Recipe
from momalisa.engine.cpu_batching import CpuBatching
from momalisa.files import replacing

GATE_TIMES = (600, 800, 950)
BANDS = 10
"""Equal spans of time; with a canvas's kind they make its stratum."""
CACHED = 16
"""Latents whose activations a CPU core's cache holds: in parts of as many it learns 1.1 times as
fast as in parts of 32."""


def build_unet(recipe: Recipe) -> UNet2DConditionModel:
    """Convolutions alone at the finest level; attention to itself and the text below it."""
    widths = recipe.unet_widths
    deeper = len(widths) - 1
    return UNet2DConditionModel(
        sample_size=recipe.cells,
        in_channels=recipe.latent_channels,
        out_channels=recipe.latent_channels,
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * deeper,
        up_block_types=("CrossAttnUpBlock2D",) * deeper + ("UpBlock2D",),
        attention_head_dim=recipe.unet_heads,
        cross_attention_dim=recipe.text_width,
        norm_num_groups=16,
        use_linear_projection=True,
    )


def build_scheduler() -> DDIMScheduler:
    """The noise schedule of training and of sampling.

    A canvas's colours are large, even areas: in 16 x 16 cells their mean is 16 times the noise's,
    so a cosine schedule decides them in its first few of a hundred parts. This one spends a
    third of its times where they are decided (Hoogeboom et al., Simple Diffusion, 2023, section
    3.1, shift the schedule for the same reason).
    """
    return DDIMScheduler(
        beta_schedule="linear",
        beta_end=0.012,
        rescale_betas_zero_snr=True,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


class Denoiser(nn.Module):
    """UNet and text encoder as one module, so that one optimiser and one average hold both."""

    def __init__(self, unet: UNet2DConditionModel, text_encoder: CLIPTextModel) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """The predicted v (n, c, h, w) for latents at `times` under tokenised captions (n, l)."""
        words = self.text_encoder(tokens).last_hidden_state
        return self.unet(noisy, times, words, return_dict=False)[0]  # type: ignore[no-any-return]


def tokenise(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Padded token ids (n, length) of captions; what is too long is cut."""
    batch = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
    return batch["input_ids"]  # type: ignore[no-any-return]


@dataclass
class Lesson:
    """What a training step draws from: latents (n, c, h, w) and tokens (n, captions, length).

    How often a canvas is drawn is in proportion to its `odds` (n). Its kind (n), a number from 0
    on, and its time's band are its stratum: those are about as hard to denoise, see `Balance`.
    """

    latents: Tensor
    tokens: Tensor
    silence: Tensor
    odds: Tensor
    kinds: Tensor

    @classmethod
    def of(
        cls,
        canvases: Canvases,
        tokenizer: CLIPTokenizer,
        odds: Sequence[float] | None = None,
        kinds: Sequence[int] | None = None,
    ) -> "Lesson":
        """Tokenise every caption once. Canvases with fewer captions repeat theirs."""
        most = max(len(lines) for lines in canvases.captions)
        even = [(lines * most)[:most] for lines in canvases.captions]
        unique = sorted({text for lines in even for text in lines})
        rows = tokenise(tokenizer, unique).to(torch.int16)
        place = {text: row for row, text in enumerate(unique)}
        index = torch.tensor([[place[text] for text in lines] for lines in even])
        silence = tokenise(tokenizer, [""])[0]
        latents = torch.from_numpy(canvases.latents)
        weights = torch.ones(len(latents)) if odds is None else torch.tensor(odds)
        kind = torch.zeros(len(latents), dtype=torch.long) if kinds is None else torch.tensor(kinds)
        return cls(latents, rows[index], silence, weights, kind)

    def draw(self, step: int, recipe: Recipe) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The strata of a step's canvases; their latents, noise, times and tokens.

        A function of the seed and the step alone.
        """
        dice = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        n = recipe.batch
        rows = torch.multinomial(self.odds, n, replacement=True, generator=dice)
        column = torch.randint(self.tokens.shape[1], (n,), generator=dice)
        tokens = self.tokens[rows, column].long()
        dropped = torch.rand(n, generator=dice) < recipe.caption_dropout
        tokens = torch.where(dropped[:, None], self.silence, tokens)
        latents = self.latents[rows].float()
        # One time from each of n equal spans: the loss of a batch varies less.
        times = (torch.arange(n) + torch.rand(n, generator=dice)) / n
        noise = torch.randn(latents.shape, generator=dice)
        strata = self.kinds[rows] * BANDS + (times * BANDS).long()
        return strata, (latents, noise, (times * 1000).long(), tokens)

    @property
    def strata(self) -> int:
        """How many strata there are."""
        return (int(self.kinds.max()) + 1) * BANDS


class Balance:
    """Lets every stratum weigh alike in the loss, however little there is to err on.

    The outline of a leaf on a flat ground is decided at times where it is all there is to err
    on: a twentieth of the squared error of Op-art lines in much noise, so a plain mean hardly
    hears of it. Each loss is divided by the running mean of its stratum's (as EDM2 does for each
    level of noise: Karras et al., 2024, after Kendall et al., 2018).
    """

    RATE = 0.02
    """A new loss's share in the running mean; the first fifty are averaged evenly."""

    def __init__(self, strata: int) -> None:
        self.means = torch.ones(strata)
        self.heard = torch.zeros(strata)

    def weights(self, strata: Tensor) -> Tensor:
        """Weights (n) for canvases of these strata (n), 1 in the mean."""
        weights = 1.0 / self.means[strata]
        return weights / weights.mean()

    def hear(self, strata: Tensor, losses: Tensor) -> None:
        """Let the losses (n) of canvases of these strata (n) move the running means."""
        for stratum, loss in zip(strata.tolist(), losses.tolist(), strict=True):
            self.heard[stratum] += 1
            rate = max(self.RATE, 1.0 / float(self.heard[stratum]))
            self.means[stratum] += rate * (loss - self.means[stratum])


def learning_rate(progress: float, recipe: Recipe) -> float:
    """The share of the full rate at `progress` in [0, 1]: up, level, down."""
    rise = progress / recipe.warm_up
    fall = (1.0 - progress) / recipe.cool_down
    return max(0.01, min(1.0, rise, fall))


@torch.no_grad()
def gate(model: Denoiser, lesson: Lesson, scheduler: DDIMScheduler) -> list[float]:
    """The loss with true and with shuffled captions at three times of much noise, in turn.

    If the two do not part, the captions are not used, and training longer will not help.
    """
    dice = torch.Generator().manual_seed(0)
    latents = lesson.latents.float()
    noise = torch.randn(latents.shape, generator=dice)
    tokens = lesson.tokens[:, 0].long()
    losses = []
    for time_ in GATE_TIMES:
        times = torch.full((len(latents),), time_)
        for words in (tokens, tokens.roll(1, 0)):
            errors = _losses(model, scheduler, latents, noise, times, words)
            losses.append(errors.mean().item())
    return losses


def _losses(
    model: Denoiser,
    scheduler: DDIMScheduler,
    latents: Tensor,
    noise: Tensor,
    times: Tensor,
    tokens: Tensor,
) -> Tensor:
    """The mean squared error of each canvas's predicted v (n)."""
    device = next(model.parameters()).device
    latents, noise, times, tokens = (x.to(device) for x in (latents, noise, times, tokens))
    noisy = scheduler.add_noise(latents, noise, times)
    target = scheduler.get_velocity(latents, noise, times)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        predicted = model(noisy, times, tokens)
    return F.mse_loss(predicted.float(), target, reduction="none").mean((1, 2, 3))


def learn(
    model: Denoiser, scheduler: DDIMScheduler, lanes: CpuBatching, weights: Tensor, *batch: Tensor
) -> Tensor:
    """Leave the gradients of a batch's weighted mean loss in the model; its losses (n) unweighted.

    Each lane makes the gradients of its part; they are added up in the order of the parts, so
    that a step is repeatable.
    """
    parameters = list(model.parameters())
    whole = len(weights)
    shares = weights / whole

    def gradients(rows: slice) -> tuple[Tensor, list[Tensor]]:
        most = CACHED if parameters[0].device.type == "cpu" else whole
        parts = [slice(n, min(n + most, rows.stop)) for n in range(rows.start, rows.stop, most)]
        found, sums = [], [torch.zeros_like(one) for one in parameters]
        for part in parts:
            losses = _losses(model, scheduler, *(x[part] for x in batch))
            loss = (losses * shares[part].to(losses.device)).sum()
            torch._foreach_add_(sums, torch.autograd.grad(loss, parameters))
            found.append(losses.detach().cpu())
        return torch.cat(found), sums

    losses, found = zip(*lanes.run(gradients, whole), strict=True)
    for parameter, *parts in zip(parameters, *found, strict=True):
        parameter.grad = sum(parts[1:], parts[0])
    return torch.cat(losses)


@torch.no_grad()
def caption_rank(model: Denoiser, tokens: Tensor) -> float:
    """The share of the captions' variance that lies in one direction: near 1 when collapsed."""
    device = next(model.parameters()).device
    words = model.text_encoder(tokens.to(device)).pooler_output.float()
    values = torch.linalg.svdvals(words - words.mean(0)).square()
    return float(values[0] / values.sum())


def train_denoiser(
    model: Denoiser,
    lesson: Lesson,
    exam: Lesson,
    recipe: Recipe,
    folder: Path,
    *,
    device: str,
    on_checkpoint: Callable[[Denoiser, int], None],
    checkpoint_seconds: float = 240.0,
) -> None:
    """Train until the recipe's samples are seen; go on from the checkpoint in `folder`.

    `on_checkpoint` gets the model with its averaged weights, and how many samples it saw, every
    `checkpoint_seconds` and at the end, after the checkpoint was written.
    """
    model.to(device)
    groups = [
        {"params": list(model.unet.parameters()), "share": 1.0},
        {"params": list(model.text_encoder.parameters()), "share": recipe.text_share},
    ]
    optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True)
    average = EMAModel(model.parameters(), decay=recipe.ema, use_ema_warmup=True, power=0.75)
    average.to(device)
    scheduler = build_scheduler()
    balance = Balance(lesson.strata)
    step = _resume(folder / "denoiser.pt", model, optimiser, average, balance, device)
    total = recipe.samples // recipe.batch
    if step == total:
        # Its last run may have been killed between the checkpoint and what comes of it.
        with _averaged(model, average):
            on_checkpoint(model, step * recipe.batch)
    lanes = CpuBatching(torch.device(device), small=True)
    saved, losses = time.monotonic(), []
    bar = tqdm(total=total, initial=step, desc="denoiser", unit="step")
    while step < total:
        for group in optimiser.param_groups:
            share = group["share"] * learning_rate(step / total, recipe)
            group["lr"] = recipe.learning_rate * share
        strata, batch = lesson.draw(step, recipe)
        found = learn(model, scheduler, lanes, balance.weights(strata), *batch)
        balance.hear(strata, found)
        losses.append(found.mean().item())
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.step(model.parameters())
        step += 1
        bar.update()
        if time.monotonic() - saved > checkpoint_seconds or step == total:
            _save(folder / "denoiser.pt", model, optimiser, average, balance, step)
            with _averaged(model, average):
                rank = caption_rank(model, exam.tokens[:, 0].long())
                seconds = round(bar.format_dict["elapsed"])
                row = [step * recipe.batch, seconds, float(np.mean(losses)), rank]
                _log(folder / "denoiser.csv", [*row, *gate(model, exam, scheduler)])
                on_checkpoint(model, step * recipe.batch)
            saved, losses = time.monotonic(), []
    bar.close()


@contextmanager
def _averaged(model: Denoiser, average: EMAModel) -> Iterator[None]:
    """The model with its averaged weights for a while."""
    average.store(model.parameters())
    average.copy_to(model.parameters())
    try:
        yield
    finally:
        average.restore(model.parameters())


def _resume(
    path: Path,
    model: Denoiser,
    optimiser: torch.optim.Optimizer,
    average: EMAModel,
    balance: Balance,
    device: str,
) -> int:
    if not path.exists():
        return 0
    kept = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(kept["model"])
    optimiser.load_state_dict(kept["optimiser"])
    average.load_state_dict(kept["average"])
    average.to(device)
    balance.means, balance.heard = kept["balance"].cpu()
    return int(kept["step"])


def _save(
    path: Path,
    model: Denoiser,
    optimiser: torch.optim.Optimizer,
    average: EMAModel,
    balance: Balance,
    step: int,
) -> None:
    state = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": average.state_dict(),
        "balance": torch.stack([balance.means, balance.heard]),
        "step": step,
    }
    with replacing(path) as part:
        torch.save(state, part)


def _log(path: Path, row: list[float]) -> None:
    heads = [f"{kind}@{t}" for t in GATE_TIMES for kind in ("true", "shuffled")]
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(["samples", "seconds", "loss", "caption_rank", *heads])
        writer.writerow([f"{v:.4f}" if isinstance(v, float) else v for v in row])
