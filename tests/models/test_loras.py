"""Laws of LoRAs: a frame is what the stock pipeline paints with the weight between the stops'."""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from momalisa.engine.frame_cache import Frame, FrameCache, frame_key
from momalisa.engine.runner import ModelRunner
from momalisa.engine.walk import frames, stills
from momalisa.errors import BadInput
from momalisa.models import lora_files
from momalisa.models.registry import load
from momalisa.settings import settings
from momalisa.spec import Place, WalkSpec
from tests.support import families
from tests.support.families import PROMPTS
from tests.support.loras import kohya_form, write_lora

TOLERANCE = 1
"""Of 255 levels."""


def stable_diffusion() -> Any:
    """A `StableDiffusionPipeline` whose schedule adds no noise."""
    from diffusers import DDIMScheduler

    pipeline = families.consistency_model(False)
    pipeline.scheduler = DDIMScheduler(clip_sample=False, steps_offset=1)
    return pipeline


BUILDS: dict[str, Callable[[], Any]] = {"sd": stable_diffusion, "flux": families.flux}


@pytest.fixture(scope="module", params=list(BUILDS))
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelRunner:
    folder = tmp_path_factory.mktemp("family")
    torch.manual_seed(0)
    BUILDS[request.param]().save_pretrained(folder)
    runner = load(str(folder), "cpu")
    runner.trace()  # as it is before long: no recording may keep a weight
    return runner


@pytest.fixture(scope="module")
def written(runner: ModelRunner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two LoRAs."""
    folder = tmp_path_factory.mktemp("written")
    for seed, name in enumerate(("ink", "gold")):
        write_lora(runner.model.pipeline, folder, name, seed=seed)  # type: ignore[attr-defined]
    return folder


@pytest.fixture(autouse=True)
def loras(
    runner: ModelRunner, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Path]:
    """Two LoRAs in the folder of LoRAs, by name."""
    folder = shutil.copytree(written, tmp_path / "loras")
    monkeypatch.setenv("MOMALISA_LORAS", str(folder))
    settings.cache_clear()
    runner.use_loras(())
    return {name: folder / f"{name}.safetensors" for name in ("ink", "gold")}


def walk(*loras: tuple[str, Any], **changes: Any) -> WalkSpec:
    """A walk of three frames of 64 pixels with LoRAs by name and weights."""
    stops = [{"prompt": prompt, "seed": seed} for seed, prompt in enumerate(PROMPTS)]
    fields: dict[str, Any] = {"frames": 3, "steps": 3, "size": 64, "mode": "exact"}
    fields |= {"guidance": 4.0, "negative": "blur", "without": ()}
    named = [{"name": name, "weights": weights} for name, weights in loras]
    fields["loras"] = lora_files.name_loras(named)
    return WalkSpec.model_validate({"stops": stops} | fields | changes)


def painted(spec: WalkSpec, runner: ModelRunner, cache: FrameCache, batch: int = 0) -> list[Frame]:
    found = [frame for frame in frames(spec, runner, cache, batch=batch) if frame.finished]
    return [frame.frame for frame in sorted(found, key=lambda frame: frame.index)]


def difference(one: list[Frame], other: list[Frame]) -> int:
    return int(np.abs(np.stack(one).astype(int) - np.stack(other).astype(int)).max())


def stock(runner: ModelRunner, stop: int, weights: dict[Path, float]) -> Frame:
    """What diffusers' own pipeline paints at a stop with these weights."""
    pipeline: Any = runner.model.pipeline  # type: ignore[attr-defined]
    pipeline.set_progress_bar_config(disable=True)
    runner.use_loras(())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for file in weights:
            pipeline.load_lora_weights(file.parent, weight_name=file.name, adapter_name=file.stem)
    if weights:
        pipeline.set_adapters([file.stem for file in weights], list(weights.values()))
    guided = {} if "transformer" in pipeline.components else {"negative_prompt": "blur"}
    picture = pipeline(
        prompt=PROMPTS[stop],
        num_inference_steps=3,
        width=64,
        height=64,
        guidance_scale=4.0,
        generator=torch.Generator().manual_seed(stop),
        output_type="np",
        **guided,
    ).images[0]
    pipeline.unload_lora_weights()
    return np.asarray((picture * 255).round(), dtype=np.uint8)


def test_ends_equal_the_stock_pipeline_with_the_weight_of_their_stop(
    runner: ModelRunner, loras: dict[str, Path], tmp_path: Path
) -> None:
    spec = walk(("ink", [0.3, 1.2]), ("gold", 0.5))
    found = painted(spec, runner, FrameCache(tmp_path))
    expected = [
        stock(runner, stop, {loras["ink"]: weight, loras["gold"]: 0.5})
        for stop, weight in enumerate((0.3, 1.2))
    ]
    assert difference([found[0], found[2]], expected) <= TOLERANCE
    plain = [stock(runner, stop, {}) for stop in (0, 1)]
    assert difference([found[0]], plain[:1]) > 5 * TOLERANCE
    assert difference([found[2]], plain[1:]) > 5 * TOLERANCE


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"interpolation": "predictions"},
        {"interpolation": "attention"},
        {"mode": "fast"},
    ],
)
def test_batches_and_resuming_change_nothing(
    runner: ModelRunner, tmp_path: Path, changes: dict[str, Any]
) -> None:
    if changes.get("interpolation") == "attention" and not runner.model.attends:
        pytest.skip("this family does not attend")
    spec = walk(("ink", [0.0, 1.0]), ("gold", [1.0, 0.5]), **{"frames": 5} | changes)
    whole = painted(spec, runner, FrameCache(tmp_path / "whole"), batch=4)
    resumed = FrameCache(tmp_path / "resumed")
    walking = frames(spec, runner, resumed, batch=1)
    for _ in range(2):
        next(walking)
    walking.close()
    assert difference(whole, painted(spec, runner, resumed, batch=1)) <= TOLERANCE


