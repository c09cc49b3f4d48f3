"""Create: what is typed becomes a walk, or stays as it is beside a sentence."""

from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from db import queue
from db.models import State
from db.session import writing
from momalisa.models.digest import digest_of
from momalisa.settings import settings
from momalisa.ui import orders
from momalisa.ui.presets import PRESETS
from momalisa.ui.quality import QUALITIES

from .conftest import (
    Hang,
    Keep,
    Visit,
    claim,
    component,
    everything,
    found,
    labelled,
    press,
    sentences,
    spec,
    texts,
)

WALK = "Walk"
STOPS = ("From", "Over", "To")


def typed(at: AppTest, start: str, end: str) -> AppTest:
    labelled(at, "text_input", "From").set_value(start)
    labelled(at, "text_input", "To").set_value(end)
    return at


def stops(at: AppTest) -> list[str]:
    """The prompts on the easel, in walking order."""
    return [str(field.value) for field in at.text_input if field.label.split()[0] in STOPS]


def test_two_prompts_become_a_queued_walk(visit: Visit) -> None:
    at = press(typed(visit("create"), "a red square", "a sea"), WALK)
    (walk,) = everything()
    assert walk.title == "a red square → a sea"
    assert walk.state is State.QUEUED
    assert (walk.steps, walk.frames) == QUALITIES["Study"]
    assert at.query_params["walk"] == walk.id
    assert "Next in the queue" in texts(at)


