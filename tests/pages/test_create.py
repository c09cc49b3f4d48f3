"""Create: valid input becomes a walk, invalid input stays beside its message."""

import shutil
from typing import Any

import pytest
import streamlit as st

from db import worker_registry
from db.models import State
from db.session import writing
from momalisa.models.cards import ATELIER, ATELIER_BASE
from momalisa.models.distillation import DISTILLATION
from momalisa.models.registry import digest_of
from momalisa.settings import settings
from momalisa.ui import draft_stops
from momalisa.ui.create.presets import PRESETS
from momalisa.ui.create.quality import QUALITIES, steps_of
from tests.support.pages import (
    WALK,
    MakeWalk,
    UpdateWalk,
    Visit,
    all_text,
    all_walks,
    form_prompts,
    press,
    spec,
    texts,
    type_prompts,
    widget,
)
from tests.support.pipelines import PipelineMaker


def test_two_prompts_become_a_queued_walk(visit: Visit) -> None:
    at = press(type_prompts(visit("create"), "a red square", "a sea"), WALK)
    (walk,) = all_walks()
    assert walk.title == "a red square → a sea"
    assert walk.state is State.QUEUED
    assert (walk.steps, walk.frames) == (ATELIER.steps, QUALITIES["Study"].frames)
    assert walk.spec["without"] == list(ATELIER.new_walk["without"])
    assert at.query_params["walk"] == walk.id
    assert "Next in the queue" in texts(at)


