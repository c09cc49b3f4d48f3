"""Distillation: jumps are stock steps; trajectories go on; the export is a stock pipeline."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline, UNet2DConditionModel

from momalisa.atelier.autoencoder import build_autoencoder
from momalisa.atelier.denoiser import Denoiser, build_scheduler, build_unet
from momalisa.atelier.distillation import Chains, DistillationRecipe, Trajectory, sample
from momalisa.atelier.distillation_training import (
    Distillation,
    distil,
    encode_captions,
    export_student,
)
from momalisa.atelier.recipe import Recipe
from momalisa.atelier.text import build_text_encoder, train_tokenizer
from momalisa.atelier.train import export_pipeline
from momalisa.models.registry import find

TINY = Recipe(
    size=32,
    latent_channels=4,
    encoder_width=16,
    decoder_width=16,
    decoder_blocks=(1, 1, 0),
    vocabulary=700,
    tokens=8,
    text_width=16,
    text_layers=1,
    text_heads=2,
    unet_widths=(16, 32),
    unet_heads=2,
)
RECIPE = DistillationRecipe(chains=8, batch=4, samples=40)
CAPTIONS = ["a red square", "a blue sea", "three circles"]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pipeline with random weights."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(CAPTIONS, TINY)
    model = Denoiser(build_unet(TINY), build_text_encoder(tokenizer, TINY))
    folder = tmp_path_factory.mktemp("teacher") / "pipeline"
    export_pipeline(model, tokenizer, build_autoencoder(TINY), TINY, folder, samples=0)
    return folder


def test_jumps_are_the_stock_schedulers_steps() -> None:
    trajectory = Trajectory(RECIPE)
    scheduler = build_scheduler()
    scheduler.set_timesteps(RECIPE.teacher_steps)
    x = torch.randn(2, 4, 8, 8)
    for number, time in enumerate(scheduler.timesteps):
        v, level = torch.randn(2, 4, 8, 8), torch.full((2,), number)
        stock = scheduler.step(v, time, x).prev_sample
        x = trajectory.jump(x, v, level, level + 1)
        torch.testing.assert_close(x, stock, atol=1e-4, rtol=1e-4)


def test_every_level_leads_to_the_end_of_its_segment() -> None:
    assert Trajectory(RECIPE).ends.tolist() == [3] * 3 + [7] * 4 + [12] * 5 + [20] * 8


def test_chains_follow_the_teacher_and_begin_again_at_the_end() -> None:
    trajectory = Trajectory(RECIPE)
    captions = torch.randn(3, 8, 16)
    chains = Chains(captions, torch.zeros(1, 8, 16), trajectory, RECIPE, (4, 8, 8))
    rows = torch.arange(8)
    for number in range(1, RECIPE.teacher_steps):
        teachers, own = torch.full((8, 4, 8, 8), 1.0), torch.full((8, 4, 8, 8), 2.0)
        chains.advance(rows, teachers, own)
        assert chains.level.tolist() == [number] * 8
        values = set(chains.x[:, 0, 0, 0].tolist())
        assert values <= ({1.0, 2.0} if number in RECIPE.starts else {1.0})
    before = chains.c.clone()
    chains.advance(rows, teachers, own)
    assert chains.level.tolist() == [0] * 8
    assert 0.8 < chains.x.std() < 1.2
    assert not torch.equal(chains.c, before)


def test_distillation_comes_closer_to_the_teacher_and_resumes_exactly(
    teacher: Path, tmp_path: Path
) -> None:
    conditions = encode_captions(teacher, CAPTIONS)
    recipe = replace(RECIPE, samples=400, learning_rate=3e-3, guidance=1.0, starts=(0, 10))
    run = Distillation(teacher, conditions, recipe)
    before = run.check()[0]
    for _ in range(10):
        run.train_step()
    assert run.check()[0] < 0.95 * before
    run.save(tmp_path / "checkpoint.pt")
    again = Distillation(teacher, conditions, recipe)
    again.load(tmp_path / "checkpoint.pt")
    assert [again.train_step() for _ in range(3)] == [run.train_step() for _ in range(3)]


def test_export_is_a_stock_pipeline_that_jumps_as_the_student_does(
    teacher: Path, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    student, trajectory = build_unet(TINY), Trajectory(RECIPE)
    export_student(teacher, student, trajectory, tmp_path / "pipeline", samples=1234)
    card = find(str(tmp_path / "pipeline"))
    assert (card.steps, card.guidance, card.distilled) == (4, 1.0, True)
    pipeline = DiffusionPipeline.from_pretrained(tmp_path / "pipeline", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    prompt = CAPTIONS[0]
    stock = pipeline(
        prompt, num_inference_steps=4, guidance_scale=1.0, latents=noise, output_type="latent",
        height=32, width=32,
    ).images  # fmt: skip
    mine = sample(student.half().float(), trajectory, noise, encode_captions(teacher, [prompt])[:1])
    assert (stock - mine).abs().max() < 0.02 * mine.abs().max()
    told = (tmp_path / "pipeline" / "README.md").read_text()
    assert "4 steps\nwithout guidance" in told
    assert "1,234 states" in told


def test_command_leaves_pipeline_log_and_checkpoint(teacher: Path, tmp_path: Path) -> None:
    distil(teacher, tmp_path, RECIPE, captions=CAPTIONS)
    assert {path.name for path in tmp_path.iterdir()} == {
        "pipeline",
        "distillation.csv",
        "distillation.pt",
    }
    rows = (tmp_path / "distillation.csv").read_text().splitlines()
    assert rows[0].startswith("samples,seconds,loss,latent_error")
    assert rows[-1].startswith("40,")
    UNet2DConditionModel.from_pretrained(tmp_path / "pipeline" / "unet")
