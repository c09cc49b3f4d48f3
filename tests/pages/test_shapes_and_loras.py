"""Create: sizes that are not squares, LoRAs with their weights, and weights of words."""

from pathlib import Path

import pytest

from momalisa.models import cards
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from tests.support.lora_files import put_lora
from tests.support.pages import (
    WALK,
    MakeWalk,
    Visit,
    all_text,
    all_walks,
    press,
    type_prompts,
    widget,
)


def test_a_portrait_is_chosen_kept_and_loaded_again(visit: Visit, add_film: MakeWalk) -> None:
    at = type_prompts(visit("create"), "a red square", "a sea")
    size = widget(at, "selectbox", "Size")
    assert "192 × 320, portrait 2:3" in size.options
    at = size.select("192x320").run()
    assert "trained on squares" in all_text(at)
    press(at, WALK)
    (walk,) = all_walks()
    assert (walk.size, walk.height, walk.spec["height"]) == (192, 320, 320)
    film = add_film("a moon", "a lake", size=320, height=192)
    again = visit("create", use=film.id)
    assert widget(again, "selectbox", "Size").value == "320x192"
    assert "320 × 192" in all_text(visit("gallery", walk=film.id))


def test_without_lora_files_there_is_no_field(visit: Visit) -> None:
    assert [field.label for field in visit("create").multiselect] == []


def test_a_lora_comes_in_along_the_way(visit: Visit, add_film: MakeWalk) -> None:
    put_lora(Path(settings().loras_folder), "ink")
    at = type_prompts(visit("create"), "a red square", "a sea")
    at = widget(at, "multiselect", "LoRAs").select("ink").run()
    widget(at, "text_input", "Weight of ink").set_value("0, 0.5, 1")
    press(at, WALK)
    assert "3 weights for 2 stops" in all_text(at)
    widget(at, "text_input", "Weight of ink").set_value("0, 1")
    press(at, WALK)
    (walk,) = all_walks()
    assert WalkSpec.from_stored(walk.spec).loras[0].weights == (0.0, 1.0)
    film = add_film("a moon", "a lake", loras=walk.spec["loras"])
    again = visit("create", use=film.id)
    assert widget(again, "text_input", "Weight of ink").value == "0, 1"
    assert "LoRA ink at 0, 1" in all_text(visit("gallery", walk=film.id))


def test_words_are_weighed_where_the_model_can(visit: Visit, add_film: MakeWalk) -> None:
    at = type_prompts(visit("create"), "a red square", "a (red)2 square")
    at = widget(at, "toggle", "Weights of words").set_value(True).run()
    at = type_prompts(at, "a red square", "a (red square")
    press(at, WALK)
    assert "Prompt 2: With weights of words, a parenthesis that opens" in all_text(at)
    at = type_prompts(at, "a red square", "a (red)2 square")
    press(at, WALK)
    (weighted,) = all_walks()
    assert weighted.spec["prompt_weights"] is True
    film = add_film("a moon", "a (red)1.5 lake", prompt_weights=True)
    again = visit("create", use=film.id)
    assert widget(again, "toggle", "Weights of words").value
    other = add_film("a moon", "a (red)1.5 lake")
    assert not widget(visit("create", use=other.id), "toggle", "Weights of words").value
    assert "Words of the prompts weighted" in all_text(visit("gallery", walk=film.id))
    compared = all_text(visit("compare", a=film.id, b=other.id))
    assert "Weights of words" in compared


def test_a_model_that_cannot_weigh_words_has_no_switch(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = cards.FAMILIES["StableDiffusionPipeline"]._replace(weighs=False)
    monkeypatch.setitem(cards.FAMILIES, "StableDiffusionPipeline", family)
    assert [toggle.label for toggle in visit("create").toggle] == []
    at = visit("create", use=add_film("a moon", "a (red)1.5 lake", prompt_weights=True).id)
    press(at, WALK)
    assert "cannot weigh words" in all_text(at)
    press(widget(at, "toggle", "Weights of words").set_value(False).run(), WALK)
    assert sorted("prompt_weights" in walk.spec for walk in all_walks()) == [False, True]
