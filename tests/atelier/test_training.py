"""Making the model: the closed-form start, exact resumption, an export stock diffusers reads."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderTiny, DiffusionPipeline
from transformers import CLIPTokenizer

from momalisa.atelier.autoencoder import (
    PatchMap,
    build,
    fit_encoder,
    patch_map,
    psnr,
    start_decoder,
    train_decoder,
)
from momalisa.atelier.canvases import (
    Canvases,
    CanvasStream,
    load_shards,
    paint_batch,
    paint_shards,
)
from momalisa.atelier.diffusion import (
    BANDS,
    Balance,
    Denoiser,
    Lesson,
    build_scheduler,
    build_unet,
    caption_rank,
    learn,
    learning_rate,
    tokenise,
    train_denoiser,
)
from momalisa.atelier.painter import manner_of
from momalisa.atelier.recipe import Recipe
from momalisa.atelier.text import build_text_encoder, train_tokenizer, with_vocabulary
from momalisa.atelier.train import export, start_from_pipeline
from momalisa.engine.cpu_batching import CpuBatching

RECIPE = Recipe(
    size=64,
    canvases=60,
    captions=2,
    latent_channels=8,
    encoder_width=32,
    decoder_width=16,
    decoder_blocks=(1, 1, 0),
    decoder_steps=4,
    decoder_batch=2,
    decoder_crop=4,
    vocabulary=700,
    tokens=16,
    text_width=16,
    text_layers=1,
    text_heads=2,
    unet_widths=(16, 32),
    unet_heads=2,
    batch=4,
    samples=16,
)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return paint_batch(range(24), RECIPE.size)[0]


@pytest.fixture(scope="module")
def autoencoder(images: torch.Tensor) -> AutoencoderTiny:
    torch.manual_seed(0)
    model = build(RECIPE)
    fit_encoder(model, images)
    start_decoder(model, images, patch_map(model, RECIPE))
    return model


@pytest.fixture(scope="module")
def patches(autoencoder: AutoencoderTiny) -> PatchMap:
    return patch_map(autoencoder, RECIPE)


@pytest.fixture(scope="module")
def canvases(patches: PatchMap, tmp_path_factory: pytest.TempPathFactory) -> Canvases:
    folder = tmp_path_factory.mktemp("shards")
    return load_shards(paint_shards(folder, RECIPE, patches, processes=1))


@pytest.fixture(scope="module")
def tokenizer(canvases: Canvases) -> CLIPTokenizer:
    return train_tokenizer([text for lines in canvases.captions for text in lines], RECIPE)


@pytest.fixture(scope="module")
def lesson(canvases: Canvases, tokenizer: CLIPTokenizer) -> Lesson:
    return Lesson.of(canvases, tokenizer)


@pytest.fixture
def fresh_denoiser(tokenizer: CLIPTokenizer) -> Callable[[], Denoiser]:
    def _fresh() -> Denoiser:
        torch.manual_seed(0)
        return Denoiser(build_unet(RECIPE), build_text_encoder(tokenizer, RECIPE))

    return _fresh


def test_every_canvas_has_its_captions(canvases: Canvases) -> None:
    assert len(canvases.latents) == len(canvases.captions) == RECIPE.canvases
    assert all(1 <= len(lines) <= RECIPE.captions for lines in canvases.captions)


@torch.no_grad()
def test_the_encoder_is_exactly_its_matrix(
    autoencoder: AutoencoderTiny, patches: PatchMap, images: torch.Tensor
) -> None:
    convolved = autoencoder.encoder(images * 2.0 - 1.0)
    torch.testing.assert_close(convolved, patches(images), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_latents_keep_their_order_of_size(patches: PatchMap, images: torch.Tensor) -> None:
    spread = patches(images).std(dim=(0, 2, 3))
    assert spread[0] == spread.max()
    assert spread[:4].mean() > 1.5 * spread[-4:].mean()


@torch.no_grad()
def test_the_decoder_starts_with_each_cells_mean_colour(
    autoencoder: AutoencoderTiny, patches: PatchMap, images: torch.Tensor
) -> None:
    means = torch.nn.functional.interpolate(
        torch.nn.functional.avg_pool2d(images, RECIPE.factor), scale_factor=RECIPE.factor
    )
    painted = autoencoder.decoder(patches(images)) / 2.0 + 0.5
    assert psnr(painted, means) > 24.0


def test_the_decoder_learns_and_resumes(
    autoencoder: AutoencoderTiny, patches: PatchMap, tmp_path: Path
) -> None:
    fresh = CanvasStream(0, RECIPE.size)
    for _ in range(2):
        train_decoder(autoencoder, fresh, patches, RECIPE, tmp_path, device="cpu", workers=0)
    kept = torch.load(tmp_path / "decoder.pt", weights_only=True)
    assert kept["step"] == RECIPE.decoder_steps
    assert len((tmp_path / "decoder.csv").read_text().splitlines()) == 1


def test_a_killed_training_goes_on_exactly(
    fresh_denoiser: Callable[[], Denoiser], lesson: Lesson, tmp_path: Path
) -> None:
    class KilledError(Exception):
        """As by a power cut."""

    def killed(_: Denoiser, samples: int) -> None:
        raise KilledError

    def run(name: str, on_checkpoint: Callable[[Denoiser, int], None], every: float) -> Denoiser:
        model, folder = fresh_denoiser(), tmp_path / name
        folder.mkdir(exist_ok=True)
        train_denoiser(
            model,
            lesson,
            lesson,
            RECIPE,
            folder,
            device="cpu",
            on_checkpoint=on_checkpoint,
            checkpoint_seconds=every,
        )
        return model

    whole = run("whole", lambda *_: None, 1e9)
    with pytest.raises(KilledError):
        run("killed", killed, 0.0)
    resumed = run("killed", lambda *_: None, 1e9)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    exported: list[int] = []
    run("whole", lambda _, samples: exported.append(samples), 1e9)
    assert exported == [RECIPE.samples // RECIPE.batch * RECIPE.batch], "killed at its very end"


def test_parts_of_a_batch_teach_what_the_whole_does(
    fresh_denoiser: Callable[[], Denoiser], lesson: Lesson
) -> None:
    together, apart = fresh_denoiser(), fresh_denoiser()
    scheduler = build_scheduler()
    _, batch = lesson.draw(0, replace(RECIPE, batch=37))
    latents, noise, times, tokens = batch
    weights = torch.linspace(0.5, 1.5, 37)
    predicted = together(scheduler.add_noise(latents, noise, times), times, tokens)
    target = scheduler.get_velocity(latents, noise, times)
    losses = (predicted - target).square().mean((1, 2, 3))
    (losses * weights).mean().backward()
    learned = learn(apart, scheduler, CpuBatching(torch.device("cpu"), small=True), weights, *batch)
    torch.testing.assert_close(learned, losses.detach())
    for one, other in zip(together.parameters(), apart.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_strata_that_are_easy_to_denoise_weigh_as_much_as_hard_ones() -> None:
    balance = Balance(3)
    strata = torch.tensor([0, 1, 1, 1])
    typical = torch.tensor([0.05, 0.5, 0.5, 0.5])
    balance.hear(strata, typical)
    weighted = balance.weights(strata) * typical
    torch.testing.assert_close(weighted, weighted[0].expand(4))
    assert balance.weights(strata).mean() == pytest.approx(1.0)
    assert balance.means[2] == 1.0, "a stratum never heard of stays as it was"


def test_a_balance_forgets_what_was_long_ago() -> None:
    balance = Balance(1)
    once = torch.zeros(1, dtype=torch.long)
    for loss in [9.0, *[0.5] * 500]:
        balance.hear(once, torch.tensor([loss]))
    assert balance.means.item() == pytest.approx(0.5, rel=0.01)


def test_canvases_of_a_kind_and_a_band_of_time_are_a_stratum(
    canvases: Canvases, tokenizer: CLIPTokenizer
) -> None:
    kinds = [seed % 3 for seed in range(len(canvases.captions))]
    lesson = Lesson.of(canvases, tokenizer, kinds=kinds)
    strata, (latents, _, times, _) = lesson.draw(0, replace(RECIPE, batch=50))
    assert lesson.strata == 3 * BANDS
    for stratum, latent, time in zip(strata, latents, times, strict=True):
        row = int((lesson.latents.float() == latent).all((1, 2, 3)).nonzero()[0])
        assert divmod(int(stratum), BANDS) == (kinds[row], int(time) * BANDS // 1000)


def test_hard_manners_are_shown_as_often_as_the_recipe_says(
    canvases: Canvases, tokenizer: CLIPTokenizer
) -> None:
    hard = manner_of(0)
    recipe = replace(RECIPE, hard=(hard,), emphasis=5.0, batch=20_000)
    odds = [recipe.odds(manner_of(seed)) for seed in range(RECIPE.canvases)]
    lesson = Lesson.of(canvases, tokenizer, odds)
    _, (latents, *_) = lesson.draw(0, recipe)
    shown = float((latents == lesson.latents[0].float()).all((1, 2, 3)).float().mean())
    assert shown == pytest.approx(5.0 / sum(odds), rel=0.15)


def test_a_recipe_with_hard_manners_comes_back_from_disk(tmp_path: Path) -> None:
    recipe = replace(RECIPE, hard=("zip", "animal"), emphasis=3.0)
    recipe.save(tmp_path / "recipe.json")
    assert Recipe.load(tmp_path / "recipe.json") == recipe


def test_captions_do_not_start_collapsed(
    fresh_denoiser: Callable[[], Denoiser], lesson: Lesson
) -> None:
    assert caption_rank(fresh_denoiser(), lesson.tokens[:, 0].long()) < 0.9


def test_the_learning_rate_rises_stays_and_falls() -> None:
    rates = [learning_rate(progress / 100, RECIPE) for progress in range(101)]
    assert rates[0] < rates[2] == rates[50] == 1.0 > rates[90] > rates[100]


def test_the_export_is_a_stock_pipeline_that_computes_in_single_precision(
    fresh_denoiser: Callable[[], Denoiser],
    tokenizer: CLIPTokenizer,
    autoencoder: AutoencoderTiny,
    tmp_path: Path,
) -> None:
    export(fresh_denoiser(), tokenizer, autoencoder, RECIPE, tmp_path / "pipeline", samples=1)
    assert not list(tmp_path.rglob("*.bin"))
    (tmp_path / "next").mkdir()  # where `evaluate` keeps its judge, perhaps
    start_from_pipeline(tmp_path / "pipeline", tmp_path / "next")
    with pytest.raises(FileExistsError):
        start_from_pipeline(tmp_path / "pipeline", tmp_path / "next")
    assert Recipe.load(tmp_path / "next" / "recipe.json") == replace(RECIPE, seen=1)
    assert str(tmp_path) not in (tmp_path / "pipeline" / "vae" / "config.json").read_text()
    assert "Licence" in (tmp_path / "pipeline" / "README.md").read_text()
    pipeline = DiffusionPipeline.from_pretrained(tmp_path / "pipeline", local_files_only=True)
    assert pipeline.text_encoder.dtype is pipeline.unet.dtype is torch.float32
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("a red square", num_inference_steps=2, height=64, width=64).images[0]
    assert picture.size == (64, 64)


def test_a_new_vocabulary_reads_the_old_words_alike() -> None:
    """A training that learns more words begins with all that it knew."""
    small = Recipe(vocabulary=600, tokens=16, text_width=16, text_layers=1, text_heads=2)
    large = Recipe(vocabulary=700, tokens=16, text_width=16, text_layers=1, text_heads=2)
    old = train_tokenizer(["a red square on white"], small)
    new = train_tokenizer(["a red square on white", "an elephant in the snow"] * 9, large)
    encoder = build_text_encoder(old, small).eval()
    successor = with_vocabulary(encoder, old, new, large).eval()
    heard, again = (
        model(tokenise(tokenizer, ["a red square"])).last_hidden_state
        for model, tokenizer in ((encoder, old), (successor, new))
    )
    assert torch.allclose(heard, again, atol=1e-5)
    assert len(new) > len(old)