def test_between_two_stops_the_weight_is_in_between(runner: ModelRunner, tmp_path: Path) -> None:
    """Between two equal stops, where nothing but the network's weight changes."""
    pipeline: Any = runner.model.pipeline  # type: ignore[attr-defined]
    runner.use_loras(())
    write_lora(pipeline, settings().loras_folder, "network", text=False)
    stops = [{"prompt": PROMPTS[0], "seed": 0}] * 2
    leg = walk(("network", [0.2, 1.0]), stops=stops, guidance=1.0)
    even = walk(("network", 0.6), guidance=1.0)
    (found,) = stills(leg, [Place(0, 0.5)], runner, FrameCache(tmp_path / "one"))
    (expected,) = stills(even, [Place(0, 0.0)], runner, FrameCache(tmp_path / "two"))
    assert difference([found.frame], [expected.frame]) <= TOLERANCE


def test_text_encoders_have_the_weight_of_their_stop(runner: ModelRunner) -> None:
    if "unet" not in _parts(runner):
        pytest.skip("this family's LoRAs have no part for a text encoder here")
    spec = walk(("ink", [0.0, 1.0]))
    runner.use_loras(spec.loras)
    none, half, whole = (
        runner.encode([PROMPTS[0]], 64, 64, (weight,)).tokens for weight in (0.0, 0.5, 1.0)
    )
    runner.use_loras(())
    assert torch.equal(none, runner.encode([PROMPTS[0]], 64, 64).tokens)
    assert 0 < (none - half).abs().max() < (none - whole).abs().max()


def test_a_lora_of_the_text_encoder_alone_changes_what_it_reads(
    runner: ModelRunner, loras: dict[str, Path]
) -> None:
    """It was refused, as one of another family."""
    if "unet" not in _parts(runner):
        pytest.skip("this family's LoRAs have no part for a text encoder here")
    matrices = load_file(loras["ink"])
    texts = {name: matrix for name, matrix in matrices.items() if name.startswith("text_encoder")}
    save_file(texts, loras["ink"].with_stem("words"))
    plain = runner.encode([PROMPTS[0]], 64, 64).tokens
    runner.use_loras(walk(("words", 1.0)).loras)
    assert not torch.equal(plain, runner.encode([PROMPTS[0]], 64, 64, (1.0,)).tokens)


