"""Laws of the statistics of all films."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from statistics import median
from typing import Any

import pytest
from sqlalchemy import text

from db import insight
from db.models import Walk
from db.session import reading, writing

EnqueueWalk = Callable[..., Walk]


def fetch(url: str, query: Callable[..., insight.Rows], **options: Any) -> insight.Rows:
    with reading(url) as session:
        if url.startswith("postgresql"):
            session.execute(text("SET TIME ZONE 'Asia/Tokyo'"))  # the server's own may be any
        return query(session=session, **options)


def finish(url: str, walk: Walk, moment: datetime) -> None:
    with writing(url) as session:
        session.get_one(Walk, walk.id).finished_at = moment


def test_films_are_counted_by_the_day_in_utc(
    url: str, add_film: EnqueueWalk, enqueue_walk: EnqueueWalk
) -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    for walk in (add_film(), add_film()):
        finish(url, walk, late)
    finish(url, add_film(), late + timedelta(hours=1))
    finish(url, add_film(pacing="ease"), late.astimezone(timezone(timedelta(hours=9))))
    enqueue_walk()
    rows = fetch(url, insight.count_films_by_day)
    assert sorted((str(row["day"]), row["pacing"], row["films"]) for row in rows) == [
        ("2026-03-01", "ease", 1),
        ("2026-03-01", "linear", 2),
        ("2026-03-02", "linear", 1),
    ]


@pytest.mark.parametrize("measure", ["evenness", "ghosting", "directness"])
def test_quartiles_are_values_of_films(url: str, add_film: EnqueueWalk, measure: str) -> None:
    values = [0.5, 0.1, 0.4, 0.2, 0.3]
    for value in values:
        add_film(result={measure: value})
    add_film(result={measure: 0.9}, pacing="even")
    add_film()
    summarize = getattr(insight, f"summarize_{measure}")
    rows = {row.pop("pacing"): row for row in fetch(url, summarize)}
    assert rows == {
        "linear": {"films": 5, "low": 0.2, "median": median(values), "high": 0.4},
        "even": {"films": 1, "low": 0.9, "median": 0.9, "high": 0.9},
    }


def test_seconds_a_frame_are_those_of_computed_frames(url: str, add_film: EnqueueWalk) -> None:
    add_film(result={"seconds": 12.0, "frames_computed": 24, "device": "cpu"})
    for painted in (0, 2, 12):  # of 24: their seconds are those of making a film, too
        add_film(result={"seconds": 2.0, "frames_computed": painted, "device": "cpu"})
    (row,) = fetch(url, insight.summarize_seconds_per_frame)
    assert (row["device"], row["films"], row["median"]) == ("cpu", 1, 0.5)


def test_only_the_newest_films_tell_of_speed(url: str, add_film: EnqueueWalk) -> None:
    for seconds in (24.0, 12.0):
        add_film(result={"seconds": seconds, "frames_computed": 24})
    (row,) = fetch(url, insight.summarize_seconds_per_frame, newest=1)
    assert row["high"] == 0.5
