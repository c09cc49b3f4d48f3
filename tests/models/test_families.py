"""Laws of every family with a transformer: walks of a tiny pipeline equal the stock pipeline's."""

import hashlib
from copy import deepcopy
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from momalisa.engine.conditioning import mix_conditioning
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.interpolation import lerp
from momalisa.engine.latents import LatentSampler
from momalisa.engine.runner import ModelRunner
from momalisa.engine.walk import frames, stills
from momalisa.errors import BadInput
from momalisa.models import cards
from momalisa.models.lora_files import name_loras
from momalisa.models.registry import find, load
from momalisa.prompt_weights import parse_prompt
from momalisa.settings import settings
from momalisa.spec import Place, WalkSpec
from tests.support.attention_laws import check_attention
from tests.support.families import FAMILIES as OTHERS
from tests.support.families import PROMPTS, TinyFamily, write
from tests.support.language_model_families import LANGUAGE_MODEL_FAMILIES
from tests.support.lora_files import put_lora
from tests.support.loras import write_lora

FAMILIES = OTHERS | LANGUAGE_MODEL_FAMILIES

TOLERANCE = 1
"""Of 255 levels."""

Loaded = tuple[TinyFamily, ModelRunner]


@pytest.fixture(scope="module", params=list(FAMILIES))
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A family's tiny pipeline, written to disk and loaded."""
    family = FAMILIES[request.param]
    folder = write(family, tmp_path_factory.mktemp("family"))
    return family, load(str(folder), "cpu")


def walk(family: TinyFamily, **changes: Any) -> WalkSpec:
    """A walk of three frames of 64 pixels, unless changed."""
    stops = [{"prompt": prompt, "seed": seed} for seed, prompt in enumerate(PROMPTS)]
    fields: dict[str, Any] = {"frames": 3, "steps": family.steps, "size": 64, "mode": "exact"}
    fields |= {"negative": family.negative, "guidance": family.guidance}
    return WalkSpec.model_validate({"stops": stops} | fields | changes)


def painted(spec: WalkSpec, runner: ModelRunner, cache: FrameCache, batch: int = 0) -> list[Frame]:
    """The walk's frames, by their place."""
    found = [frame for frame in frames(spec, runner, cache, batch=batch) if frame.finished]
    return [frame.frame for frame in sorted(found, key=lambda frame: frame.index)]


def largest_difference(one: list[Frame], other: list[Frame]) -> int:
    return int(np.abs(np.stack(one).astype(int) - np.stack(other).astype(int)).max())


def stock(loaded: Loaded, prompt: str, seed: int, width: int = 64, height: int = 64) -> Frame:
    """The picture that diffusers' own pipeline makes from the same seed."""
    family, runner = loaded
    model: Any = runner.model
    model.pipeline.set_progress_bar_config(disable=True)
    extra: dict[str, Any] = {"guidance_scale": family.guidance}
    if family.negative:
        extra["negative_prompt"] = family.negative
    picture = model.pipeline(
        prompt=prompt,
        num_inference_steps=family.steps,
        height=height,
        width=width,
        generator=torch.Generator().manual_seed(seed),
        output_type="np",
        **(extra | dict(family.options)),
    ).images[0]
    return np.asarray((picture * 255).round(), dtype=np.uint8)


def test_ends_equal_the_stock_pipeline(loaded: Loaded, tmp_path: Path) -> None:
    family, runner = loaded
    spec = walk(family, frames=5)
    found = {f.index: f for f in frames(spec, runner, FrameCache(tmp_path)) if f.finished}
    assert sorted(found) == [0, 1, 2, 3, 4]
    ends = [(found[0], spec.stops[0]), (found[4], spec.stops[1])]
    expected = [stock(loaded, stop.prompt, stop.seed) for _, stop in ends]
    assert largest_difference([frame.frame for frame, _ in ends], expected) <= TOLERANCE
    assert largest_difference([found[0].frame], [found[4].frame]) > TOLERANCE


