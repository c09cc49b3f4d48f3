"""The small parts that the pages are made of."""

import xml.etree.ElementTree as ET

import pytest

from db.models import Walk
from momalisa.pacing import PACINGS, PacingName, spread
from momalisa.ui import clock, curve, label
from momalisa.ui.quality import QUALITIES, named

from .conftest import Hang, spec


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
    assert clock.about(seconds) == words


def test_time_left_goes_by_the_walks_own_rate() -> None:
    assert clock.time_left(done=6, total=24, elapsed=12.0) == pytest.approx(36.0)
    assert clock.time_left(done=0, total=24, elapsed=12.0) is None
    assert clock.time_left(done=24, total=24, elapsed=12.0) == 0.0


def test_the_estimate_knows_model_size_and_mode() -> None:
    made = spec(guidance=4.0, steps=10).model_dump(mode="json")
    past = [Walk(model="atelier", size=64, seconds=10.0, frames_computed=5, spec=made)]
    assert clock.expected(spec(guidance=4.0, steps=10), past) == pytest.approx(6.0)
    assert clock.expected(spec(guidance=1.0, steps=10), past) == pytest.approx(3.0)
    assert clock.expected(spec(size=128), past) is None
    assert clock.expected(spec(mode="exact"), past) is None


@pytest.mark.parametrize("pacing", PACINGS)
def test_the_curve_has_a_tick_for_every_frame(pacing: PacingName) -> None:
    drawing = ET.fromstring(curve.drawn(pacing, 7, 0.8))
    ticks = [p.get("d", "") for p in drawing if p.get("d", "").endswith(f"v{curve.RUG - 6}")]
    places = [(float(tick[1:].split()[0]) - 6) / (curve.WIDTH - 12) for tick in ticks]
    assert places == pytest.approx(list(spread(pacing, 7, 0.8)), abs=1e-3)


@pytest.mark.parametrize("name", QUALITIES)
def test_a_quality_is_known_by_its_numbers(name: str) -> None:
    assert named(QUALITIES[name].steps, QUALITIES[name].frames) == name
    assert named(QUALITIES[name].steps, 3) is None


def test_differences_leave_out_what_is_the_same(hang: Hang) -> None:
    rows = label.differences(hang("a", "b"), hang("a", "b", steps=3))
    assert ("Steps", "16", "3") in rows
    assert "Guidance" not in [name for name, _, _ in rows]


def test_long_titles_are_cut_where_there_is_no_room() -> None:
    assert label.short("a → b") == "a → b"
    assert len(label.short("x" * 500)) == 90
