"""Durations in words, and the time left."""

import pytest

from momalisa.ui import durations


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


def test_time_left_follows_the_rate_so_far() -> None:
    assert durations.time_left(done=6, total=24, elapsed=12.0) == pytest.approx(36.0)
    assert durations.time_left(done=0, total=24, elapsed=12.0) is None
    assert durations.time_left(done=24, total=24, elapsed=12.0) == 0.0