def test_a_wide_picture_equals_the_stock_pipelines(loaded: Loaded, tmp_path: Path) -> None:
    spec = walk(loaded[0], size="128x64", frames=2)
    (found,) = stills(spec, [Place(0, 0.0)], loaded[1], FrameCache(tmp_path))
    expected = stock(loaded, spec.stops[0].prompt, spec.stops[0].seed, width=128)
    assert found.frame.shape == (64, 128, 3)
    assert largest_difference([found.frame], [expected]) <= TOLERANCE


def test_a_lora_has_the_weight_of_its_stop_or_is_refused(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_LORAS", str(tmp_path))
    settings.cache_clear()
    family, runner = loaded
    pipeline: Any = runner.model.pipeline  # type: ignore[attr-defined]
    takes = hasattr(runner.model.network, "load_lora_adapter")
    file = write_lora(pipeline, tmp_path, "ink") if takes else put_lora(tmp_path, "ink")
    loras = name_loras([{"name": "ink", "weights": [0.3, 1.0]}])
    spec, cache = walk(family, loras=loras), FrameCache(tmp_path / "cache")
    ends = [Place(0, 0.0), Place(0, 1.0)]
    if not takes:
        with pytest.raises(BadInput, match="takes no LoRA"):
            stills(spec, ends, runner, cache)
        return
    found = [frame.frame for frame in stills(spec, ends, runner, cache)]
    runner.use_loras(())
    pipeline.load_lora_weights(file.parent, weight_name=file.name, adapter_name="ink")
    expected = []
    for stop, weight in zip(spec.stops, (0.3, 1.0), strict=True):
        pipeline.set_adapters(["ink"], [weight])
        expected.append(stock(loaded, stop.prompt, stop.seed))
    pipeline.unload_lora_weights()
    assert largest_difference(found, expected) <= TOLERANCE
    plain = stock(loaded, spec.stops[1].prompt, spec.stops[1].seed)
    assert largest_difference(found[1:], [plain]) > TOLERANCE


def test_batches_and_resuming_change_nothing(loaded: Loaded, tmp_path: Path) -> None:
    family, runner = loaded
    spec = walk(family, frames=5)
    whole = painted(spec, runner, FrameCache(tmp_path / "whole"), batch=4)
    resumed = FrameCache(tmp_path / "resumed")
    walking = frames(spec, runner, resumed, batch=1)
    for _ in range(2):
        next(walking)
    walking.close()
    again = painted(spec, runner, resumed, batch=1)
    assert largest_difference(whole, again) <= TOLERANCE


def test_a_stop_of_two_walks_is_one_frame(loaded: Loaded, tmp_path: Path) -> None:
    family, runner = loaded
    cache = FrameCache(tmp_path)
    painted(walk(family), runner, cache)
    other = [{"prompt": PROMPTS[1], "seed": 1}, {"prompt": "a mask", "seed": 2}]
    found = list(frames(walk(family, stops=other), runner, cache))
    assert found[0].source == "cache"


@pytest.mark.parametrize(
    "changes",
    [{"pacing": "even", "frames": 5}, {"without": []}, {"interpolation": "predictions"}],
)
def test_every_way_to_walk_works(loaded: Loaded, tmp_path: Path, changes: dict[str, Any]) -> None:
    family, runner = loaded
    spec = walk(family, **{"mode": "fast", "without": ["glide", "trunk"]} | changes)
    found = list(frames(spec, runner, FrameCache(tmp_path)))
    assert len({frame.index for frame in found if frame.finished}) == spec.frames
    assert any(frame.source == "preview" for frame in found) != runner.is_quick


def test_a_picture_comes_back_through_its_latents(loaded: Loaded) -> None:
    """The same scale and offset lead into the autoencoder's latents and out of them."""
    model: Any = loaded[1].model
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    latents = model.encode_picture(picture)
    with torch.no_grad():
        pixels = torch.from_numpy(picture).permute(2, 0, 1)[None] / 127.5 - 1.0
        plain = loaded[0].through_autoencoder(model.pipeline.vae, pixels)
    expected = ((plain[0] / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0)
    (decoded,) = model.decode(latents[None])
    assert largest_difference([decoded], [expected.numpy().astype(np.uint8)]) <= TOLERANCE


def test_a_walk_leads_from_a_picture_to_the_familys_own(loaded: Loaded, tmp_path: Path) -> None:
    """By the steps of its scheduler, with the conditions that it has for an empty prompt."""
    family, runner = loaded
    cache, data = FrameCache(tmp_path), BytesIO()
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(picture).resize((64, 64)).save(data, "WEBP", lossless=True)
    digest = hashlib.sha256(data.getvalue()).hexdigest()
    cache.put_file(digest, data.getvalue())
    stops = [{"image": {"digest": digest}}, {"prompt": PROMPTS[1], "seed": 1}]
    places = [Place(0, t) for t in (0.0, 0.5, 0.9995, 1.0)]
    first, middle, near, end = (
        still.frame for still in stills(walk(family, stops=stops), places, runner, cache)
    )
    assert np.array_equal(first, np.asarray(Image.open(data).convert("RGB")))
    assert np.abs(near.astype(int) - end).mean() < 3
    assert largest_difference([middle], [end]) > TOLERANCE


def test_frames_attend_to_both_ends_or_say_that_they_cannot(loaded: Loaded, tmp_path: Path) -> None:
    family, runner = loaded
    spec = walk(family, frames=5, interpolation="attention")
    model: Any = runner.model
    assert cards.FAMILIES[type(model.pipeline).__name__].attends == model.attends
    if runner.model.attends:
        check_attention(spec, runner, tmp_path)
        return
    with pytest.raises(BadInput, match="such as predictions"):
        painted(spec, runner, FrameCache(tmp_path))


def test_words_are_weighed_or_it_is_said_that_they_cannot(loaded: Loaded, tmp_path: Path) -> None:
    family, runner = loaded
    model: Any = runner.model
    assert cards.FAMILIES[type(model.pipeline).__name__].weighs == model.weighs
    stops = [{"prompt": "a (red square)1 on white"}, {"prompt": "a (red square)2 on white"}]
    ends = [Place(0, 0.0), Place(0, 1.0)]
    spec, cache = walk(family, stops=stops, prompt_weights=True), FrameCache(tmp_path)
    if not model.weighs:
        with pytest.raises(BadInput, match="cannot weigh words"):
            stills(spec, ends, runner, cache)
        return
    one, two = (still.frame for still in stills(spec, ends, runner, cache))
    assert largest_difference([one], [stock(loaded, PROMPTS[0], spec.stops[0].seed)]) <= TOLERANCE
    assert largest_difference([one], [two]) > 0
    near = model.encode_weighted(parse_prompt("a (red square)1.0001 on white"), 64, 64)
    plain = model.encode([PROMPTS[0]], 64, 64)
    for found, expected in zip(near.tensors(), plain.tensors(), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def test_where_guidance_is_a_number_it_is_said_that_negative_prompts_have_no_effect(
    loaded: Loaded,
) -> None:
    """FLUX.1, Sana-Sprint and LCM passed them over, and said nothing."""
    model = loaded[1].model
    if model.guidance != "none":
        assert bool(find(model.name).warn_of_negative(2.0)) is (model.guidance == "embedded")


def test_half_precision_paints_much_the_same(loaded: Loaded, tmp_path: Path) -> None:
    """In the precision in which the family runs on CUDA."""
    family, runner = loaded
    model: Any = runner.model
    half = replace(model, dtype=model.half, pipeline=deepcopy(model.pipeline).to(model.half))
    found, whole = (
        painted(walk(family), one, FrameCache(tmp_path / name))
        for name, one in (("half", ModelRunner(half)), ("whole", runner))
    )
    assert np.abs(np.stack(found).astype(int) - np.stack(whole)).mean() <= 8


def test_a_size_that_does_not_fit_is_refused(loaded: Loaded) -> None:
    model = loaded[1].model
    with pytest.raises(BadInput, match="multiples of"):
        model.check(64, 65)
    model.check(64, 128)


def test_long_prompts_tell_what_is_not_read(loaded: Loaded) -> None:
    model = loaded[1].model
    assert model.unread("a red square") == ""
    assert model.unread("a red square " * 200)


def test_the_card_has_the_familys_settings(loaded: Loaded) -> None:
    card = find(loaded[1].model.name)
    assert (card.ready, card.size >= 64) == (True, True)


def test_noise_that_steps_add_goes_on_along_the_walk(tmp_path: Path) -> None:
    """Neighbouring frames are alike, though each step adds noise."""
    family = FAMILIES["sd with lcm"]
    runner = load(str(write(family, tmp_path / "model")), "cpu")
    places = [Place(0, t) for t in (0.5, 0.5 + 1e-5, 0.7)]
    found = [frame.frame for frame in stills(walk(family), places, runner, FrameCache(tmp_path))]
    assert largest_difference(found[:1], found[1:2]) <= TOLERANCE
    assert largest_difference(found[:1], found[2:]) > TOLERANCE


@pytest.mark.parametrize(
    ("name", "steps", "guidance"),
    [
        ("lcm", 4, 8.5),
        ("sd with lcm", 4, 1.0),
        ("sana-sprint", 2, 4.5),
        ("flux schnell", 4, 1.0),
        ("flux.2 klein", 4, 1.0),
    ],
)
def test_distilled_checkpoints_tell_their_steps_and_guidance(
    tmp_path: Path, name: str, steps: int, guidance: float
) -> None:
    card = find(str(write(FAMILIES[name], tmp_path)))
    assert (card.steps, card.guidance, card.distilled) == (steps, guidance, True)


@pytest.mark.parametrize("name", ["flux dev", "flux.2 klein base", "sana"])
def test_other_checkpoints_are_not_taken_for_distilled(tmp_path: Path, name: str) -> None:
    assert not find(str(write(FAMILIES[name], tmp_path))).distilled


@pytest.mark.parametrize("name", ["z-image", "z-image turbo"])
def test_loras_of_layers_that_see_all_samples_at_once_act_on_each_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows are tokens: in a batch the weights of samples were laid on one after another."""
    monkeypatch.setenv("MOMALISA_LORAS", str(tmp_path))
    settings.cache_clear()
    family = FAMILIES[name]
    runner = load(str(write(family, tmp_path / "model")), "cpu")
    write_lora(runner.model.pipeline, tmp_path, "ink")  # type: ignore[attr-defined]
    loras = name_loras([{"name": "ink", "weights": [0.0, 1.0]}])
    spec = walk(family, frames=5, loras=loras)  # so many that a thread gets more than one
    one, four = (
        painted(spec, runner, FrameCache(tmp_path / str(batch)), batch=batch) for batch in (1, 4)
    )
    assert largest_difference(one, four) <= TOLERANCE


def test_a_shorter_text_holds_its_last_token_with_loras_and_without(loaded: Loaded) -> None:
    """Without, texts were encoded as one batch, whose padding was mixed in; films differed."""
    spec, runner = walk(loaded[0]), loaded[1]
    found = LatentSampler(spec, runner).conditioning_at([Place(0, 0.5)])
    start, end = (runner.encode([prompt], 64, 64) for prompt in PROMPTS)
    mixed = mix_conditioning(start, end, torch.tensor([0.5]), lerp)
    torch.testing.assert_close(found.tokens, mixed.tokens, check_dtype=False)


@pytest.mark.parametrize("name", ["z-image", "qwen-image", "lumina2"])
def test_predictions_lead_to_an_end_though_texts_differ_in_length(
    tmp_path: Path, name: str
) -> None:
    family = FAMILIES[name]
    runner = load(str(write(family, tmp_path / "model")), "cpu")
    spec = walk(family, interpolation="predictions")
    places = [Place(0, t) for t in (0.0, 1e-5, 1 - 1e-5, 1.0)]
    found = [frame.frame for frame in stills(spec, places, runner, FrameCache(tmp_path))]
    assert largest_difference(found[:2], [found[0], found[0]]) <= TOLERANCE
    assert largest_difference(found[2:], [found[3], found[3]]) <= TOLERANCE


def test_without_guidance_each_step_predicts_once(tmp_path: Path) -> None:
    family = FAMILIES["z-image turbo"]
    runner = load(str(write(family, tmp_path / "model")), "cpu")
    found = list(frames(walk(family), runner, FrameCache(tmp_path)))
    assert sum(frame.unet_samples for frame in found) == 3 * family.steps
