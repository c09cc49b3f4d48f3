"""The estimate of how long a walk will take."""

from typing import Any

import pytest

from db.models import Walk
from momalisa.ui.create import estimate
from tests.support.pages import spec


def past_walk(frames_computed: int = 3, seconds: float = 6.0, **changes: Any) -> Walk:
    """A finished walk of three frames."""
    walk_spec = spec(**changes)
    return Walk(
        size=walk_spec.size,
        seconds=seconds,
        frames_computed=frames_computed,
        frames_total=3,
        spec=walk_spec.model_dump(mode="json"),
    )


def test_the_estimate_depends_on_frames_and_size() -> None:
    assert estimate.estimate_seconds(spec(), [past_walk()]) == pytest.approx(6.0)
    assert estimate.estimate_seconds(spec(frames=6), [past_walk()]) == pytest.approx(12.0)
    assert estimate.estimate_seconds(spec(size=128), [past_walk()]) is None
    assert estimate.estimate_seconds(spec(), []) is None


@pytest.mark.parametrize(
    "way",
    [{"mode": "exact"}, {"pacing": "even"}, {"without": ["glide"]}, {"interpolation": "slerp"}],
)
def test_the_estimate_prefers_walks_rendered_the_same_way(way: dict[str, Any]) -> None:
    past = [past_walk(seconds=3.0), past_walk(seconds=9.0, **way)]
    assert estimate.estimate_seconds(spec(), past) == pytest.approx(3.0)
    assert estimate.estimate_seconds(spec(**way), past) == pytest.approx(9.0)


@pytest.mark.parametrize(
    "way",
    [{"mode": "exact"}, {"pacing": "even"}, {"steps": 50}, {"interpolation": "predictions"}],
)
def test_the_estimate_grows_with_the_work(way: dict[str, Any]) -> None:
    assert (estimate.estimate_seconds(spec(**way), [past_walk()]) or 0.0) > 6.5


def test_the_estimate_counts_the_probes_of_attention() -> None:
    """They are the same on short legs, so that a frame takes longer there."""
    long, short = (spec(frames=n, interpolation="attention") for n in (24, 3))
    past = [past_walk(seconds=3.0), past_walk(seconds=9.0, interpolation="attention")]
    assert estimate.estimate_seconds(short, past) == pytest.approx(9.0)
    assert 9.0 < (estimate.estimate_seconds(long, past) or 0.0) < 8 * 9.0


@pytest.mark.parametrize("interpolation", ["attention", "slerp"])
def test_a_picture_takes_as_long_however_many_frames_there_are(interpolation: str) -> None:
    """The leg's probes counted as pictures, so that a short draft was not painted while dragged."""
    drafts = [spec(frames=n, interpolation=interpolation) for n in (4, 6, 24, 48)]
    past = [past_walk(interpolation=interpolation)]
    first, *others = [estimate.estimate_picture_seconds(draft, past) for draft in drafts]
    assert others == [first] * 3
    assert estimate.estimate_picture_seconds(drafts[0], []) is None


def test_the_estimate_ignores_walks_with_mostly_cached_frames() -> None:
    assert estimate.estimate_seconds(spec(), [past_walk(frames_computed=1)]) is None
    assert estimate.estimate_seconds(spec(), [past_walk(frames_computed=2)]) == pytest.approx(9.0)
