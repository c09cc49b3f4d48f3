"""Create tells what a model needs before a walk is made with it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from momalisa.models.cards import ATELIER
from momalisa.models.fit import GB, Machine, Weights
from momalisa.models.hub_cards import HUB_MODELS
from momalisa.settings import settings
from momalisa.ui.create.model_choice import describe, label
from tests.support.pages import all_text, widget

CARDS = {card.name: replace(card, ready=False, hint="To bring it: …") for card in HUB_MODELS}
SMALL = Machine("cuda", 8 * GB, 16 * GB)
Visit = Callable[..., Any]


def test_the_list_says_what_is_not_here_and_what_is_too_large() -> None:
    assert label(ATELIER, SMALL) == ATELIER.title
    assert label(CARDS["sd-1.5"], SMALL) == "Stable Diffusion 1.5 · not here"
    assert label(CARDS["flux-dev"], SMALL) == "FLUX.1 dev · not here · too large"
    assert label(CARDS["flux-dev"], None) == "FLUX.1 dev · not here"


def test_a_model_tells_its_licence_its_gate_and_why_it_does_not_fit() -> None:
    told = describe(CARDS["flux-dev"], SMALL, 1024**2)
    for words in ("Non-Commercial", "terms are accepted at", "34 GB", "Too large", "To bring it"):
        assert words in told


def test_what_is_here_tells_how_it_fits_the_size_that_is_asked_for() -> None:
    card = replace(CARDS["sdxl"], ready=True)
    assert "in parts" in describe(card, SMALL, 1024**2)
    assert "To bring it" not in describe(card, SMALL, 1024**2)
    small = replace(card, weights=Weights(10**9, 10**9))
    assert "Fits this GPU: " in describe(small, SMALL, 512**2)
    assert "Fits" not in describe(card, None, 1024**2)


def test_create_shows_it_before_the_button_is_pressed(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("momalisa.ui.create.form.painting_machine", lambda here: SMALL)
    at = visit("create")
    assert "Licence: MIT. Fits this GPU" in all_text(at)
    widget(at, "selectbox", "Model").select("sd-1.5").run()
    assert "models pull sd-1.5" in all_text(at)


def test_create_says_that_a_model_is_quantised_before_the_button_is_pressed(
    visit: Visit, make_pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(make_pipeline(), tmp_path / "models" / "small")
    config = tmp_path / "models" / "small" / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"quantization_config": {}}))
    monkeypatch.setenv("MOMALISA_MODELS", str(tmp_path / "models"))
    settings.cache_clear()
    at = visit("create")
    widget(at, "selectbox", "Model").select("small").run()
    assert "“small” cannot be used: its unet/config.json is quantised" in all_text(at)
