"""Training: closed-form initialisation, exact resumption, export to stock diffusers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderTiny, DiffusionPipeline
from transformers import CLIPTokenizer

from momalisa.atelier.autoencoder import (
    PatchMap,
    build_autoencoder,
    fit_encoder,
    initialise_decoder,
    patch_map,
    psnr,
    train_decoder,
)
from momalisa.atelier.canvases import (
    Canvases,
    CanvasStream,
    load_shards,
    paint_batch,
    paint_shards,
)
from momalisa.atelier.denoiser import Denoiser, build_scheduler, build_unet
from momalisa.atelier.denoiser_training import (
    LossBalance,
    compute_gradients,
    learning_rate,
    train_denoiser,
)
from momalisa.atelier.denoiser_validation import caption_rank
from momalisa.atelier.painter import manner_of
from momalisa.atelier.recipe import Recipe
from momalisa.atelier.text import (
    build_text_encoder,
    replace_vocabulary,
    tokenise,
    train_tokenizer,
)
from momalisa.atelier.train import export_pipeline, start_from_pipeline
from momalisa.atelier.training_data import BANDS, TrainingData
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
    model = build_autoencoder(RECIPE)
    fit_encoder(model, images)
    initialise_decoder(model, images, patch_map(model, RECIPE))
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
def data(canvases: Canvases, tokenizer: CLIPTokenizer) -> TrainingData:
    return TrainingData.from_canvases(canvases, tokenizer)


@pytest.fixture
def make_denoiser(tokenizer: CLIPTokenizer) -> Callable[[], Denoiser]:
    def _make() -> Denoiser:
        torch.manual_seed(0)
        return Denoiser(build_unet(RECIPE), build_text_encoder(tokenizer, RECIPE))

    return _make


def test_every_canvas_has_its_captions(canvases: Canvases) -> None:
    assert len(canvases.latents) == len(canvases.captions) == RECIPE.canvases
    assert all(1 <= len(lines) <= RECIPE.captions for lines in canvases.captions)


@torch.no_grad()
def test_the_encoder_equals_its_matrix(
    autoencoder: AutoencoderTiny, patches: PatchMap, images: torch.Tensor
) -> None:
    convolved = autoencoder.encoder(images * 2.0 - 1.0)
    torch.testing.assert_close(convolved, patches(images), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_latents_keep_their_order_of_variance(patches: PatchMap, images: torch.Tensor) -> None:
    spread = patches(images).std(dim=(0, 2, 3))
    assert spread[0] == spread.max()
    assert spread[:4].mean() > 1.5 * spread[-4:].mean()


@torch.no_grad()
def test_the_initial_decoder_outputs_mean_colours(
    autoencoder: AutoencoderTiny, patches: PatchMap, images: torch.Tensor
) -> None:
    means = torch.nn.functional.interpolate(
        torch.nn.functional.avg_pool2d(images, RECIPE.factor), scale_factor=RECIPE.factor
    )
    decoded = autoencoder.decoder(patches(images)) / 2.0 + 0.5
    assert psnr(decoded, means) > 24.0


def test_the_decoder_trains_and_resumes(
    autoencoder: AutoencoderTiny, patches: PatchMap, tmp_path: Path
) -> None:
    stream = CanvasStream(0, RECIPE.size)
    for _ in range(2):
        train_decoder(autoencoder, stream, patches, RECIPE, tmp_path, device="cpu", workers=0)
    checkpoint = torch.load(tmp_path / "decoder.pt", weights_only=True)
    assert checkpoint["step"] == RECIPE.decoder_steps
    assert len((tmp_path / "decoder.csv").read_text().splitlines()) == 1


def test_a_killed_training_resumes_exactly(
    make_denoiser: Callable[[], Denoiser], data: TrainingData, tmp_path: Path
) -> None:
    class KilledError(Exception):
        """Simulates the end of the process."""

    def kill(_: Denoiser, samples: int) -> None:
        raise KilledError

    def run(name: str, on_checkpoint: Callable[[Denoiser, int], None], every: float) -> Denoiser:
        model, folder = make_denoiser(), tmp_path / name
        folder.mkdir(exist_ok=True)
        train_denoiser(
            model,
            data,
            data,
            RECIPE,
            folder,
            device="cpu",
            on_checkpoint=on_checkpoint,
            checkpoint_seconds=every,
        )
        return model

    complete = run("complete", lambda *_: None, 1e9)
    with pytest.raises(KilledError):
        run("killed", kill, 0.0)
    resumed = run("killed", lambda *_: None, 1e9)
    for one, other in zip(complete.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    exported: list[int] = []
    run("complete", lambda _, samples: exported.append(samples), 1e9)
    assert exported == [RECIPE.samples // RECIPE.batch * RECIPE.batch], (
        "a run killed before its last export exports again"
    )


def test_gradients_of_parts_sum_to_those_of_the_batch(
    make_denoiser: Callable[[], Denoiser], data: TrainingData
) -> None:
    expected, model = make_denoiser(), make_denoiser()
    scheduler = build_scheduler()
    _, batch = data.draw(0, replace(RECIPE, batch=37))
    latents, noise, times, tokens = batch
    weights = torch.linspace(0.5, 1.5, 37)
    predicted = expected(scheduler.add_noise(latents, noise, times), times, tokens)
    target = scheduler.get_velocity(latents, noise, times)
    losses = (predicted - target).square().mean((1, 2, 3))
    (losses * weights).mean().backward()
    batching = CpuBatching(torch.device("cpu"), small=True)
    part_losses = compute_gradients(model, scheduler, batching, weights, *batch)
    torch.testing.assert_close(part_losses, losses.detach())
    for one, other in zip(expected.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_easy_and_hard_strata_contribute_equally() -> None:
    balance = LossBalance(3)
    strata = torch.tensor([0, 1, 1, 1])
    typical = torch.tensor([0.05, 0.5, 0.5, 0.5])
    balance.update(strata, typical)
    weighted = balance.weights(strata) * typical
    torch.testing.assert_close(weighted, weighted[0].expand(4))
    assert balance.weights(strata).mean() == pytest.approx(1.0)
    assert balance.means[2] == 1.0, "a stratum without losses keeps its mean"


def test_the_running_mean_forgets_old_losses() -> None:
    balance = LossBalance(1)
    stratum = torch.zeros(1, dtype=torch.long)
    for loss in [9.0, *[0.5] * 500]:
        balance.update(stratum, torch.tensor([loss]))
    assert balance.means.item() == pytest.approx(0.5, rel=0.01)


def test_a_stratum_is_a_manner_and_a_band_of_times(
    canvases: Canvases, tokenizer: CLIPTokenizer
) -> None:
    manners = [seed % 3 for seed in range(len(canvases.captions))]
    data = TrainingData.from_canvases(canvases, tokenizer, manners=manners)
    strata, (latents, _, times, _) = data.draw(0, replace(RECIPE, batch=50))
    assert data.strata == 3 * BANDS
    for stratum, latent, time in zip(strata, latents, times, strict=True):
        row = int((data.latents.float() == latent).all((1, 2, 3)).nonzero()[0])
        assert divmod(int(stratum), BANDS) == (manners[row], int(time) * BANDS // 1000)


def test_hard_manners_are_drawn_as_often_as_the_recipe_says(
    canvases: Canvases, tokenizer: CLIPTokenizer
) -> None:
    hard = manner_of(0)
    recipe = replace(RECIPE, hard=(hard,), emphasis=5.0, batch=20_000)
    weights = [recipe.sampling_weight(manner_of(seed)) for seed in range(RECIPE.canvases)]
    data = TrainingData.from_canvases(canvases, tokenizer, weights)
    _, (latents, *_) = data.draw(0, recipe)
    share = float((latents == data.latents[0].float()).all((1, 2, 3)).float().mean())
    assert share == pytest.approx(5.0 / sum(weights), rel=0.15)


def test_a_recipe_with_hard_manners_can_be_saved_and_loaded(tmp_path: Path) -> None:
    recipe = replace(RECIPE, hard=("zip", "animal"), emphasis=3.0)
    recipe.save(tmp_path / "recipe.json")
    assert Recipe.load(tmp_path / "recipe.json") == recipe


def test_initial_caption_embeddings_are_not_collapsed(
    make_denoiser: Callable[[], Denoiser], data: TrainingData
) -> None:
    assert caption_rank(make_denoiser(), data.tokens[:, 0].long()) < 0.9


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [learning_rate(progress / 100, RECIPE) for progress in range(101)]
    assert rates[0] < rates[2] == rates[50] == 1.0 > rates[90] > rates[100]


def test_the_export_is_a_stock_pipeline_that_computes_in_single_precision(
    make_denoiser: Callable[[], Denoiser],
    tokenizer: CLIPTokenizer,
    autoencoder: AutoencoderTiny,
    tmp_path: Path,
) -> None:
    export_pipeline(
        make_denoiser(), tokenizer, autoencoder, RECIPE, tmp_path / "pipeline", samples=1
    )
    assert not list(tmp_path.rglob("*.bin"))
    (tmp_path / "next").mkdir()  # as by `evaluate`, which caches its classifier there
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


def test_a_new_vocabulary_keeps_the_embeddings_of_old_words() -> None:
    """A training with more words starts from what the encoder has learned."""
    small = Recipe(vocabulary=600, tokens=16, text_width=16, text_layers=1, text_heads=2)
    large = Recipe(vocabulary=700, tokens=16, text_width=16, text_layers=1, text_heads=2)
    old = train_tokenizer(["a red square on white"], small)
    new = train_tokenizer(["a red square on white", "an elephant in the snow"] * 9, large)
    encoder = build_text_encoder(old, small).eval()
    copy = replace_vocabulary(encoder, old, new, large).eval()
    before, after = (
        model(tokenise(tokenizer, ["a red square"])).last_hidden_state
        for model, tokenizer in ((encoder, old), (copy, new))
    )
    assert torch.allclose(before, after, atol=1e-5)
    assert len(new) > len(old)
