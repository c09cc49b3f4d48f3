"""The Gallery's posters: search, filters, order, pages and export."""

from datetime import UTC, datetime

import pytest

from db import curation, repair, walks
from db.session import writing
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from momalisa.ui import example_film
from momalisa.ui.gallery import poster_grid, table_export
from tests.support.pages import (
    MakeWalk,
    UpdateWalk,
    Visit,
    all_text,
    component_data,
    press,
    texts,
    widget,
)


def test_an_empty_gallery_shows_the_example_film_and_links_to_create(visit: Visit) -> None:
    at = visit("gallery")
    assert "The walls are still bare." in texts(at)
    assert component_data(at, "player")["films"][0]["url"].startswith(
        "/pictures/example/film.webp?"
    )
    assert [link.label for link in at.page_link] == ["Create a walk"]
    press(at, "Use its settings")
    shipped = WalkSpec.model_validate_json(example_film.WALK_PATH.read_text())
    assert [title.value for title in at.title] == ["Create"]
    assert widget(at, "text_input", "From").value == shipped.stops[0].prompt


def test_posters_are_shown_newest_first(visit: Visit, add_film: MakeWalk) -> None:
    old, new = add_film("a moon", "a sea"), add_film("a mask", "a skyline", pacing="ease")
    cards = component_data(visit("gallery"), "grid")["cards"]
    assert [card["id"] for card in cards] == [new.id, old.id]
    assert cards[0]["poster"] == f"/pictures/store/{new.files['poster']}"
    assert cards[0]["title"] == "a mask → a skyline"
    assert new.accession in cards[0]["meta"]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"q": "MASK"}, ["a mask → a skyline"]),
        ({"by_pacing": "linear"}, ["a moon → a sea"]),
        ({"by_pacing": "nonsense"}, ["a mask → a skyline", "a moon → a sea"]),
    ],
)
def test_search_and_filters_come_from_the_url(
    visit: Visit, add_film: MakeWalk, query: dict[str, str], titles: list[str]
) -> None:
    add_film("a moon", "a sea")
    add_film("a mask", "a skyline", pacing="ease")
    cards = component_data(visit("gallery", **query), "grid")["cards"]
    assert [card["title"] for card in cards] == titles


@pytest.mark.parametrize(
    ("query", "told", "titles"),
    [
        ({"tag": "foyer"}, "foyer", ["a mask → a skyline"]),
        ({"tag": "nosuch"}, "", ["a mask → a skyline", "a moon → a sea"]),
        ({"starred": "true"}, "starred", ["a mask → a skyline"]),
        ({"since": "2025-01-02"}, "from 02 January 2025", ["a mask → a skyline"]),
        ({"until": "2025-01-01"}, "to 01 January 2025", ["a moon → a sea"]),
        ({"since": "long ago"}, "", ["a mask → a skyline", "a moon → a sea"]),
        ({"since": "2025-01-02", "until": "2025-01-01"}, "", []),
        ({"q": "foyer", "by_pacing": "linear"}, "“foyer”, linear", ["a mask → a skyline"]),
    ],
)
def test_films_are_filtered_by_tag_star_and_date(
    visit: Visit,
    add_film: MakeWalk,
    update_walk: UpdateWalk,
    query: dict[str, str],
    told: str,
    titles: list[str],
) -> None:
    update_walk(add_film("a moon", "a sea"), finished_at=datetime(2025, 1, 1, 23, 59, tzinfo=UTC))
    chosen = add_film("a mask", "a skyline")
    update_walk(chosen, finished_at=datetime(2025, 1, 2, tzinfo=UTC), star=True)
    with writing(settings().database) as session:
        curation.set_tags(session=session, walk_id=chosen.id, tags=["foyer"])
    at = visit("gallery", **query)
    cards = component_data(at, "grid")["cards"] if titles else []
    assert (f"1 film: {told}" in texts(at)) == bool(told)
    assert [card["title"] for card in cards] == titles
    assert ("Nothing here goes by that description." in texts(at)) == (not titles)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("newest", "cba"),
        ("oldest", "abc"),
        ("title", "abc"),
        ("longest", "bca"),
        ("evenness", "acb"),
        ("nonsense", "cba"),
    ],
)
def test_the_order_is_read_from_the_url(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk, sort: str, order: str
) -> None:
    for name, frames, evenness in (("a", 2, 0.9), ("b", 9, None), ("c", 5, 0.4)):
        update_walk(add_film(name, "z", frames=frames), evenness=evenness)
    cards = component_data(visit("gallery", sort=sort), "grid")["cards"]
    assert "".join(card["title"][0] for card in cards) == order


@pytest.mark.parametrize(("typed", "told"), [("*", "*"), (" 🌊 ", "🌊"), ("…—!", "…—!")])
def test_a_search_without_a_word_is_told_to_be_none(
    visit: Visit, add_film: MakeWalk, typed: str, told: str
) -> None:
    """All films were shown as if they had been found by it."""
    add_film("a moon", "a sea")
    sentence = f"1 film. A search goes by letters and digits; “{told}” has none."
    assert sentence in texts(visit("gallery", q=typed))
    assert f"1 film: linear. {sentence[8:]}" in texts(visit("gallery", q=typed, by_pacing="linear"))