def test_where_there_is_an_endpoint_one_may_choose(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_ENDPOINT", "http://localhost:1")
    settings.cache_clear()
    press(typed(visit("create"), "a red square", "a sea"), WALK)
    at = typed(visit("create"), "a red square", "a moon")
    labelled(at, "button_group", "Made").set_value("on this machine")
    press(at, WALK)
    assert {walk.title.split()[-1]: walk.remote for walk in everything()} == {
        "sea": True,
        "moon": False,
    }


@pytest.mark.parametrize(
    ("kind", "label", "bad", "sentence"),
    [
        ("text_input", "From", "", "A stop needs a prompt"),
        ("text_input", "From", "A Sea ", "are the same"),
        ("text_input", "To", "x" * 10_000, "10,000 characters"),
        ("text_input", "To", "<script>alert(1)</script>", "code such as <script>"),
        ("text_input", "To", "a \u202e sea", "invisible control characters"),
        ("number_input", "Frames a leg", 0, "from 2 to 240, not 0"),
        ("number_input", "Frames a leg", 100_000, "not 100,000"),
        ("text_input", "Seed 1", "-1", "not -1"),
        ("text_input", "Seed 2", str(2**70), "A seed must be a whole number"),
        ("text_input", "Seed 2", "seven", "A seed must be a whole number"),
        ("number_input", "Steps", 0, "Steps must be"),
        ("number_input", "Guidance", 1e30, "Guidance must be"),
        ("number_input", "Frames a second", 99, "Frames per second must be"),
        ("text_input", "Negative prompt", "<b>", "The negative prompt holds code"),
    ],
)
def test_bad_input_gets_a_sentence_and_is_kept(
    visit: Visit, kind: str, label: str, bad: Any, sentence: str
) -> None:
    at = typed(visit("create"), "a red square", "a sea")
    labelled(at, kind, label).set_value(bad)
    press(at, WALK)
    assert sentence in sentences(at)
    assert labelled(at, kind, label).value == bad
    assert at.error
    assert everything() == []


def test_a_sentence_goes_when_its_reason_does(visit: Visit) -> None:
    at = press(typed(visit("create"), "a red square", ""), WALK)
    assert "A stop needs a prompt" in sentences(at)
    labelled(at, "text_input", "To").set_value("a sea").run()
    assert "A stop needs a prompt" not in sentences(at)


def test_nothing_complains_before_the_button_is_pressed(visit: Visit) -> None:
    at = visit("create")
    assert not at.error
    assert "A stop needs a prompt" not in sentences(at)


def test_a_model_that_is_not_here_gets_the_command_that_brings_it(visit: Visit) -> None:
    at = typed(visit("create"), "a red square", "a sea")
    labelled(at, "selectbox", "Model").select("sd-1.5")
    press(at, WALK)
    assert "hf download" in sentences(at)
    assert everything() == []


def test_a_preset_fills_the_prompts(visit: Visit) -> None:
    name, prompts = next(iter(PRESETS.items()))
    assert stops(press(visit("create"), name)) == list(prompts)


def test_a_surprise_is_new_at_every_press_and_can_be_put_back(visit: Visit) -> None:
    at = typed(visit("create"), "a red square", "a sea")
    labelled(at, "text_input", "Seed 1").set_value("99").run()
    first = stops(press(at, "Surprise me"))
    second = stops(press(at, "Surprise me"))
    assert first != second
    assert stops(press(at, "Put back")) == first
    assert stops(press(at, "Put back")) == second
    at = press(typed(at, "a red square", "a sea"), "Square to sea")
    assert stops(press(at, "Put back")) == ["a red square", "a sea"]


def test_what_is_put_back_has_its_seeds(visit: Visit) -> None:
    at = typed(visit("create"), "a red square", "a sea")
    labelled(at, "text_input", "Seed 1").set_value("99").run()
    press(press(at, "Surprise me"), "Put back")
    assert labelled(at, "text_input", "Seed 1").value == "99"


def test_there_is_nothing_to_put_back_at_first(visit: Visit) -> None:
    at = visit("create")
    assert labelled(at, "button", "Put back").disabled
    assert labelled(press(at, "Square to sea"), "button", "Put back").disabled


@pytest.mark.parametrize("prompts", PRESETS.values())
def test_every_preset_can_be_walked(prompts: tuple[str, ...]) -> None:
    assert spec(*prompts).title()


def test_a_quality_sets_steps_and_frames_and_goes_out_when_they_change(visit: Visit) -> None:
    at = visit("create")
    labelled(at, "button_group", "Quality").set_value("Sketch").run()
    assert labelled(at, "number_input", "Steps").value == QUALITIES["Sketch"].steps
    assert labelled(at, "number_input", "Frames a leg").value == QUALITIES["Sketch"].frames
    labelled(at, "number_input", "Steps").set_value(9).run()
    assert not labelled(at, "button_group", "Quality").value


def test_stops_are_added_turned_round_and_removed(visit: Visit) -> None:
    at = press(typed(visit("create"), "one", "two"), "Add a stop")
    labelled(at, "text_input", "To").set_value("three").run()
    press(at, "Reverse")
    assert stops(at) == ["three", "two", "one"]
    press(at, "Remove stop 1")
    assert stops(at) == ["two", "one"]


def test_a_stop_moves_with_its_seed(visit: Visit) -> None:
    at = press(typed(visit("create"), "one", "two"), "Add a stop")
    labelled(at, "text_input", "To").set_value("three")
    labelled(at, "text_input", "Seed 3").set_value("99").run()
    assert stops(press(at, "Move stop 3 up")) == ["one", "three", "two"]
    assert labelled(at, "text_input", "Seed 2").value == "99"
    assert stops(press(at, "Move stop 1 down")) == ["three", "one", "two"]
    assert labelled(at, "text_input", "Seed 1").value == "99"
    assert labelled(at, "button", "Move stop 1 up").disabled
    assert labelled(at, "button", "Move stop 3 down").disabled


def test_a_walk_has_at_most_twelve_stops(visit: Visit) -> None:
    at = visit("create")
    for _ in range(10):
        press(at, "Add a stop")
    assert labelled(at, "button", "Add a stop").disabled


def test_what_is_typed_outlives_a_visit_to_another_page(visit: Visit) -> None:
    at = typed(visit("create"), "a red square", "a sea")
    labelled(at, "number_input", "Steps").set_value(5).run()
    at.switch_page("../../pages/gallery.py").run()
    at.switch_page("../../pages/create.py").run()
    assert labelled(at, "text_input", "From").value == "a red square"
    assert labelled(at, "number_input", "Steps").value == 5


def test_the_strip_shows_which_frames_are_ready(visit: Visit, ask: Hang) -> None:
    walk = ask(frames=24)
    with writing(settings().database) as session:
        queue.heartbeat(
            session=session,
            **claim_of(),
            lease_seconds=60,
            stage="frames",
            progress=[[0, "a" * 64], [23, "b" * 64], [12, "c" * 64, "rough"]],
        )
    at = visit("create", walk=walk.id)
    strip = component(at, "filmstrip")
    assert strip["total"] == 24
    assert strip["frames"] == [
        [0, f"/pictures/frames/{'a' * 64}.png", False],
        [23, f"/pictures/frames/{'b' * 64}.png", False],
        [12, f"/pictures/frames/{'c' * 64}.png", True],
    ]
    assert any(text.startswith("Frame 2 of 24") for text in texts(at))


def claim_of() -> dict[str, Any]:
    return claim()


def test_a_waiting_walk_is_called_off_at_once(visit: Visit, ask: Hang) -> None:
    walk = ask()
    at = press(visit("create", walk=walk.id), "Cancel")
    assert found(walk.id).state is State.CANCELLED
    assert "Called off" in sentences(at)


def test_a_failed_walk_says_why_and_is_tried_again_with_its_settings(
    visit: Visit, ask: Hang
) -> None:
    walk = ask("a moon", "a lake", steps=3)
    with writing(settings().database) as session:
        queue.fail(session=session, **claim(), error="Not even one frame fits.")
    at = visit("create", walk=walk.id)
    assert "Not even one frame fits." in texts(at)
    press(at, "Try again")
    first, second = everything()
    assert first.spec == second.spec
    assert at.query_params["walk"] == second.id
    assert labelled(at, "number_input", "Steps").value == 3


def test_what_is_typed_beside_a_failed_walk_can_be_put_back(visit: Visit, ask: Hang) -> None:
    walk = ask("a moon", "a lake")
    with writing(settings().database) as session:
        queue.fail(session=session, **claim(), error="Not even one frame fits.")
    at = typed(visit("create", walk=walk.id), "a mask", "a hill").run()
    press(at, "Try again")
    assert stops(at) == ["a moon", "a lake"]
    press(at, "Put back")
    assert stops(at) == ["a mask", "a hill"]


@pytest.mark.parametrize("way", ["Try again", "Remix", "Compare with dense-middle"])
def test_what_follows_a_walk_made_here_is_made_here(
    visit: Visit, ask: Hang, hang: Hang, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("MOMALISA_ENDPOINT", "http://far:8080/predict")
    settings.cache_clear()
    if way == "Try again":
        walk = ask()
        with writing(settings().database) as session:
            queue.fail(session=session, **claim(), error="No memory.")
    else:
        walk = hang()
    press(visit("create", walk=walk.id), way)
    assert [each.remote for each in everything()] == [False, False]


def test_a_curve_that_is_flat_is_compared_with_one_that_is_not(visit: Visit, hang: Hang) -> None:
    walk = hang(pacing="ease", strength=0.0)
    press(visit("create", walk=walk.id), "Compare with dense-middle")
    _, other = everything()
    assert (other.pacing, other.spec["strength"]) == ("dense-middle", 0.8)


def test_a_finished_walk_shows_film_and_label(visit: Visit, hang: Hang) -> None:
    walk = hang("a moon", "a sea")
    at = visit("create", walk=walk.id)
    (film,) = component(at, "player")["films"]
    assert film["url"] == f"/pictures/store/{walk.files['gif']}"
    assert film["alt"] == "Film that turns a moon into a sea"
    assert walk.accession in texts(at)


def test_after_a_reload_the_form_knows_the_walk(visit: Visit, hang: Hang) -> None:
    walk = hang("a moon", "a sea", steps=3, pacing="dense-middle")
    at = visit("create", walk=walk.id)
    assert labelled(at, "text_input", "To").value == "a sea"
    assert labelled(at, "number_input", "Steps").value == 3
    assert labelled(at, "button_group", "Pacing").value == "dense-middle"


def test_the_film_before_stays_until_the_new_one_is_there(visit: Visit, hang: Hang) -> None:
    walk = hang("a moon", "a sea")
    at = visit("create", walk=walk.id)
    press(typed(at, "a mask", "a skyline"), WALK)
    assert component(at, "player")["films"][0]["alt"] == "Film that turns a moon into a sea"
    assert component(at, "filmstrip")["frames"] == []


def test_the_same_walk_twice_is_one_film(visit: Visit, hang: Hang) -> None:
    walk = hang("a moon", "a sea")
    at = press(visit("create", use=walk.id), WALK)
    assert len(everything()) == 1
    assert at.query_params["walk"] == walk.id


def test_the_same_walk_by_newer_weights_is_another_film(
    visit: Visit, hang: Hang, keep: Keep
) -> None:
    walk = hang("a moon", "a sea")
    keep(walk, model_digest=digest_of(walk.model))
    press(visit("create", use=walk.id), WALK)
    assert len(everything()) == 1
    keep(walk, model_digest="of an older model")
    press(visit("create", use=walk.id), WALK)
    assert len(everything()) == 2


def test_settings_are_taken_over_from_a_film(visit: Visit, hang: Hang) -> None:
    walk = hang("a moon", "a hill", "a sea", guidance=2.5, loop="closed")
    at = visit("create", use=walk.id)
    assert labelled(at, "text_input", "Over 1").value == "a hill"
    assert labelled(at, "number_input", "Guidance").value == 2.5
    assert "use" not in at.query_params


def test_a_remix_has_the_prompts_and_new_seeds(visit: Visit, hang: Hang) -> None:
    walk = hang("a moon", "a sea")
    press(visit("create", walk=walk.id), "Remix")
    _, remix = everything()
    assert remix.title == walk.title
    assert remix.parent == walk.id
    assert remix.spec["stops"] != walk.spec["stops"]


def test_the_other_pacing_is_one_click_away(visit: Visit, hang: Hang) -> None:
    walk = hang("a moon", "a sea")
    at = press(visit("create", walk=walk.id), "Compare with dense-middle")
    _, other = everything()
    assert other.pacing == "dense-middle"
    assert dict(at.query_params) == {"a": walk.id, "b": other.id}


@pytest.mark.parametrize("pacing", ["ease", "dense-middle", "even"])
def test_a_non_linear_film_is_compared_with_the_linear_one(
    visit: Visit, hang: Hang, pacing: str
) -> None:
    press(visit("create", walk=hang(pacing=pacing).id), "Compare with linear")
    assert [walk.pacing for walk in everything()] == [pacing, "linear"]


def test_pressed_twice_is_one_walk(visit: Visit) -> None:
    at = press(typed(visit("create"), "a red square", "a sea"), WALK)
    press(at, WALK)
    assert len(everything()) == 1


def test_a_walk_that_is_being_called_off_can_be_asked_for_again(visit: Visit) -> None:
    at = press(typed(visit("create"), "a red square", "a sea"), WALK)
    claim()
    orders.call_off(everything()[0].id)
    press(at, WALK)
    first, second = everything()
    assert (first.cancel_requested, second.state) == (True, State.QUEUED)


def test_a_walk_says_its_place_in_the_queue(visit: Visit, ask: Hang) -> None:
    ask("a moon", "a lake")
    at = press(typed(visit("create"), "a red square", "a sea"), WALK)
    assert "Number 2 in the queue" in texts(at)


def test_each_browser_session_is_a_maker_of_its_own(visit: Visit) -> None:
    at = press(typed(visit("create"), "a red square", "a sea"), WALK)
    press(typed(at, "a mask", "a sea"), WALK)
    press(typed(visit("create"), "a moon", "a sea"), WALK)
    first, second, other = (walk.maker for walk in everything())
    assert first == second != other
    assert first


def test_a_curator_who_signed_in_is_the_same_maker_everywhere(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = {"is_logged_in": True, "iss": "https://id.test", "sub": "curator@museum.test"}
    monkeypatch.setattr(st, "user", account)
    for prompt in ("a moon", "a mask"):
        press(typed(visit("create"), prompt, "a sea"), WALK)
    first, second = (walk.maker for walk in everything())
    assert first == second
    assert len(first) == 64
    assert "curator" not in first


def test_a_second_tab_finds_what_is_being_made(visit: Visit, ask: Hang) -> None:
    ask("a moon", "a sea")
    assert "Being made now: a moon → a sea" in texts(visit("create"))


@pytest.mark.parametrize("nonsense", ["nosuch", "../../etc/passwd", "'; drop table walks", ""])
def test_an_id_that_is_none_leads_to_an_empty_easel(visit: Visit, nonsense: str) -> None:
    assert "Your film will hang here." in texts(visit("create", walk=nonsense, use=nonsense))


def test_a_hostile_prompt_is_only_ever_plain_text(visit: Visit, hang: Hang) -> None:
    """Markdown would load the picture from its server and tell it who looks."""
    hostile = "![x](https://evil.test/a.png) :red[x] $x$"
    walk = hang(hostile, "a sea")
    for page in ("create", "gallery"):
        at = visit(page, walk=walk.id)
        assert any(hostile in text for text in texts(at))
        rich = (*at.markdown, *at.caption, *at.title, *at.header, *at.html)
        assert not any("evil.test" in element.value for element in rich)


def test_the_estimate_comes_from_films_made_here(visit: Visit, hang: Hang) -> None:
    hang("a moon", "a sea", size=128)
    at = typed(visit("create"), "a red square", "a sea")
    labelled(at, "selectbox", "Size").select(128).run()
    # 24 frames at 6 s for 3.
    assert "24 frames, about 50 s on cpu" in texts(at)


def test_the_estimate_is_for_the_device_at_work(visit: Visit, hang: Hang) -> None:
    hang("a moon", "a sea", size=256)
    with writing(settings().database) as session:
        queue.seen(session=session, name="test", pid=1, host="test", device="cuda")
    assert "24 frames on cuda" in texts(typed(visit("create"), "a red square", "a sea").run())
