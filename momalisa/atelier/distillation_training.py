"""Trains a few-step student of an exported pipeline, with checkpoints from which it resumes."""

import copy
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from diffusers.training_utils import EMAModel
from safetensors import safe_open
from torch import Tensor, nn
from tqdm import tqdm
from transformers import CLIPTextModel

from momalisa.atelier.canvases import paint_batch
from momalisa.atelier.captions import write_captions
from momalisa.atelier.card import student_card
from momalisa.atelier.denoiser_training import append_to_log
from momalisa.atelier.distillation import (
    Chains,
    DistillationRecipe,
    Trajectory,
    compute_step,
    mix_conditions,
    predict_guided,
    sample,
)
from momalisa.atelier.few_steps import relabel_times, warp_schedule
from momalisa.atelier.meaning import word_table
from momalisa.atelier.recipe import Recipe
from momalisa.atelier.text import load_tokenizer, tokenise
from momalisa.atelier.train import clean_config
from momalisa.engine.cpu_batching import CpuBatching
from momalisa.files import replacing
from momalisa.models.distillation import DISTILLATION

CAPTION_SEEDS = range(2_000_000, 2_006_000)
"""Canvases whose captions are the conditions; none of them is otherwise trained on."""
CAPTION_SIZE = 64
CHECK_SAMPLES = 48
COLUMNS = ("samples", "seconds", "loss", "latent_error", "picture_error", "sharpness")


