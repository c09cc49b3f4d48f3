"""Wall labels and tables of facts."""

from momalisa.ui import wall_label
from tests.support.pages import MakeWalk, UpdateWalk, stored_walk


def test_equal_facts_are_no_differences(add_film: MakeWalk) -> None:
    rows = wall_label.differing_facts(add_film("a", "b"), add_film("a", "b", steps=3))
    assert ("Steps", "16", "3") in rows
    assert "Guidance" not in [name for name, _, _ in rows]


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