def test_with_an_endpoint_the_location_can_be_chosen(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_ENDPOINT", "http://localhost:1")
    settings.cache_clear()
    press(type_prompts(visit("create"), "a red square", "a sea"), WALK)
    at = type_prompts(visit("create"), "a red square", "a moon")
    widget(at, "button_group", "Made").set_value("on this machine")
    press(at, WALK)
    assert {walk.title.split()[-1]: walk.remote for walk in all_walks()} == {
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
def test_invalid_input_gets_a_message_and_is_kept(
    visit: Visit, kind: str, label: str, bad: Any, sentence: str
) -> None:
    at = type_prompts(visit("create"), "a red square", "a sea")
    widget(at, kind, label).set_value(bad)
    press(at, WALK)
    assert sentence in all_text(at)
    assert widget(at, kind, label).value == bad
    assert at.error
    assert all_walks() == []


def test_a_message_disappears_once_the_input_is_valid(visit: Visit) -> None:
    at = press(type_prompts(visit("create"), "a red square", ""), WALK)
    assert "A stop needs a prompt" in all_text(at)
    widget(at, "text_input", "To").set_value("a sea").run()
    assert "A stop needs a prompt" not in all_text(at)


def test_no_message_is_shown_before_the_form_is_submitted(visit: Visit) -> None:
    at = visit("create")
    assert not at.error
    assert "A stop needs a prompt" not in all_text(at)


def test_a_missing_model_gets_its_download_command(visit: Visit) -> None:
    at = type_prompts(visit("create"), "a red square", "a sea")
    widget(at, "selectbox", "Model").select("sd-1.5")
    press(at, WALK)
    assert "models pull" in all_text(at)
    assert all_walks() == []


def test_a_model_of_the_settings_that_is_not_there_is_told_to_curators(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_MODEL", "atelierr")
    settings.cache_clear()
    at = press(type_prompts(visit("create"), "a red square", "a sea"), WALK)
    assert "The model that this gallery starts with, “atelierr”, is not here" in all_text(at)
    assert all_walks() == []


def test_a_preset_fills_the_prompts(visit: Visit) -> None:
    name, prompts = next(iter(PRESETS.items()))
    assert form_prompts(press(visit("create"), name)) == list(prompts)


def test_random_prompts_are_new_each_time_and_can_be_undone(visit: Visit) -> None:
    at = type_prompts(visit("create"), "a red square", "a sea")
    widget(at, "text_input", "Seed 1").set_value("99").run()
    first = form_prompts(press(at, "Surprise me"))
    second = form_prompts(press(at, "Surprise me"))
    assert first != second
    assert form_prompts(press(at, "Put back")) == first
    assert form_prompts(press(at, "Put back")) == second
    at = press(type_prompts(at, "a red square", "a sea"), "Square to sea")
    assert form_prompts(press(at, "Put back")) == ["a red square", "a sea"]


def test_undo_restores_the_seeds(visit: Visit) -> None:
    at = type_prompts(visit("create"), "a red square", "a sea")
    widget(at, "text_input", "Seed 1").set_value("99").run()
    press(press(at, "Surprise me"), "Put back")
    assert widget(at, "text_input", "Seed 1").value == "99"


def test_undo_is_disabled_initially(visit: Visit) -> None:
    at = visit("create")
    assert widget(at, "button", "Put back").disabled
    assert widget(press(at, "Square to sea"), "button", "Put back").disabled


@pytest.mark.parametrize("prompts", PRESETS.values())
def test_every_preset_is_a_valid_walk(prompts: tuple[str, ...]) -> None:
    assert spec(*prompts).title()


def test_a_quality_sets_steps_and_frames_and_is_deselected_when_they_change(visit: Visit) -> None:
    at = visit("create")
    widget(at, "button_group", "Quality").set_value("Sketch").run()
    assert widget(at, "number_input", "Steps").value == steps_of("Sketch", ATELIER)
    assert widget(at, "number_input", "Frames a leg").value == QUALITIES["Sketch"].frames
    widget(at, "number_input", "Steps").set_value(9).run()
    assert not widget(at, "button_group", "Quality").value


def test_a_distilled_model_is_walked_as_it_was_distilled_unless_told_otherwise(
    visit: Visit, make_pipeline: PipelineMaker
) -> None:
    folder = settings().models_folder / "few"
    shutil.copytree(make_pipeline(), folder)
    (folder / DISTILLATION).write_text('{"steps": 3, "guidance": 1.0}')
    at = visit("create")
    widget(at, "selectbox", "Model").select(ATELIER_BASE.name).run()
    assert "has no effect" not in all_text(at)
    widget(at, "selectbox", "Model").select("few").run()
    steps, guidance = (widget(at, "number_input", name) for name in ("Steps", "Guidance"))
    assert (steps.value, guidance.value) == (3, 1.0)
    assert "distilled" not in all_text(at)
    assert "Without guidance the negative prompt has no effect." in texts(at)
    guidance.set_value(4.0).run()
    assert "few was distilled to 3 steps without guidance" in all_text(at)
    assert "has no effect" not in all_text(at)
    press(type_prompts(at, "a red square", "a sea"), WALK)
    (walk,) = all_walks()
    assert (walk.steps, walk.guidance, len(walk.spec["without"])) == (3, 4.0, 4)


def test_what_a_stored_walk_leaves_out_is_what_it_meant(
    visit: Visit, enqueue_walk: MakeWalk, update_walk: UpdateWalk
) -> None:
    old = enqueue_walk("a moon", "a sea")
    update_walk(old, spec={"stops": old.spec["stops"], "size": 64})
    at = visit("create", use=old.id)
    steps, guidance = (widget(at, "number_input", name) for name in ("Steps", "Guidance"))
    assert (steps.value, guidance.value) == (16, 4.0)
    assert widget(at, "button_group", "Mode").value == "exact"


def test_stops_are_added_reversed_and_removed(visit: Visit) -> None:
    at = press(type_prompts(visit("create"), "one", "two"), "Add a stop")
    widget(at, "text_input", "To").set_value("three").run()
    press(at, "Reverse")
    assert form_prompts(at) == ["three", "two", "one"]
    press(at, "Remove stop 1")
    assert form_prompts(at) == ["two", "one"]


def test_a_stop_moves_with_its_seed(visit: Visit) -> None:
    at = press(type_prompts(visit("create"), "one", "two"), "Add a stop")
    widget(at, "text_input", "To").set_value("three")
    widget(at, "text_input", "Seed 3").set_value("99").run()
    assert form_prompts(press(at, "Move stop 3 up")) == ["one", "three", "two"]
    assert widget(at, "text_input", "Seed 2").value == "99"
    assert form_prompts(press(at, "Move stop 1 down")) == ["three", "one", "two"]
    assert widget(at, "text_input", "Seed 1").value == "99"
    assert widget(at, "button", "Move stop 1 up").disabled
    assert widget(at, "button", "Move stop 3 down").disabled


def test_a_stop_that_was_just_removed_cannot_be_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two quick clicks the second came from a button that was about to go."""
    monkeypatch.setattr(draft_stops, "stop_ids", lambda: [0, 1])
    for by in (-1, 1):
        draft_stops.move_stop(2, by)


def test_a_walk_has_at_most_twelve_stops(visit: Visit) -> None:
    at = visit("create")
    for _ in range(10):
        press(at, "Add a stop")
    assert widget(at, "button", "Add a stop").disabled


def test_the_draft_survives_a_visit_to_another_page(visit: Visit) -> None:
    at = type_prompts(visit("create"), "a red square", "a sea")
    widget(at, "number_input", "Steps").set_value(5).run()
    at.switch_page("../../pages/gallery.py").run()
    at.switch_page("../../pages/create.py").run()
    assert widget(at, "text_input", "From").value == "a red square"
    assert widget(at, "number_input", "Steps").value == 5


def test_resubmitting_a_finished_walk_shows_its_film(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a moon", "a sea")
    at = press(visit("create", use=walk.id), WALK)
    assert len(all_walks()) == 1
    assert at.query_params["walk"] == walk.id


def test_the_same_walk_with_newer_weights_is_a_new_film(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = add_film("a moon", "a sea")
    update_walk(walk, model_digest=digest_of(walk.model))
    press(visit("create", use=walk.id), WALK)
    assert len(all_walks()) == 1
    update_walk(walk, model_digest="of an older model")
    press(visit("create", use=walk.id), WALK)
    assert len(all_walks()) == 2


def test_the_settings_of_a_film_are_loaded(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a moon", "a hill", "a sea", guidance=2.5, loop="closed")
    at = visit("create", use=walk.id)
    assert widget(at, "text_input", "Over 1").value == "a hill"
    assert widget(at, "number_input", "Guidance").value == 2.5
    assert "use" not in at.query_params


def test_a_double_click_submits_one_walk(visit: Visit) -> None:
    at = press(type_prompts(visit("create"), "a red square", "a sea"), WALK)
    press(at, WALK)
    assert len(all_walks()) == 1


def test_each_session_has_its_own_maker_id(visit: Visit) -> None:
    at = press(type_prompts(visit("create"), "a red square", "a sea"), WALK)
    press(type_prompts(at, "a mask", "a sea"), WALK)
    press(type_prompts(visit("create"), "a moon", "a sea"), WALK)
    first, second, other = (walk.maker for walk in all_walks())
    assert first == second != other
    assert first


def test_a_signed_in_curator_has_one_maker_id(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = {"is_logged_in": True, "iss": "https://id.test", "sub": "curator@museum.test"}
    monkeypatch.setattr(st, "user", account)
    for prompt in ("a moon", "a mask"):
        press(type_prompts(visit("create"), prompt, "a sea"), WALK)
    first, second = (walk.maker for walk in all_walks())
    assert first == second
    assert len(first) == 64
    assert "curator" not in first


def test_markdown_in_prompts_is_shown_as_text(visit: Visit, add_film: MakeWalk) -> None:
    """Markdown in a prompt would load remote images and reveal the visitor."""
    hostile = "![x](https://evil.test/a.png) :red[x] $x$"
    walk = add_film(hostile, "a sea")
    for page in ("create", "gallery"):
        at = visit(page, walk=walk.id)
        assert any(hostile in text for text in texts(at))
        rich = (*at.markdown, *at.caption, *at.title, *at.header, *at.html)
        assert not any("evil.test" in element.value for element in rich)


def test_the_estimate_is_based_on_finished_films(visit: Visit, add_film: MakeWalk) -> None:
    add_film("a moon", "a sea", **ATELIER.new_walk | {"size": 128})
    at = type_prompts(visit("create"), "a red square", "a sea")
    widget(at, "selectbox", "Size").select("128").run()
    # 3 frames took 6 s, but most of that was for the leg's probes, which are the same for 24.
    assert "24 frames, about 20 s on cpu" in texts(at)


def test_the_estimate_is_for_the_live_workers_device(visit: Visit, add_film: MakeWalk) -> None:
    add_film("a moon", "a sea", size=256)
    with writing(settings().database) as session:
        worker_registry.record_heartbeat(
            session=session, name="test", pid=1, host="test", device="cuda"
        )
    assert "24 frames on cuda" in texts(
        type_prompts(visit("create"), "a red square", "a sea").run()
    )


def test_a_walk_that_is_too_large_is_told_what_would_fit(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_LARGEST_WALK", "1")
    settings.cache_clear()
    at = press(type_prompts(visit("create"), "a moon", "a sea"), WALK)
    assert any("It would fit with" in text.value for text in at.text)
    assert all_walks() == []


def test_the_walk_after_the_last_allowed_one_is_refused_and_the_form_kept(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_WALKS_EACH", "1")
    settings.cache_clear()
    at = press(type_prompts(visit("create"), "a moon", "a sea"), WALK)
    at = press(type_prompts(at, "a moon", "a wood"), WALK)
    assert form_prompts(at) == ["a moon", "a wood"]
    assert len(all_walks()) == 1
