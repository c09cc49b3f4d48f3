"""Wall labels and tables of facts."""

from momalisa.ui import wall_label
from tests.support.pages import MakeWalk


def test_equal_facts_are_no_differences(add_film: MakeWalk) -> None:
    rows = wall_label.differing_facts(add_film("a", "b"), add_film("a", "b", steps=3))
    assert ("Steps", "16", "3") in rows
    assert "Guidance" not in [name for name, _, _ in rows]


def test_long_titles_are_shortened() -> None:
    assert wall_label.shorten("a → b") == "a → b"
    assert len(wall_label.shorten("x" * 500)) == 90
