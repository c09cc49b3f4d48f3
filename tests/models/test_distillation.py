"""Which steps and guidance a checkpoint gets that nobody has listed."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import LCMScheduler

from momalisa.errors import BadInput
from momalisa.models.cards import FAMILIES
from momalisa.models.distillation import DISTILLATION, UsualSettings, read_usual_settings
from momalisa.models.registry import find, load

SDXL, FLOW = "StableDiffusionXLPipeline", "FlowMatchEulerDiscreteScheduler"


def read(
    folder: Path,
    family: str = SDXL,
    *,
    title: str = "art",
    scheduler: str = "EulerDiscreteScheduler",
    network: Any = None,
    spacing: str = "leading",
    **index: Any,
) -> UsualSettings:
    """The settings of a checkpoint with these configurations, in an empty folder."""
    (folder / "scheduler").mkdir(exist_ok=True)
    config = json.dumps({"timestep_spacing": spacing})
    (folder / "scheduler" / "scheduler_config.json").write_text(config)
    index |= {"_class_name": family, "scheduler": ["diffusers", scheduler]}
    return read_usual_settings(folder, index, network or {}, title)


@pytest.mark.parametrize(
    ("family", "title", "steps", "guidance"),
    [
        (SDXL, "SDXL-Turbo", 2, 0.0),
        (SDXL, "sdxl_turbo fp16", 2, 0.0),
        (SDXL, "some-mirror/sdxl-turbo", 2, 0.0),
        ("StableDiffusionPipeline", "sd-turbo", 2, 0.0),
        ("StableDiffusion3Pipeline", "stable-diffusion-3.5-large-turbo", 4, 0.0),
        ("ZImagePipeline", "Z-Image-Turbo", 9, 1.0),
        (SDXL, "SDXL-Lightning-4step", 4, 1.0),
        (SDXL, "Hyper-SDXL-8steps", 8, 1.0),
    ],
)
def test_a_name_tells_steps_and_guidance(
    tmp_path: Path, family: str, title: str, steps: int, guidance: float
) -> None:
    assert read(tmp_path, family, title=title) == UsualSettings(steps, guidance)


@pytest.mark.parametrize(
    "saved_from", ["stabilityai/sdxl-turbo", "/x/models--stabilityai--sdxl-turbo/snapshots/abc"]
)
def test_what_it_was_saved_from_tells_it_under_any_name(tmp_path: Path, saved_from: str) -> None:
    assert read(tmp_path, _name_or_path=saved_from) == UsualSettings(2, 0.0)
    usual = read(tmp_path, _name_or_path="stabilityai/stable-diffusion-xl-base-1.0")
    assert not usual.distilled


@pytest.mark.parametrize("scheduler", ["LCMScheduler", "TCDScheduler"])
def test_schedulers_of_distilled_checkpoints_tell_it(tmp_path: Path, scheduler: str) -> None:
    assert read(tmp_path, scheduler=scheduler) == UsualSettings(4, 1.0)


def test_consistency_models_paint_in_as_many_steps_as_their_scheduler_has(
    make_pipeline: Any,
) -> None:
    """It was told by a traceback, after the model was loaded."""
    folder = make_pipeline(LCMScheduler(original_inference_steps=40, steps_offset=1))
    card = find(str(folder))
    assert card.refuse_steps(40) == ""
    assert "at most 40 steps" in card.refuse_steps(41)
    sampler = load(str(folder), "cpu").model.sampler(41, 64, 64)
    with pytest.raises(BadInput, match="at most 40 steps"):
        sampler.start(torch.zeros(1, 4, 8, 8))


def test_a_network_that_reads_the_guidance_is_a_consistency_model(tmp_path: Path) -> None:
    network = {"time_cond_proj_dim": 256}
    assert read(tmp_path, network=network, scheduler="LCMScheduler") == UsualSettings(4, 8.5)


@pytest.mark.parametrize(
    "title",
    [
        "DreamShaperXL_Turbo_v2",
        "dreamshaperXLLightning",
        "LCM_Dreamshaper",
        "Hyper-SDXL-8steps-CFG",
    ],
)
def test_a_word_in_its_name_makes_a_guess_that_is_told(tmp_path: Path, title: str) -> None:
    told = read(tmp_path, title=title)
    assert (told.steps, told.guidance, told.distilled) == (6, 1.0, True)
    assert "6 without guidance are a guess" in told.doubt
    assert DISTILLATION in told.doubt


def test_a_guess_is_no_less_than_what_the_familys_own_takes(tmp_path: Path) -> None:
    told = read(tmp_path, "ZImagePipeline", title="My Z-Image Turbo mix", scheduler=FLOW)
    assert (told.steps, bool(told.doubt)) == (9, True)


@pytest.mark.parametrize("title", ["hyper-realistic", "de-distilled", "Turbografx", "undistilled"])
def test_other_names_are_no_reason_to_guess(tmp_path: Path, title: str) -> None:
    usual = FAMILIES[SDXL]
    expected = UsualSettings(usual.steps, usual.guidance, distilled=False)
    assert read(tmp_path, title=title) == expected


def test_a_scheduler_set_as_that_of_turbo_is_told_and_changes_nothing(tmp_path: Path) -> None:
    told = read(tmp_path, spacing="trailing")
    assert (told.steps, told.distilled) == (FAMILIES[SDXL].steps, False)
    assert "may not fit" in told.doubt
    assert DISTILLATION in told.doubt


def test_its_own_file_ends_all_doubt(tmp_path: Path) -> None:
    (tmp_path / DISTILLATION).write_text('{"steps": 8, "guidance": 2.0}')
    assert read(tmp_path, title="a-turbo-mix", spacing="trailing") == UsualSettings(8, 2.0)
