"""Compare: two films or walks side by side, and the blind vote."""

import json
from typing import Any

import pytest

from db import votes, walks
from db.models import Walk
from db.session import reading, writing
from db.votes import Tally
from momalisa.models.registry import find
from momalisa.settings import settings
from momalisa.ui.compare import blind_vote, side_by_side, tally
from momalisa.ui.create.presets import PRESETS
from tests.support.pages import (
    MakeWalk,
    UpdateWalk,
    Visit,
    all_text,
    all_walks,
    component_data,
    press,
    texts,
    widget,
)


def votes_of(one: Walk, other: Walk) -> Tally:
    with reading(settings().database) as session:
        return votes.tally(session=session, one=one.id, other=other.id)


def cast(one: Walk, other: Walk, preferred: Walk, maker: str) -> None:
    with writing(settings().database) as session:
        votes.cast(session=session, one=one.id, other=other.id, preferred=preferred.id, maker=maker)


def test_both_films_are_read_from_the_url(visit: Visit, add_film: MakeWalk) -> None:
    left, right = add_film("a moon", "a sea"), add_film("a moon", "a sea", pacing="dense-middle")
    at = visit("compare", a=left.id, b=right.id)
    films = component_data(at, "player")["films"]
    assert [film["title"] for film in films] == [
        f"linear, {left.accession}",
        f"dense-middle, {right.accession}",
    ]
    shown = texts(at)
    row = shown.index("Pacing")
    assert shown[row : row + 3] == ["Pacing", "linear", "dense-middle, strength 0.8"]
    assert "Steps" not in shown  # the same in both


def test_choosing_writes_the_url(visit: Visit, add_film: MakeWalk) -> None:
    left, right = add_film("a moon", "a sea"), add_film("a mask", "a hill")
    at = visit("compare")
    widget(at, "selectbox", "Left").set_value(left.id).run()
    widget(at, "selectbox", "Right").set_value(right.id).run()
    assert dict(at.query_params) == {"a": left.id, "b": right.id}
    assert len(component_data(at, "player")["films"]) == 2