def test_a_bare_wall_is_told_whatever_is_searched(visit: Visit) -> None:
    assert "The walls are still bare." in texts(visit("gallery", q="*"))


def test_the_page_after_a_deleted_film_is_the_first_page(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film()
    at = visit("gallery", before="nosuch")
    assert [card["id"] for card in component_data(at, "grid")["cards"]] == [walk.id]
    assert "before" not in at.query_params


def test_a_new_order_starts_at_the_first_page(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poster_grid, "PAGE_SIZE", 2)
    for n in range(3):
        add_film(f"moon {n}", "a sea")
    at = press(visit("gallery"), "Next")
    widget(at, "selectbox", "Sort").select("oldest").run()
    assert "before" not in at.query_params
    assert [card["title"][:6] for card in component_data(at, "grid")["cards"]] == [
        "moon 0",
        "moon 1",
    ]


def test_films_waiting_for_upload_are_counted(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    first, second = add_film("a moon", "a sea"), add_film("a mask", "a hill")
    assert "waits for the storage" not in all_text(visit("gallery"))
    update_walk(first, waiting=True)
    assert "1 film waits for the storage; nothing is lost." in texts(visit("gallery"))
    assert "Waiting for storage" in texts(visit("gallery", walk=first.id))
    assert "Waiting for storage" not in texts(visit("gallery", walk=second.id))


def test_the_films_found_can_be_downloaded_as_a_table(visit: Visit, add_film: MakeWalk) -> None:
    add_film("a moon", "a sea"), add_film("a mask", "a hill", pacing="ease")
    at = visit("gallery", by_pacing="ease")
    urls = {link.proto.label: link.proto.url for link in at.get("link_button")}
    assert urls["CSV"] == table_export.table_url("csv", "by_pacing=ease")
    assert urls["JSON"] == table_export.table_url("json", "by_pacing=ease")


def test_a_search_without_results_shows_a_message(visit: Visit, add_film: MakeWalk) -> None:
    add_film("a moon", "a sea")
    assert "Nothing here goes by that description." in texts(visit("gallery", q="giraffe"))


def test_pages_can_be_turned_forward_and_back(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poster_grid, "PAGE_SIZE", 2)
    walks = [add_film(f"moon {n}", "a sea") for n in range(5)][::-1]
    at = visit("gallery")

    def shown() -> list[str]:
        return [card["id"] for card in component_data(at, "grid")["cards"]]

    ids = [walk.id for walk in walks]
    assert shown() == ids[:2]
    press(at, "Next")
    press(at, "Next")
    assert shown() == ids[4:]
    press(at, "Previous")
    assert shown() == ids[2:4]
    press(at, "Previous")
    assert shown() == ids[:2]
    assert "before" not in at.query_params


@pytest.mark.parametrize("sort", ["oldest", "evenness"])
def test_previous_works_after_a_reload(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    """It led from any page to the first one."""
    monkeypatch.setattr(poster_grid, "PAGE_SIZE", 2)
    for number in range(7):
        add_film(f"moon {number}", "a sea")
    at, positions = visit("gallery", sort=sort), []
    for _ in range(3):
        positions.append(at.query_params.get("before", ""))
        at = press(at, "Next")
    at = visit("gallery", sort=sort, before=at.query_params["before"])
    for position in reversed(positions):
        press(at, "Previous")
        assert at.query_params.get("before", "") == position


def test_previous_works_after_the_browsers_back(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poster_grid, "PAGE_SIZE", 2)
    for number in range(5):
        add_film(f"moon {number}", "a sea")
    at = press(visit("gallery"), "Next")
    second = at.query_params["before"]
    press(at, "Next")
    at.query_params["before"] = second
    press(at.run(), "Previous")
    assert "before" not in at.query_params


def test_unfinished_walks_are_not_listed(visit: Visit, enqueue_walk: MakeWalk) -> None:
    walk = enqueue_walk()
    assert "The walls are still bare." in texts(visit("gallery"))
    assert "This walk is no film yet." in texts(visit("gallery", walk=walk.id))
    with writing(settings().database) as session:
        walks.cancel(session=session, walk_id=walk.id)
    assert "This walk did not become a film." in texts(visit("gallery", walk=walk.id))


def test_link_to_a_film_that_is_made_again_says_so(visit: Visit, add_film: MakeWalk) -> None:
    film = add_film("a moon", "a sea")
    with writing(settings().database) as session:
        assert repair.queue_again(session=session, walk_id=film.id)
    at = visit("gallery", walk=film.id)
    assert any("it is being made again" in text for text in texts(at))
    with writing(settings().database) as session:
        walks.cancel(session=session, walk_id=film.id)
    assert not any("made again" in text for text in texts(visit("gallery", walk=film.id)))
