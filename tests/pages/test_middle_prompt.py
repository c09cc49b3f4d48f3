"""A prompt for the middle of each leg: on Create, on the label, and in the same walk mixed anew."""

from momalisa.ui import submit
from momalisa.ui.create.interpolation_field import MIDDLE
from momalisa.ui.wall_label import facts
from tests.support.pages import (
    WALK,
    MakeWalk,
    Visit,
    all_walks,
    press,
    texts,
    type_prompts,
    widget,
)


def test_a_prompt_for_the_middle_is_typed_and_goes_into_the_walk(visit: Visit) -> None:
    at = type_prompts(visit("create"), "a red square", "a sea")
    widget(at, "text_input", MIDDLE).set_value("a hill in the mist").run()
    press(at, WALK)
    (walk,) = all_walks()
    assert walk.spec["middle"] == "a hill in the mist"


def test_another_interpolation_keeps_the_prompt_and_says_what_to_do(visit: Visit) -> None:
    at = type_prompts(visit("create"), "a red square", "a sea")
    widget(at, "text_input", MIDDLE).set_value("a hill in the mist").run()
    widget(at, "button_group", "Interpolation").set_value("lerp").run()
    press(at, WALK)
    assert not all_walks()
    assert any("needs the interpolation attention" in text for text in texts(at))
    widget(at, "text_input", MIDDLE).set_value("").run()
    press(at, WALK)
    assert all_walks()[0].interpolation == "lerp"


def test_a_film_with_one_is_compared_with_other_interpolations_without_it(
    add_film: MakeWalk,
) -> None:
    add_film("a moon", "a sea", interpolation="attention", middle="a hill in the mist")
    (walk,) = all_walks()
    assert facts(walk)["In the middle"] == "a hill in the mist"
    assert submit.vary(walk, interpolation="lerp").middle == ""
    assert submit.vary(walk, pacing="even").middle == "a hill in the mist"