def test_older_films_than_are_offered_are_told_of(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 200 on they were missing without a word."""
    assert side_by_side.MOST_OFFERED >= 1000
    monkeypatch.setattr(side_by_side, "MOST_OFFERED", 2)
    told = "The newest 2 films are offered."
    for number in range(3):
        assert told not in all_text(visit("compare"))
        add_film("a moon", f"sea {number}")
    at = visit("compare")
    assert told in all_text(at)
    assert len(widget(at, "selectbox", "Left").options) == 2


@pytest.mark.parametrize("pacing", ["ease", "dense-middle", "even"])
def test_two_prompts_are_submitted_in_both_pacings(visit: Visit, pacing: str) -> None:
    at = visit("compare")
    widget(at, "button_group", "Linear beside").set_value(pacing)
    widget(at, "text_input", "From").set_value("a moon")
    widget(at, "text_input", "To").set_value("a sea")
    press(at, "Walk both ways")
    left, right = all_walks()
    assert (left.pacing, right.pacing) == ("linear", pacing)
    assert left.spec["stops"] == right.spec["stops"]
    assert left.spec.items() >= json.loads(json.dumps(find(settings().model).new_walk)).items()
    assert dict(at.query_params) == {"a": left.id, "b": right.id}


def test_a_foreign_film_is_compared_by_what_is_known(
    visit: Visit, add_film: MakeWalk, add_foreign_film: MakeWalk
) -> None:
    left, right = add_film("a moon", "a sea"), add_foreign_film()
    at = visit("compare", a=left.id, b=right.id)
    assert len(component_data(at, "player")["films"]) == 2
    shown = texts(at)
    for name, ours, theirs in (("Mean change", "0.200", "none"), ("Pacing", "linear", "none")):
        row = shown.index(name)
        assert shown[row : row + 3] == [name, ours, theirs]


def test_the_table_shows_the_measurements(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    left, right = add_film("a moon", "a sea"), add_film("a moon", "a sea", pacing="even")
    left.sharpness, left.directness = 0.9, 0.3
    update_walk(left, evenness=0.75, ghosting=0.125)
    update_walk(right, frames_computed=1)
    shown = texts(visit("compare", a=left.id, b=right.id))
    for row in (
        ("Mean change", "0.200", "0.200"),
        ("Largest / mean", "1.50", "1.50"),
        ("Evenness", "0.75", "none"),
        ("Path length", "0.40", "0.40"),
        ("Sharpness", "0.90", "none"),
        ("Double exposures", "12% of frames", "none"),
        ("Directness", "0.30", "none"),
        ("Seconds", "6.0 on cpu", "6.0 on cpu"),
        ("Frames computed", "3, for 3 shown", "1, for 3 shown"),
    ):
        assert shown.count(row[0]) == 1
        place = shown.index(row[0])
        assert tuple(shown[place : place + 3]) == row


def test_the_changes_of_a_boomerang_are_mirrored(visit: Visit, add_film: MakeWalk) -> None:
    left, right = add_film("a moon", "a sea"), add_film("a moon", "a sea", loop="boomerang")
    films = component_data(visit("compare", a=left.id, b=right.id), "player")["films"]
    assert [film["changes"] for film in films] == [[0.1, 0.3], [0.1, 0.3, 0.3, 0.1]]


def test_a_preset_fills_the_pair(visit: Visit) -> None:
    at = press(press(visit("compare"), "Square to sea"), "Walk both ways")
    assert [walk.prompts for walk in all_walks()] == [list(PRESETS["Square to sea"])] * 2
    assert "Day to night" not in [button.label for button in at.button]  # three stops


def test_the_ballot_hides_all_labels(visit: Visit, add_film: MakeWalk) -> None:
    left, right = add_film("a moon", "a sea"), add_film("a moon", "a sea", pacing="even")
    cast(left, right, right, "somebody")
    at = visit("compare", a=left.id, b=right.id)
    assert "curators preferred" not in all_text(at)
    at = press(at, "Vote blind")
    films = component_data(at, "player")["films"]
    assert [film["title"] for film in films] == ["First film", "Second film"]
    assert [film["alt"] for film in films] == ["First film", "Second film"]
    assert not any(film["changes"] for film in films)
    assert {left.files["webp"], right.files["webp"]} == {
        film["url"].removeprefix("/pictures/store/") for film in films
    }
    assert not at.text
    assert not at.selectbox


@pytest.mark.parametrize("answer", ["First film", "Second film", "No difference"])
def test_a_vote_reveals_the_films_and_the_tally(
    visit: Visit, add_film: MakeWalk, answer: str
) -> None:
    left, right = add_film("a moon", "a sea"), add_film("a moon", "a sea", pacing="even")
    cast(left, right, right, "somebody")
    at = press(visit("compare", a=left.id, b=right.id), "Vote blind")
    first, second = component_data(at, "player")["films"]
    at = press(at, answer)
    assert "blind" not in at.query_params
    assert "In 2 votes curators preferred" in all_text(at)
    if answer == "No difference":
        assert votes_of(left, right) == Tally(lost=1, neither=1)
        assert "You saw no difference: the first film was" in all_text(at)
        return
    preferred = (first, second)[answer == "Second film"]
    chosen = left if preferred["url"].endswith(left.files["webp"]) else right
    told = f"You preferred the {answer.lower()}: {chosen.pacing}, {chosen.accession}."
    assert told in all_text(at)
    assert votes_of(left, right) == (Tally(1, 1, 0) if chosen is left else Tally(0, 2, 0))


def test_films_of_one_pacing_are_distinguished_by_accession_number(
    visit: Visit, add_film: MakeWalk
) -> None:
    left, right = add_film("a moon", "a sea"), add_film("a mask", "a sea")
    at = press(press(visit("compare", a=left.id, b=right.id), "Vote blind"), "No difference")
    assert f"preferred {left.accession} to {right.accession} never" in all_text(at)


def test_voting_again_changes_the_vote(visit: Visit, add_film: MakeWalk) -> None:
    left, right = add_film("a moon", "a sea"), add_film("a moon", "a sea", pacing="even")
    at = press(press(visit("compare", a=left.id, b=right.id), "Vote blind"), "First film")
    before = votes_of(left, right)
    at = press(press(at, "Vote again"), "Second film")
    assert votes_of(left, right) == before.swap()


def test_the_ballots_order_is_random_but_stable() -> None:
    left, right = Walk(id="a"), Walk(id="b")
    firsts = [blind_vote.shuffle(left, right, f"maker {n}")[0].id for n in range(200)]
    assert 70 < firsts.count("a") < 130
    for n, first in enumerate(firsts):
        assert blind_vote.shuffle(right, left, f"maker {n}")[0].id == first


def test_a_vote_on_a_deleted_film_does_not_count(visit: Visit, add_film: MakeWalk) -> None:
    left, right = add_film("a moon", "a sea"), add_film("a moon", "a sea", pacing="even")
    at = press(visit("compare", a=left.id, b=right.id), "Vote blind")
    with writing(settings().database) as session:
        walks.delete(session=session, walk_id=right.id)
    at = press(at, "First film")
    assert [toast.value for toast in at.toast] == [
        "One of the two films was deleted meanwhile, so the vote does not count."
    ]


def test_a_vote_needs_two_different_films(
    visit: Visit, add_film: MakeWalk, enqueue_walk: MakeWalk
) -> None:
    film, waiting = add_film("a moon", "a sea"), enqueue_walk("a mask", "a hill")
    for other in (film, waiting):
        at = visit("compare", a=film.id, b=other.id, blind="yes")
        assert not {"Vote blind", "First film"} & {button.label for button in at.button}


def test_invalid_prompts_get_a_message_and_are_kept(visit: Visit) -> None:
    at = visit("compare")
    widget(at, "text_input", "To").set_value("<script>")
    press(at, "Walk both ways")
    assert "A stop needs a prompt" in all_text(at)
    assert "code such as <script>" in all_text(at)
    assert widget(at, "text_input", "To").value == "<script>"
    assert all_walks() == []


@pytest.mark.parametrize("room", [0, 1])
def test_refused_walks_keep_the_page_and_none_is_submitted_alone(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setenv("MOMALISA_WALKS_EACH", str(room))
    settings.cache_clear()
    at = visit("compare")
    widget(at, "text_input", "From").set_value("a moon")
    widget(at, "text_input", "To").set_value("a sea")
    press(at, "Walk both ways")
    assert "as one visitor may" in at.toast[0].value
    assert not at.error
    assert widget(at, "text_input", "To").value == "a sea"
    assert widget(at, "button_group", "Linear beside")
    assert all_walks() == []


def test_a_film_is_shown_beside_an_unfinished_walk(
    visit: Visit, add_film: MakeWalk, enqueue_walk: MakeWalk
) -> None:
    left, right = add_film("a moon", "a sea"), enqueue_walk("a mask", "a hill")
    at = visit("compare", a=left.id, b=right.id)
    assert len(component_data(at, "player")["films"]) == 1
    assert component_data(at, "filmstrip")["id"] == right.id


def test_a_walk_beside_itself_is_shown_once(visit: Visit, enqueue_walk: MakeWalk) -> None:
    walk = enqueue_walk()
    assert component_data(visit("compare", a=walk.id, b=walk.id), "filmstrip")["id"] == walk.id


@pytest.mark.parametrize("nonsense", ["nosuch", "../.."])
def test_unknown_ids_choose_no_film(visit: Visit, nonsense: str) -> None:
    at = visit("compare", a=nonsense, b=nonsense)
    assert widget(at, "selectbox", "Left").value is None


@pytest.mark.parametrize(
    ("won", "lost", "chance"), [(0, 0, 1.0), (3, 3, 1.0), (6, 0, 2 / 64), (1, 9, 22 / 1024)]
)
def test_the_sign_test_equals_the_binomial_test(won: int, lost: int, chance: float) -> None:
    assert tally.sign_test(won, lost) == pytest.approx(chance)
    assert tally.sign_test(lost, won) == pytest.approx(chance)


def test_fewer_votes_than_the_minimum_are_never_significant() -> None:
    assert tally.sign_test(tally.MIN_VOTES, 0) < 0.05
    assert tally.sign_test(tally.MIN_VOTES - 1, 0) >= 0.05


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        (Tally(5, 0, 90), "Too few to say"),
        (
            Tally(14, 6, 3),
            "may well be chance: tossing a coin gives a tally as clear as this in 12 %",
        ),
        (Tally(14, 2, 0), "hardly chance: tossing a coin gives a tally as clear as this in 0.42 %"),
        (Tally(900, 100, 0), "under 0.1 % of cases"),
    ],
)
def test_the_significance_is_described(counted: Tally, words: str) -> None:
    assert words in tally.describe_significance(counted)
    assert tally.describe_significance(counted.swap()) == tally.describe_significance(counted)


def test_the_more_preferred_film_is_named_first() -> None:
    said = tally.describe_votes("even", "linear", Tally(14, 6, 3))
    assert said == tally.describe_votes("linear", "even", Tally(6, 14, 3))
    assert said == (
        "In 23 votes curators preferred even to linear 14 times, linear 6 times, and saw no "
        "difference 3 times."
    )


def test_two_films_of_one_way_are_dragged_over_at_once(visit: Visit, add_film: MakeWalk) -> None:
    left, right = add_film("a moon", "a sea"), add_film("a moon", "a sea", pacing="ease")
    data = component_data(visit("compare", a=left.id, b=right.id), "scrubber")
    assert data["legs"] == [["a moon", "a sea"]]
    linear, ease = (track["curve"] for track in data["tracks"])
    assert (linear, ease[0], ease[-1], len(ease)) == ([], 0.0, 1.0, 101)
    assert ease[25] < 0.25 < 0.75 < ease[75]
    assert data["still_url"]


@pytest.mark.parametrize("other", [{"pacing": "even"}, {"pacing": "ease", "steps": 9}, {}])
def test_two_films_whose_places_are_not_known_are_not(
    visit: Visit, add_film: MakeWalk, other: dict[str, Any]
) -> None:
    """With even pacing the places of the frames are measured; else both have to be one way."""
    left, right = add_film("a moon", "a sea"), add_film("a moon", "a hill", **other)
    at = visit("compare", a=left.id, b=right.id)
    assert "Look between the frames of both" not in [each.label for each in at.expander]


def test_two_pacings_are_looked_along_before_they_are_walked(visit: Visit) -> None:
    at = visit("compare")
    widget(at, "text_input", "From").set_value("a moon")
    widget(at, "text_input", "To").set_value("a sea").run()
    data = component_data(at, "scrubber")
    assert [track["title"] for track in data["tracks"]] == ["linear", "dense-middle"]
    assert data["live_url"]
    # The frames of both are painted meanwhile; the walks have their ends in common.
    ahead = [(leg, t) for leg, t in data["ahead"]]
    assert {(0, 0.0), (0, 1.0)} < set(ahead)
    assert len(set(ahead)) == len(ahead) == 2 * 24 - 2
    widget(at, "button_group", "Linear beside").set_value("even").run()
    assert "Look along both ways" not in [each.label for each in at.expander]