class Distillation:
    """A student on its way: networks, optimiser, average, trajectories, and the number of steps."""

    def __init__(
        self, teacher: Path, conditions: Tensor, recipe: DistillationRecipe, device: str = "cpu"
    ) -> None:
        self.recipe, self.trajectory = recipe, Trajectory(recipe, device)
        conditions = conditions.to(device)
        self.teacher, self.student = (
            UNet2DConditionModel.from_pretrained(teacher / "unet").float().to(device)
            for _ in range(2)
        )
        self.teacher.eval().requires_grad_(False)
        self.student.train()
        autoencoder = AutoencoderTiny.from_pretrained(teacher / "vae").float().to(device)
        self.decoder = autoencoder.eval().decoder
        parameters = list(self.student.parameters())
        self.optimiser = torch.optim.AdamW(
            parameters, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0
        )
        self.average = EMAModel(parameters, decay=recipe.ema, use_ema_warmup=True, power=0.75)
        config = self.teacher.config
        shape = (config.in_channels, config.sample_size, config.sample_size)
        captions, empty = conditions[:-1], conditions[-1:]
        self.chains = Chains(captions, empty, self.trajectory, recipe, shape)
        self.step = 0
        self._batching = CpuBatching(torch.device(device), small=True)
        rng = torch.Generator(device).manual_seed(recipe.seed + 1)
        self._noise = torch.randn(CHECK_SAMPLES, *shape, generator=rng, device=device)
        self._conditions = mix_conditions(captions, CHECK_SAMPLES, recipe.mixed_share, rng)
        self._truth = self._in_parts(self._sample_teacher)

    def train_step(self) -> float:
        """Update the student's weights by one batch; returns the mean loss."""
        progress = self.step * self.recipe.batch / self.recipe.samples
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate_at(progress)
        rows = self.chains.draw()
        losses, following, own = compute_step(
            self.student,
            self.teacher,
            self.chains,
            rows,
            self.trajectory,
            self.recipe,
            self._batching,
        )
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimiser.step()
        self.average.step(self.student.parameters())
        self.chains.advance(rows, following, own)
        self.step += 1
        return float(losses.mean())

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Swap the averaged weights into the student within the context."""
        self.average.store(self.student.parameters())
        self.average.copy_to(self.student.parameters())
        try:
            yield
        finally:
            self.average.restore(self.student.parameters())

    def check(self) -> list[float]:
        """Distances from the teacher's pictures, as in COLUMNS: of latents, pixels; sharpness."""
        latents = self._in_parts(lambda noise, c: sample(self.student, self.trajectory, noise, c))
        mine, truth = (self._decode(z) for z in (latents, self._truth))
        return [
            (latents - self._truth).square().mean((1, 2, 3)).sqrt().mean().item(),
            (mine - truth).abs().mean().item(),
            (_edges(mine) / _edges(truth)).median().item(),
        ]

    def save(self, path: Path) -> None:
        """Write a checkpoint atomically."""
        content = {
            "student": self.student.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.state_dict(),
            "chains": self.chains.state(),
            "step": self.step,
        }
        with replacing(path) as part:
            torch.save(content, part)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        saved = torch.load(path, weights_only=True)
        self.student.load_state_dict(saved["student"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.average.load_state_dict(saved["average"])
        self.chains.restore(saved["chains"])
        self.step = int(saved["step"])

    @torch.no_grad()
    def _sample_teacher(self, noise: Tensor, c: Tensor) -> Tensor:
        x, trajectory = noise, self.trajectory
        for number in range(self.recipe.teacher_steps):
            level = torch.full((len(x),), number, device=x.device)
            time, scale = trajectory.times[level], self.recipe.guidance
            v = predict_guided(self.teacher, x, time, c, self.chains.empty, scale)
            x = trajectory.jump(x, v, level, level + 1)
        return x

    @torch.no_grad()
    def _decode(self, latents: Tensor) -> Tensor:
        return torch.cat([((self.decoder(z) + 1.0) / 2.0).clamp(0, 1) for z in latents.split(8)])  # type: ignore[no-untyped-call]

    def _in_parts(self, work: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        parts = self._batching.run(
            lambda rows: work(self._noise[rows], self._conditions[rows]), CHECK_SAMPLES
        )
        return torch.cat(parts)


def _edges(pictures: Tensor) -> Tensor:
    """The mean absolute gradient (n) of pictures (n, 3, h, w)."""
    return sum(pictures.diff(dim=dim).abs().mean((1, 2, 3)) for dim in (-1, -2))  # type: ignore[return-value]


@torch.no_grad()
def encode_captions(pipeline: Path, captions: list[str]) -> Tensor:
    """A pipeline's text embeddings (n + 1, length, width) of captions, and of the empty one."""
    tokenizer = load_tokenizer(pipeline / "tokenizer")
    encoder = CLIPTextModel.from_pretrained(pipeline / "text_encoder").float().eval()
    texts = [*captions, ""]
    batches = (tokenise(tokenizer, texts[n : n + 256]) for n in range(0, len(texts), 256))
    return torch.cat([encoder(tokens).last_hidden_state for tokens in batches])


def collect_captions(seeds: range, per_canvas: int = 8) -> list[str]:
    """The distinct captions of canvases, sorted."""
    table, captions = word_table(), set[str]()
    for seed in seeds:
        _, (facts,) = paint_batch([seed], CAPTION_SIZE)
        captions.update(write_captions(facts, seed, per_canvas, table.fitting_words(facts)))
    return sorted(captions)


def distil(
    teacher: Path,
    folder: Path,
    recipe: DistillationRecipe,
    *,
    device: str = "cpu",
    captions: list[str] | None = None,
    checkpoint_seconds: float = 300.0,
) -> None:
    """Distil the pipeline in `teacher`; `folder` gets checkpoint, log and `pipeline/`.

    Resumes from the checkpoint in `folder`. Every `checkpoint_seconds`, and at the end, exports
    the student with averaged weights. The default for `captions` are those of CAPTION_SEEDS.
    """
    folder.mkdir(parents=True, exist_ok=True)
    conditions = encode_captions(teacher, captions or _load_captions(folder / "captions.json"))
    run, checkpoint = Distillation(teacher, conditions, recipe, device), folder / "distillation.pt"
    if checkpoint.exists():
        run.load(checkpoint)
    total = recipe.samples // recipe.batch
    last_save, losses = time.monotonic(), []
    bar = tqdm(total=total, initial=run.step, desc="distillation", unit="step")
    while run.step < total:
        losses.append(run.train_step())
        bar.update()
        if time.monotonic() - last_save > checkpoint_seconds or run.step == total:
            run.save(checkpoint)
            seconds = round(bar.format_dict["elapsed"])
            row = [run.step * recipe.batch, seconds, sum(losses) / len(losses)]
            with run.averaged_weights():
                append_to_log(folder / "distillation.csv", COLUMNS, [*row, *run.check()])
                export_student(
                    teacher, run.student, run.trajectory, folder / "pipeline", samples=row[0]
                )
            last_save, losses = time.monotonic(), []
    bar.close()


def _load_captions(path: Path) -> list[str]:
    """Read the captions; on first use, collect and save them."""
    if not path.exists():
        with replacing(path) as part:
            part.write_text(json.dumps(collect_captions(CAPTION_SEEDS)))
    captions: list[str] = json.loads(path.read_text())
    return captions


def export_student(
    teacher: Path,
    student: UNet2DConditionModel,
    trajectory: Trajectory,
    folder: Path,
    *,
    samples: int,
) -> None:
    """Write the teacher's pipeline with the student's UNet in fp16 and a scheduler for its steps.

    It is a stock pipeline: as many steps as the student has jumps, without guidance. `samples` is
    the number of states it was distilled on, for its card.
    """
    unet = copy.deepcopy(student).cpu().eval().requires_grad_(False)
    relabel_times(unet, trajectory)
    draft = folder.with_name(folder.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    for part in ("vae", "text_encoder", "tokenizer"):
        shutil.copytree(teacher / part, draft / part)
    for name in ("model_index.json", "recipe.json"):
        shutil.copy(teacher / name, draft)
    unet.half().save_pretrained(draft / "unet")
    clean_config(draft / "unet" / "config.json")
    warp_schedule(trajectory).save_pretrained(draft / "scheduler")
    steps = len(trajectory.starts)
    told = {"steps": steps, "guidance": 1.0}
    (draft / DISTILLATION).write_text(f"{json.dumps(told)}\n")
    recipe, weights = Recipe.load(draft / "recipe.json"), _count_weights(draft)
    (draft / "README.md").write_text(student_card(recipe, weights, steps=steps, samples=samples))
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def _count_weights(pipeline: Path) -> int:
    """The number of parameters of a pipeline's networks, as its files tell it."""
    total = 0
    for path in pipeline.glob("*/*.safetensors"):
        with safe_open(path, framework="pt") as file:
            total += sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    return total
