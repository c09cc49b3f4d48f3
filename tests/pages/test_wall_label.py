"""Wall labels and tables of facts."""

from momalisa.ui import film_detail, wall_label
from momalisa.ui.gallery import filters
from tests.support.pages import (
    MakeWalk,
    UpdateWalk,
    Visit,
    all_text,
    component_data,
    stored_walk,
    texts,
    widget,
)


def test_equal_facts_are_no_differences(add_film: MakeWalk) -> None:
    rows = wall_label.differing_facts(add_film("a", "b"), add_film("a", "b", steps=3))
    assert ("Steps", "16", "3") in rows
    assert "Guidance" not in [name for name, _, _ in rows]


def test_compare_credits_pictures_beside_the_films(visit: Visit, add_film: MakeWalk) -> None:
    credit = {"artist": "Claude Monet", "museum": "Art Institute of Chicago", "licence": "CC0"}
    monet = {"prompt": "", "image": {"digest": "0a" * 32, "credit": credit}}
    left, right = (add_film(stops=[monet, {"prompt": end}]) for end in ("a sea", "a hill"))
    line = "Claude Monet. Art Institute of Chicago. CC0"
    assert [text for text in texts(visit("compare", a=left.id, b=right.id)) if line in text] == (
        2 * [wall_label.credit_lines(left)[0]]
    )
    assert wall_label.credit_lines(left)[0] in texts(visit("compare", grid=left.id))


def test_long_titles_are_shortened() -> None:
    assert wall_label.shorten("a → b") == "a → b"
    assert len(wall_label.shorten("x" * 500)) == 90


def test_the_label_of_an_even_film_says_where_it_still_leaps(
    add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    for pacing, told in (("even", True), ("linear", False)):
        walk = add_film("a", "b", pacing=pacing)
        assert "A leap after frame 3" not in wall_label.label_lines(walk)
        update_walk(walk, distances=[0.1, 0.1, 0.9, 0.1, 0.1, 0.1])
        lines = wall_label.label_lines(stored_walk(walk.id))
        assert ("A leap after frame 3" in lines) == told


CREDIT = {
    "artist": "Claude Monet",
    "title": "Water Lilies",
    "year": "1906",
    "museum": "Art Institute of Chicago",
    "accession_number": "1933.1157",
    "licence": "CC0",
    "record_address": "https://www.artic.edu/artworks/16568",
}


def test_the_label_of_a_walk_from_a_work_credits_it(
    visit: Visit, add_film: MakeWalk, add_foreign_film: MakeWalk
) -> None:
    image = {"digest": "0a" * 32, "credit": CREDIT}
    stops = [{"prompt": "", "seed": 7, "image": image}, {"prompt": "a city at night", "seed": 8}]
    walk = add_film(stops=stops)
    credit = "Claude Monet, Water Lilies, 1906. Art Institute of Chicago, 1933.1157. CC0"
    assert wall_label.label_lines(walk)[0] == credit
    own = add_film(stops=[stops[1], {"prompt": "", "seed": 9, "image": {"digest": "0b" * 32}}])
    assert wall_label.label_lines(own)[0] == "An uploaded picture. No licence is known"
    at = visit("gallery", walk=walk.id)
    assert credit in all_text(at)
    assert "Water Lilies (Claude Monet) (seed 7)" in all_text(at)
    links = {link.proto.label: link.proto.url for link in at.get("link_button")}
    assert links["The museum's record of the work"] == CREDIT["record_address"]
    assert film_detail.alt_text(walk) == (
        "Film that turns Water Lilies (Claude Monet) into a city at night"
    )
    assert wall_label.credits_of(add_foreign_film()) == []


def test_the_gallery_filters_by_museum_where_there_are_works(
    visit: Visit, add_film: MakeWalk
) -> None:
    add_film()
    assert not [box for box in visit("gallery").selectbox if box.label == "Museum"]
    image = {"digest": "0a" * 32, "credit": CREDIT}
    stops = [{"prompt": "", "seed": 7, "image": image}, {"prompt": "a city at night", "seed": 8}]
    walk = add_film(stops=stops)
    at = visit("gallery", by_museum="Art Institute of Chicago", by_artist="Claude Monet")
    assert widget(at, "selectbox", "Museum").value == "Art Institute of Chicago"
    assert [card["id"] for card in component_data(at, "grid")["cards"]] == [walk.id]
    query = filters.parse_query("by_museum=Art+Institute+of+Chicago&by_artist=Claude+Monet")
    assert filters.describe(query.filters) == "Art Institute of Chicago, Claude Monet"
