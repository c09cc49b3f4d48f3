"""Create's interpolations: what each does, and only those that the chosen model can walk by."""

import json
from typing import Any

import pytest
from PIL import Image

from momalisa.models.cards import ATELIER
from momalisa.models.hub_cards import HUB_MODELS
from momalisa.ui import interpolations
from momalisa.ui.http.media import EXAMPLE
from tests.support.pages import MakeWalk, Visit, texts, widget

FLUX = next(card for card in HUB_MODELS if card.family == "FluxPipeline")


def strip_names(at: Any) -> list[list[str]]:
    """The names of the strips: of the one beside the field, and of all in the popover."""
    mounted = [each.proto for each in at.get("bidi_component")]
    data = [json.loads(m.json) for m in mounted if m.component_name == "momalisa_strips"]
    return [[strip["name"] for strip in each["strips"]] for each in data]


@pytest.mark.parametrize("name", interpolations.ALL)
def test_each_is_shown_by_a_strip_of_the_same_pair(name: Any) -> None:
    shown = interpolations.strip_of(name)
    assert shown.url.startswith(f"/pictures/example/{name}.webp?")
    assert all(prompt in shown.alt for prompt in interpolations.PAIR)
    with Image.open(EXAMPLE / f"{name}.webp") as picture:
        assert picture.size == (8 * picture.height, picture.height)
    assert (EXAMPLE / f"{name}.webp").stat().st_size < 20_000


def test_a_model_without_a_unet_is_not_offered_attention_and_says_why(visit: Visit) -> None:
    at = visit("create")
    assert strip_names(at) == [[ATELIER.interpolation], [*interpolations.ALL]]
    widget(at, "button_group", "Interpolation").set_value("slerp").run()
    assert strip_names(at)[0] == ["slerp"]
    widget(at, "button_group", "Interpolation").set_value("attention").run()
    widget(at, "selectbox", "Model").select(FLUX.name).run()
    field = widget(at, "button_group", "Interpolation")
    assert (list(field.options), field.value) == (["lerp", "slerp", "predictions"], "lerp")
    assert FLUX.refuse("attention") in texts(at)


def test_only_attention_is_refused_and_only_by_other_networks() -> None:
    assert interpolations.offered_by(ATELIER) == interpolations.offered_by(None)
    assert "attention" not in interpolations.offered_by(FLUX)
    assert "such as predictions" in FLUX.refuse("attention")
    for name in interpolations.offered_by(FLUX):
        assert not FLUX.refuse(name)


def test_beside_a_picture_the_form_says_what_mixes_the_texts_alone(
    visit: Visit, add_film: MakeWalk
) -> None:
    image = {"digest": "0a" * 32}
    stops = [{"prompt": "", "seed": 7, "image": image}, {"prompt": "a city", "seed": 8}]
    at = visit("create", use=add_film(stops=stops).id)
    told = "On legs from or to a picture “attention” mixes the texts as lerp does."
    assert told not in texts(at)
    widget(at, "button_group", "Interpolation").set_value("attention").run()
    assert told in texts(at)