def test_a_weight_of_zero_is_none(runner: ModelRunner, tmp_path: Path) -> None:
    plain = painted(walk(), runner, FrameCache(tmp_path / "plain"))
    idle = painted(walk(("ink", 0.0)), runner, FrameCache(tmp_path / "idle"))
    assert difference(plain, idle) == 0
    assert walk(("ink", [0, 0])).digest() == walk().digest()
    half = painted(walk(("ink", [0.0, 1.0])), runner, FrameCache(tmp_path / "half"))
    assert difference(plain[:1], half[:1]) <= TOLERANCE
    assert difference(plain[2:], half[2:]) > TOLERANCE
    after = painted(walk(), runner, FrameCache(tmp_path / "after"))
    assert difference(plain, after) == 0


def test_a_stop_of_two_walks_is_one_frame(runner: ModelRunner, tmp_path: Path) -> None:
    cache = FrameCache(tmp_path)
    painted(walk(("ink", [0.0, 1.0])), runner, cache)
    other = [{"prompt": PROMPTS[1], "seed": 1}, {"prompt": "a mask", "seed": 2}]
    found = list(frames(walk(("ink", 1.0), stops=other), runner, cache))
    assert found[0].source == "cache"
    plain = list(frames(walk(), runner, cache))
    assert [frame.source for frame in plain if frame.finished][:2] == ["cache", "painted"]


def test_keys_and_digests_tell_weights_and_files_apart_and_no_names(
    loras: dict[str, Path], tmp_path: Path
) -> None:
    one, other = walk(("ink", [0.0, 1.0])), walk(("ink", [0.0, 0.9]))
    middle = Place(0, 0.5)
    assert one.digest() != other.digest() != walk(("gold", [0.0, 0.9])).digest()
    assert frame_key(one, middle, "m") != frame_key(other, middle, "m")
    loras["ink"].rename(loras["ink"].with_stem("indigo"))
    renamed = walk(("indigo", [0.0, 1.0]))
    assert renamed.digest() == one.digest()
    assert frame_key(renamed, middle, "m") == frame_key(one, middle, "m")
    assert lora_files.find_file(one.loras[0]).stem == "indigo"


def test_a_lora_of_another_family_says_so_and_leaves_the_model_as_it_was(
    runner: ModelRunner, tmp_path: Path
) -> None:
    before = painted(walk(), runner, FrameCache(tmp_path / "before"))
    torch.manual_seed(0)
    build = families.stable_diffusion_3 if "unet" in _parts(runner) else stable_diffusion
    write_lora(build(), settings().loras_folder, "foreign")
    with pytest.raises(BadInput, match="“foreign” does not fit"):
        painted(walk(("foreign", 1.0)), runner, FrameCache(tmp_path / "none"))
    assert difference(before, painted(walk(), runner, FrameCache(tmp_path / "after"))) == 0


def test_the_form_of_other_programs_is_read(
    runner: ModelRunner, loras: dict[str, Path], tmp_path: Path
) -> None:
    if "unet" not in _parts(runner):
        pytest.skip("written here for Stable Diffusion")
    loras["gold"].write_bytes(kohya_form(loras["ink"]))
    place = [Place(0, 0.0)]
    (found,) = stills(walk(("gold", 1.0)), place, runner, FrameCache(tmp_path / "one"))
    (expected,) = stills(walk(("ink", 0.5)), place, runner, FrameCache(tmp_path / "two"))
    assert difference([found.frame], [expected.frame]) <= TOLERANCE


def _parts(runner: ModelRunner) -> Any:
    return runner.model.pipeline.components  # type: ignore[attr-defined]
