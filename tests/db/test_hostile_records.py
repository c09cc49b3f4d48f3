"""Whatever a record says, sync takes in the films beside it, and the history can be read."""

import itertools
import json
import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import delete

from db import accession_numbers, walks
from db.models import AccessionYear, Deletion, Walk
from db.session import reading, writing
from momalisa import film_intake, stored_films
from momalisa.records import FIRST_MOMENT, LAST_MOMENT
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage, film_key
from momalisa.storage.outbox import Outbox
from momalisa.sync import Report, sync
from tests.support.stored_films import GIF, add_film, film_record

MOMENTS = st.sampled_from(
    [
        *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2100-01-01T00:00:00Z"),
        *("1969-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-01-01", "-1e400", "soon"),
        *("2099-12-31T23:59:59-14:00", "2026-01-01T00:00:00+23:59"),
    ]
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**400, 5e-324, 1e308, -0.0]),
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            *("", "\0", "\x1b[2J", "\ud800", "\u202e", "a" * 30_000, "\0" * 300, "é" * 600),
            *("ML.2026.0001", "ML.9999.999999999", "ML.0000.0000", "ML.٢٠٢٦.0001", "ML..", "w0"),
            *("saved_predictions/w0/walk.json", "saved_predictions/w0/poster.webp", "../film.gif"),
        ]
    ),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, MOMENTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)


FIELDS = (
    *("title", "finished_at", "created_at", "accession", "parent", "maker"),
    *("tags", "votes", "notes", "star", "edited_at"),
)
"""Fields of records, also those of later versions."""


def find_places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every part of a JSON value."""
    if place:
        yield place
    parts = value.items() if isinstance(value, dict) else ()
    for key, part in itertools.chain(parts, enumerate(value) if isinstance(value, list) else ()):
        yield from find_places(part, (*place, key))


@st.composite
def hostile_records(draw: st.DrawFn) -> Callable[[str], bytes]:
    """A function from a walk's id to a record of which some parts are replaced or added."""
    example = film_record("w0")
    places = [*find_places(example), ("result", "distances"), ("result", "seconds"), ("extra",)]
    places += [(name,) for name in FIELDS]
    changes = draw(
        st.lists(st.tuples(st.sampled_from(places), st.one_of(JSON, MOMENTS)), max_size=3)
    )

    def make(walk_id: str) -> bytes:
        record = film_record(walk_id, accession="")
        for place, value in changes:
            part: Any = record
            for key in place[:-1]:
                part = part[key] if isinstance(part, dict | list) and _has(part, key) else {}
            if isinstance(part, dict) or (isinstance(part, list) and _has(part, place[-1])):
                part[place[-1]] = value
        return json.dumps(record).encode()

    return make


def _has(part: Any, key: Any) -> bool:
    if isinstance(part, dict):
        return key in part
    return isinstance(key, int) and key < len(part)


@pytest.fixture
def take_in(url: str) -> Callable[[dict[str, bytes]], Report]:
    """Sync with a store of films with these records, and one film more: "sound"."""

    def _take_in(records: dict[str, bytes]) -> Report:
        with writing(url) as session:
            session.execute(delete(Walk))
        with tempfile.TemporaryDirectory() as folder:
            store = LocalStorage(Path(folder) / "store")
            for walk_id, record in records.items():
                add_film(store, walk_id, record)
            add_film(store, "sound", film_record("sound", accession=""))
            return sync(store, url, Outbox(Path(folder) / "outbox"))

    return _take_in


def check_history(url: str) -> None:
    """Read all rows as the pages do, and check their values."""
    with reading(url) as session:
        rows = walks.list_page(session=session, limit=100)
        assert len(rows) == len(list(walks.export(session=session)))
        for row in rows:
            assert row.finished_at is not None
            for moment in (row.finished_at, row.created_at):
                assert FIRST_MOMENT <= moment < LAST_MOMENT
            assert row.files["gif"] == film_key(row.id, "film.gif")
            assert row.bytes == len(GIF)
            assert 0 < len(row.title) <= 500
            assert all(math.isfinite(number) for number in row.distances)
            assert all(len(tag) <= 64 for tag in row.tags)


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(made=st.lists(hostile_records(), min_size=1, max_size=5))
def test_no_record_holds_up_the_film_beside_it(
    url: str, take_in: Callable[[dict[str, bytes]], Report], made: list[Callable[[str], bytes]]
) -> None:
    records = {f"w{number}": make(f"w{number}") for number, make in enumerate(made)}
    report = take_in(records)
    assert "sound" in report.taken_in
    assert len(report.taken_in) + len(report.damaged) == len(records) + 1
    assert all(sentence.isprintable() for sentence in report.sentences())
    check_history(url)


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2100-01-01T00:00:00Z"]
)
@pytest.mark.parametrize("field", ["finished_at", "created_at"])
def test_time_of_no_calendar_is_a_sentence(
    url: str, take_in: Callable[[dict[str, bytes]], Report], moment: str, field: str
) -> None:
    """It raised OverflowError, and no film at all was taken in."""
    record = json.dumps(film_record("w1", **{field: moment})).encode()
    report = take_in({"w1": record})
    assert report.taken_in == ["sound"]
    [sentence] = report.damaged
    assert sentence.startswith("w1: walk.json cannot be read")


def test_film_that_the_database_refuses_is_a_sentence(
    url: str,
    take_in: Callable[[dict[str, bytes]], Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each film has a savepoint of its own, should a value slip through the checks."""

    def read(storage: Any, walk_id: str, files: Any) -> dict[str, Any]:
        film = stored_films.read_film(storage, walk_id, files)
        return film | {"result": film["result"] | {"bytes": 2**70 if walk_id == "w1" else 9}}

    monkeypatch.setattr(film_intake, "read_film", read)
    report = take_in({walk_id: json.dumps(film_record(walk_id)).encode() for walk_id in ("w1",)})
    assert report.taken_in == ["sound"]
    [sentence] = report.damaged
    assert sentence.startswith("w1: it cannot be taken in")


def test_film_that_fails_in_an_unforeseen_way_is_a_sentence(
    take_in: Callable[[dict[str, bytes]], Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a library raises for one film, the others are taken in."""

    def read(storage: Any, walk_id: str, files: Any) -> dict[str, Any]:
        if walk_id == "w1":
            raise RuntimeError("of a library")
        return stored_films.read_film(storage, walk_id, files)

    monkeypatch.setattr(film_intake, "read_film", read)
    report = take_in({"w1": json.dumps(film_record("w1")).encode()})
    assert report.taken_in == ["sound"]
    assert report.damaged == ["w1: it cannot be read (RuntimeError)."]


def test_film_of_a_year_without_numbers_is_a_sentence(
    url: str, take_in: Callable[[dict[str, bytes]], Report]
) -> None:
    with writing(url) as session:
        session.add(AccessionYear(year=2099, last=accession_numbers.LAST))
        session.add(Deletion(walk_id="gone", accession=f"ML.2099.{accession_numbers.LAST}"))
    moment = {"finished_at": "2099-01-01T00:00:00Z", "accession": ""}
    report = take_in({"w1": json.dumps(film_record("w1", **moment)).encode()})
    assert report.taken_in == ["sound"]
    assert report.damaged == ["w1: it cannot be taken in (YearFull)."]


@given(JSON)
def test_any_value_as_a_spec_is_valid_or_a_validation_error(value: Any) -> None:
    try:
        spec = WalkSpec.from_stored(value)
    except ValidationError:
        return
    spec.title().encode()
