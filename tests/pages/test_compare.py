"""Compare: two films on one clock, or two walks on their way to it."""

import pytest

from momalisa.ui import duo

from .conftest import Hang, Visit, component, everything, labelled, press, sentences, texts


def test_the_url_names_both_films(visit: Visit, hang: Hang) -> None:
    left, right = hang("a moon", "a sea"), hang("a moon", "a sea", pacing="dense-middle")
    at = visit("compare", a=left.id, b=right.id)
    films = component(at, "player")["films"]
    assert [film["title"] for film in films] == [
        f"linear, {left.accession}",
        f"dense-middle, {right.accession}",
    ]
    shown = texts(at)
    row = shown.index("Pacing")
    assert shown[row : row + 3] == ["Pacing", "linear", "dense-middle, strength 0.8"]
    assert "Steps" not in shown  # the same in both


def test_choosing_writes_the_url(visit: Visit, hang: Hang) -> None:
    left, right = hang("a moon", "a sea"), hang("a mask", "a hill")
    at = visit("compare")
    labelled(at, "selectbox", "Left").set_value(left.id).run()
    labelled(at, "selectbox", "Right").set_value(right.id).run()
    assert dict(at.query_params) == {"a": left.id, "b": right.id}
    assert len(component(at, "player")["films"]) == 2


@pytest.mark.parametrize("pacing", ["ease", "dense-middle", "even"])
def test_two_prompts_are_walked_both_ways(visit: Visit, pacing: str) -> None:
    at = visit("compare")
    labelled(at, "button_group", "Linear beside").set_value(pacing)
    labelled(at, "text_input", "From").set_value("a moon")
    labelled(at, "text_input", "To").set_value("a sea")
    press(at, "Walk both ways")
    left, right = everything()
    assert (left.pacing, right.pacing) == ("linear", pacing)
    assert left.spec["stops"] == right.spec["stops"]
    assert dict(at.query_params) == {"a": left.id, "b": right.id}


def test_a_film_of_another_program_is_compared_by_what_is_known(
    visit: Visit, hang: Hang, foreign: Hang
) -> None:
    left, right = hang("a moon", "a sea"), foreign()
    at = visit("compare", a=left.id, b=right.id)
    assert len(component(at, "player")["films"]) == 2
    shown = texts(at)
    for name, ours, theirs in (("Mean change", "0.200", "none"), ("Pacing", "linear", "none")):
        row = shown.index(name)
        assert shown[row : row + 3] == [name, ours, theirs]


def test_bad_prompts_get_a_sentence_and_are_kept(visit: Visit) -> None:
    at = visit("compare")
    labelled(at, "text_input", "To").set_value("<script>")
    press(at, "Walk both ways")
    assert "A stop needs a prompt" in sentences(at)
    assert "code such as <script>" in sentences(at)
    assert labelled(at, "text_input", "To").value == "<script>"
    assert everything() == []


def test_a_film_beside_a_walk_still_being_made(visit: Visit, hang: Hang, ask: Hang) -> None:
    left, right = hang("a moon", "a sea"), ask("a mask", "a hill")
    at = visit("compare", a=left.id, b=right.id)
    assert len(component(at, "player")["films"]) == 1
    assert component(at, "filmstrip")["id"] == right.id


@pytest.mark.parametrize("nonsense", ["nosuch", "../.."])
def test_ids_that_are_none_choose_nothing(visit: Visit, nonsense: str) -> None:
    at = visit("compare", a=nonsense, b=nonsense)
    assert labelled(at, "selectbox", "Left").value is None


def test_unevenness_is_one_for_equal_steps() -> None:
    assert duo.unevenness([0.2, 0.2, 0.2]) == pytest.approx(1.0)
    assert duo.unevenness([0.0, 0.0]) == 1.0
    assert duo.unevenness([0.1, 0.3]) == pytest.approx(1.5)
