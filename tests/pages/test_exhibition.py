"""Exhibition: which films are shown, and how long."""

from datetime import UTC, datetime
from typing import Any

import pytest

from db import curation, walks
from db.error_messages import Locked
from db.session import writing
from momalisa.settings import settings
from momalisa.ui import history, playlist
from momalisa.ui.gallery import filters
from tests.support.pages import MakeWalk, UpdateWalk, Visit, component_data, texts


def slides(at: Any) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = component_data(at, "exhibition")["slides"]
    return shown


def titles(at: Any) -> list[str]:
    return [slide["title"].split(" →")[0] for slide in slides(at)]


def test_a_slide_is_a_film_with_its_label(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a moon", "a sea", fps=2, loop="boomerang")
    (slide,) = slides(visit("exhibition"))
    assert slide == {
        "id": walk.id,
        "title": f"a moon → a sea, {walk.created_at.year}",
        "lines": [
            "Latent walk, 3 frames, 64 × 64",
            "Model atelier, pacing linear",
            "Seeds 7, 8",
            walk.accession,
        ],
        "alt": "Film that turns a moon into a sea",
        "film": history.file_url(walk, "webp"),
        "fallback": history.file_url(walk, "gif"),
        "poster": history.file_url(walk, "poster"),
        "seconds": 4.0,  # two rounds of four frames
    }


def test_listed_films_are_shown_in_the_urls_order(
    visit: Visit, add_film: MakeWalk, enqueue_walk: MakeWalk
) -> None:
    first, second, _ = add_film("a", "z"), add_film("b", "z"), add_film("c", "z")
    at = visit("exhibition", walk=[second.id, "nosuch", enqueue_walk().id, first.id])
    assert titles(at) == ["b", "a"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "cba"),
        ("sort=oldest", "abc"),
        ("starred=true", "b"),
        ("tag=foyer", "a"),
        ("q=b", "b"),
        ("by_pacing=ease", "c"),
        ("by_model=atelier", "cba"),
        ("until=2025-01-01", "a"),
        ("since=2025-01-02&sort=nonsense&until=never", "cb"),
    ],
)
def test_an_exhibited_search_has_the_gallerys_results(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk, query: str, shown: str
) -> None:
    one, two, _ = add_film("a", "z"), add_film("b", "z"), add_film("c", "z", pacing="ease")
    update_walk(one, finished_at=datetime(2025, 1, 1, tzinfo=UTC))
    update_walk(two, star=True)
    with writing(settings().database) as session:
        curation.set_tags(session=session, walk_id=one.id, tags=["foyer"])
    at = visit("exhibition", of=query)
    assert "".join(titles(at) if shown else []) == shown
    assert ("There is no film to exhibit here yet." in texts(at)) == (not shown)
    wall = visit("gallery", **dict(part.split("=") for part in query.split("&") if part))
    assert "".join(card["title"][0] for card in component_data(wall, "grid")["cards"]) == shown


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ({"seconds": "40"}, 40.0),
        ({"rounds": "10"}, 30.0),
        ({"seconds": "0.1"}, 3.0),
        ({"seconds": "1e9"}, 3600.0),
        ({"seconds": "nan", "rounds": "-1"}, 6.0),
    ],
)
def test_the_url_sets_how_long_a_film_is_shown(
    visit: Visit, add_film: MakeWalk, query: dict[str, str], seconds: float
) -> None:
    add_film(fps=1)
    assert slides(visit("exhibition", **query))[0]["seconds"] == seconds


def test_foreign_films_are_exhibited(visit: Visit, add_foreign_film: MakeWalk) -> None:
    add_foreign_film()
    (slide,) = slides(visit("exhibition"))
    assert (slide["title"], slide["seconds"]) == ("Waves, 2024", 20.0)


def test_new_and_deleted_films_update_the_slides(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a", "z")
    at = visit("exhibition")
    add_film("b", "z")
    assert titles(at.run()) == ["b", "a"]
    with writing(settings().database) as session:
        walks.delete(session=session, walk_id=walk.id)
    assert titles(at.run()) == ["b"]


@pytest.mark.parametrize("error", [Locked.at("momalisa.db"), ZeroDivisionError()])
def test_the_slides_stay_while_the_database_fails(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def away(_query: str) -> None:
        raise error

    add_film("a", "z")
    at = visit("exhibition")
    monkeypatch.setattr(filters, "parse_query", away)
    assert titles(at.run()) == ["a"]
    assert not at.exception


def test_the_link_states_the_maximum_number_of_films(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playlist, "MAX_FILMS", 2)
    for start in "abc":
        add_film(start, "z")
    (link,) = visit("gallery").page_link
    assert link.label == "Exhibit the first 2"
    assert titles(visit("exhibition")) == ["c", "b"]


def test_the_gallery_links_to_the_exhibition_of_its_search(
    visit: Visit, add_film: MakeWalk
) -> None:
    add_film("a moon", "a sea")
    (link,) = visit("gallery", q="a moon", sort="oldest", before="nosuch").page_link
    assert (link.label, link.proto.page) == ("Exhibit these", "exhibition")
    assert link.proto.query_string == "of=q%3Da%2Bmoon%26sort%3Doldest"
