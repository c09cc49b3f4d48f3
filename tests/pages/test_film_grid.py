"""Compare: a film beside itself in one click, and its grid, which is made and voted on."""

from itertools import pairwise
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from db import votes
from db.session import reading
from momalisa.settings import settings
from momalisa.ui import submit
from momalisa.ui.compare import film_grid
from tests.support.pages import (
    MakeWalk,
    Visit,
    all_text,
    all_walks,
    component_data,
    press,
    texts,
    widget,
)

SETTINGS = [("lerp", "linear"), ("lerp", "even"), ("attention", "linear"), ("attention", "even")]


def four_films(add_film: MakeWalk) -> list[Any]:
    """The films of the grid that is shown at first."""
    return [add_film("a moon", "a sea", interpolation=mix, pacing=p) for mix, p in SETTINGS]


def groups_of(at: AppTest) -> list[Any]:
    """The choices of a page that have several buttons."""
    return list(at.get("button_group"))


def prints(at: AppTest) -> list[dict[str, Any]]:
    """The films on the sheet in reading order, and what is in the place of others."""
    return [each for row in component_data(at, "sheet")["rows"] for each in row["prints"]]


def test_a_film_is_set_beside_itself_by_another_interpolation_in_one_click(
    visit: Visit, add_film: MakeWalk
) -> None:
    film = add_film("a moon", "a sea")
    even = add_film("a moon", "a sea", pacing="even")
    at = visit("compare", a=film.id)
    assert "it is there" in texts(at)
    assert sum(text.startswith("3 frames") for text in texts(at)) == 5  # the cost of the others
    at = press(at, "Compare with attention")
    other = next(walk for walk in all_walks() if walk.id not in (film.id, even.id))
    assert dict(at.query_params) == {"a": film.id, "b": other.id}
    assert other.spec == film.spec | {"interpolation": "attention"}
    at = press(visit("compare", a=film.id), "Compare with even")
    assert (at.query_params["b"], len(all_walks())) == (even.id, 3)


def test_the_film_page_offers_the_same(visit: Visit, add_film: MakeWalk) -> None:
    film = add_film("a moon", "a sea", interpolation="attention")
    at = press(visit("gallery", walk=film.id), "Compare with lerp")
    assert at.query_params["a"] == film.id
    assert {walk.spec["interpolation"] for walk in all_walks()} == {"attention", "lerp"}


def test_a_grid_shows_what_is_there_and_makes_what_lacks(visit: Visit, add_film: MakeWalk) -> None:
    film = add_film("a moon", "a sea")
    at = visit("compare", grid=film.id)
    data = component_data(at, "sheet")
    assert data["columns"] == ["linear", "even"]
    assert [row["name"] for row in data["rows"]] == ["lerp", "attention"]
    assert [bool(each["film"]) for each in prints(at)] == [True, False, False, False]
    assert "9 frames" in all_text(at)  # three films of three frames
    at = press(at, "Make the 3 missing films")
    assert {(w.spec["interpolation"], w.pacing) for w in all_walks()} == set(SETTINGS)
    assert all("queue" in each["state"] for each in prints(at)[1:])
    assert "Make the 3 missing films" not in [button.label for button in at.button]


def test_a_grid_that_the_queue_has_no_room_for_submits_nothing(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = add_film("a moon", "a sea")
    monkeypatch.setenv("MOMALISA_WALKS_EACH", "2")
    settings.cache_clear()
    at = press(visit("compare", grid=film.id), "Make the 3 missing films")
    assert "as one visitor may" in at.toast[0].value
    assert len(all_walks()) == 1


def test_the_rows_may_be_seeds_that_are_always_the_same(visit: Visit, add_film: MakeWalk) -> None:
    film = add_film("a moon", "a sea")
    at = visit("compare", grid=film.id)
    widget(at, "button_group", "Rows").set_value("seeds").run()
    rows = [row["name"] for row in component_data(at, "sheet")["rows"]]
    assert rows == ["seeds 7, 8", "seeds 108, 109"]
    widget(at, "button_group", "Pacings").set_value([]).run()
    assert "at least one row" in all_text(at)


def test_between_pictures_alone_seeds_make_no_rows(visit: Visit, add_film: MakeWalk) -> None:
    """Their films would be painted anew, and be the same."""
    pictures = [{"image": {"digest": digit * 64}} for digit in "ab"]
    film = add_film(stops=pictures)
    mixed = add_film(stops=[pictures[0], {"prompt": "a sea"}])
    for walk, choices in ((film, 2), (mixed, 3)):
        labels = [each.label for each in groups_of(visit("compare", grid=walk.id))]
        assert labels == ["Rows", "Interpolations", "Pacings"][-choices:]


def test_a_grid_is_voted_on_pair_by_pair(visit: Visit, add_film: MakeWalk) -> None:
    films = four_films(add_film)
    at = visit("compare", grid=films[0].id)
    assert "You have voted on 0 of 4 pairs." in texts(at)
    at = press(at, "Vote blind")
    for _ in range(4):
        assert "Which film do you prefer?" in [each.value for each in at.header]
        at = press(at, "No difference")
    assert dict(at.query_params) == {"grid": films[0].id}
    assert "You have voted on 4 of 4 pairs." in texts(at)
    with reading(settings().database) as session:
        for setting in votes.SETTINGS:
            (counted,) = votes.tally_by(setting, session=session).values()
            assert counted.neither == 2


def test_a_ballot_of_a_grid_may_be_left(visit: Visit, add_film: MakeWalk) -> None:
    films = four_films(add_film)
    at = press(visit("compare", grid=films[0].id), "Vote blind")
    at = press(at, "Back without a vote")
    assert dict(at.query_params) == {"grid": films[0].id}
    assert len(prints(at)) == 4


def test_pairs_differ_in_one_setting(add_film: MakeWalk) -> None:
    films = four_films(add_film)
    cells = [
        film_grid.Cell(*SETTINGS[n], submit.spec_of(film), film) for n, film in enumerate(films)
    ]
    orders = [film_grid.pairs_to_vote_on(cells, f"maker {n}") for n in range(20)]
    sides = {frozenset(pair) for pair in orders[0]}
    assert sides == {
        frozenset({films[a].id, films[b].id}) for a, b in ((0, 1), (2, 3), (0, 2), (1, 3))
    }
    assert all(set(one) == set(other) for one, other in pairwise(orders))
    assert len({tuple(order) for order in orders}) > 1
