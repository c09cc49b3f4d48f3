"""The small parts that the pages are made of."""

import re
import xml.etree.ElementTree as ET
from random import Random
from typing import Any

import pytest

from db.models import Walk
from momalisa.pacing import PACINGS, PacingName, spread
from momalisa.settings import CHECKOUT
from momalisa.ui import durations, wall_label
from momalisa.ui.create import estimate, pacing_curve, random_prompts
from momalisa.ui.create.quality import QUALITIES, named
from tests.support.pages import MakeWalk, spec

WORD = re.compile(r"[a-z'-]+")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "a few seconds"),
        (17, "about 15 s"),
        (88, "about 90 s"),
        (125, "about 2 min"),
        (3 * 3600, "about 3 h"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert durations.format_duration(seconds) == words


def test_time_left_goes_by_the_walks_own_rate() -> None:
    assert durations.time_left(done=6, total=24, elapsed=12.0) == pytest.approx(36.0)
    assert durations.time_left(done=0, total=24, elapsed=12.0) is None
    assert durations.time_left(done=24, total=24, elapsed=12.0) == 0.0


def made(frames_computed: int = 3, seconds: float = 6.0, **changes: Any) -> Walk:
    """A walk of three frames that was made here."""
    wanted = spec(**changes)
    return Walk(
        size=wanted.size,
        seconds=seconds,
        frames_computed=frames_computed,
        frames_total=3,
        spec=wanted.model_dump(mode="json"),
    )


def test_the_estimate_knows_frames_and_size() -> None:
    assert estimate.expected(spec(), [made()]) == pytest.approx(6.0)
    assert estimate.expected(spec(frames=6), [made()]) == pytest.approx(12.0)
    assert estimate.expected(spec(size=128), [made()]) is None
    assert estimate.expected(spec(), []) is None


@pytest.mark.parametrize("way", [{"mode": "exact"}, {"pacing": "even"}, {"without": ["glide"]}])
def test_the_estimate_goes_by_walks_made_the_same_way(way: dict[str, Any]) -> None:
    past = [made(seconds=3.0), made(seconds=9.0, **way)]
    assert estimate.expected(spec(), past) == pytest.approx(3.0)
    assert estimate.expected(spec(**way), past) == pytest.approx(9.0)


@pytest.mark.parametrize("way", [{"mode": "exact"}, {"pacing": "even"}, {"steps": 50}])
def test_the_estimate_grows_with_the_work(way: dict[str, Any]) -> None:
    assert (estimate.expected(spec(**way), [made()]) or 0.0) > 6.5


def test_the_estimate_leaves_out_films_whose_frames_were_there() -> None:
    assert estimate.expected(spec(), [made(frames_computed=1)]) is None
    assert estimate.expected(spec(), [made(frames_computed=2)]) == pytest.approx(9.0)


@pytest.mark.parametrize("pacing", PACINGS)
def test_the_curve_has_a_tick_for_every_frame(pacing: PacingName) -> None:
    drawing = ET.fromstring(pacing_curve.drawn(pacing, 7, 0.8))
    ticks = [p.get("d", "") for p in drawing if p.get("d", "").endswith(f"v{pacing_curve.RUG - 6}")]
    places = [(float(tick[1:].split()[0]) - 6) / (pacing_curve.WIDTH - 12) for tick in ticks]
    assert places == pytest.approx(list(spread(pacing, 7, 0.8)), abs=1e-3)


@pytest.mark.parametrize("name", QUALITIES)
def test_a_quality_is_known_by_its_numbers(name: str) -> None:
    assert named(QUALITIES[name].steps, QUALITIES[name].frames) == name
    assert named(QUALITIES[name].steps, 3) is None


def test_differences_leave_out_what_is_the_same(add_film: MakeWalk) -> None:
    rows = wall_label.differing_facts(add_film("a", "b"), add_film("a", "b", steps=3))
    assert ("Steps", "16", "3") in rows
    assert "Guidance" not in [name for name, _, _ in rows]


def test_long_titles_are_cut_where_there_is_no_room() -> None:
    assert wall_label.shorten("a → b") == "a → b"
    assert len(wall_label.shorten("x" * 500)) == 90


def test_surprises_are_many_and_each_is_a_walk() -> None:
    pairs = {random_prompts.pair(Random(seed)) for seed in range(5_000)}
    assert len(pairs) > 4_500
    assert all(spec(*pair).title() for pair in list(pairs)[:500])


def test_a_surprise_comes_from_its_seed() -> None:
    assert (
        random_prompts.pair(Random(7))
        == random_prompts.pair(Random(7))
        != random_prompts.pair(Random(8))
    )


def test_both_pictures_of_a_surprise_share_a_colour() -> None:
    for seed in range(500):
        here, there = random_prompts.pair(Random(seed))
        assert any(colour in here and colour in there for colour in random_prompts.GROUNDS)
        assert "{" not in here + there


def test_surprises_are_in_words_that_the_shipped_model_learned() -> None:
    folder = CHECKOUT / "momalisa" / "atelier"
    texts = (
        path.read_text().lower() for kind in ("py", "txt") for path in folder.rglob(f"*.{kind}")
    )
    learned = {word for text in texts for word in re.findall(r"[a-z'-]+", text)}
    said = " ".join(text for seed in range(2_000) for text in random_prompts.pair(Random(seed)))
    assert set(WORD.findall(said)) <= learned
