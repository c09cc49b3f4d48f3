"""Accession numbers are short, given once, and no stored record can spoil them."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from db import accession_numbers, adoption, walks
from db.error_messages import YearFull
from db.models import Deletion, Walk
from db.session import get_engine, migrate, reading, sqlite_file, writing

SCHEMAS = Path(__file__).parent / "schemas"
YEAR = datetime.now(UTC).year
EnqueueWalk = Callable[..., Walk]


def adopt(url: str, walk_id: str, accession: str, title: str = "a → b") -> str:
    """Take in a film whose record has this number; returns the number it gets."""
    with writing(url) as session:
        walk = adoption.adopt(
            session=session,
            walk_id=walk_id,
            title=title,
            finished_at=datetime(YEAR, 5, 1, tzinfo=UTC),
            accession=accession,
        )
        assert walk is not None
        return walk.accession


@pytest.mark.parametrize(
    "number",
    ["999999999", "1000000000", "999999", "00007", "0000", "²345", "-001", "12", "10002"],
)
def test_odd_number_in_a_record_is_replaced_and_the_next_ones_stay_short(
    url: str, enqueue_walk: EnqueueWalk, number: str
) -> None:
    """999999999 once made the next numbers ten digits long, which collided with next year's."""
    enqueue_walk()
    assert adopt(url, "w1", f"ML.{YEAR}.{number}") == f"ML.{YEAR}.0002"
    assert enqueue_walk().accession == f"ML.{YEAR}.0003"


def test_number_of_a_far_year_is_replaced(url: str) -> None:
    assert adopt(url, "w1", "ML.9999.0001") == f"ML.{YEAR}.0001"
    assert adopt(url, "w2", f"ML.{YEAR + 1}.0001") == f"ML.{YEAR + 1}.0001"


def test_numbers_near_those_given_are_kept(url: str, enqueue_walk: EnqueueWalk) -> None:
    assert adopt(url, "w1", f"ML.{YEAR}.9999") == f"ML.{YEAR}.9999"
    assert adopt(url, "w2", f"ML.{YEAR}.12345") == f"ML.{YEAR}.12345"
    assert enqueue_walk().accession == f"ML.{YEAR}.12346"


def test_records_that_each_go_a_bit_further_do_not_use_up_the_year(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    """A hundred films, each with a number 10,000 above the last, left none for new walks."""
    for number in range(1, 101):
        adopt(url, f"w{number}", f"ML.{YEAR}.{min(number * 10_000, 999_999)}")
    assert enqueue_walk().accession < f"ML.{YEAR}.30000"


def test_numbers_of_a_burnt_year_leave_out_those_that_walks_have(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    for number in (1, 2, 4):
        adopt(url, f"w{number}", f"ML.{YEAR}.{number:04d}")
    with writing(url) as session:
        session.get_one(Walk, "w4").accession = f"ML.{YEAR}.500000"
        session.get_one(Walk, "w2").accession = f"ML.{YEAR}.0003"
        accession_numbers.raise_counters(session, {YEAR: 500_000})
        assert accession_numbers.lower_counters(session) == {YEAR: 500_000}
        session.get_one(Walk, "w4").accession = f"ML.{YEAR}.0004"
    assert enqueue_walk().accession == f"ML.{YEAR}.0005"


def test_number_of_a_deleted_walk_is_not_given_to_another(url: str) -> None:
    with writing(url) as session:
        session.add(Deletion(walk_id="gone", accession=f"ML.{YEAR}.0001"))
        accession_numbers.raise_counters(session, {YEAR: 1})
    assert adopt(url, "w1", f"ML.{YEAR}.0001") == f"ML.{YEAR}.0002"


def test_full_year_is_a_sentence_and_gives_nothing(url: str, enqueue_walk: EnqueueWalk) -> None:
    with writing(url) as session:
        accession_numbers.raise_counters(session, {YEAR: 999_998})
    assert enqueue_walk().accession == f"ML.{YEAR}.999999"
    with pytest.raises(YearFull, match="All 999,999 accession numbers"):
        enqueue_walk()
    with reading(url) as session:
        assert walks.count(session=session) == 0
        assert len(walks.list_active(session=session)) == 1


def test_counter_that_an_earlier_version_spoiled_is_set_back(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    for _ in range(2):
        enqueue_walk()
    with writing(url) as session:
        session.add(Deletion(walk_id="gone", accession=f"ML.{YEAR}.0003"))
        session.execute(text("UPDATE accessions SET last = 999999999"))
    assert [enqueue_walk().accession for _ in range(2)] == [f"ML.{YEAR}.0004", f"ML.{YEAR}.0005"]


def test_counters_are_raised_and_never_lowered(url: str, enqueue_walk: EnqueueWalk) -> None:
    with writing(url) as session:
        accession_numbers.raise_counters(session, {YEAR: 41, 2019: 7})
        accession_numbers.raise_counters(session, {YEAR: 12})
        assert accession_numbers.read_counters(session) == {YEAR: 41, 2019: 7}
    assert enqueue_walk().accession == f"ML.{YEAR}.0042"


def test_migration_parts_walks_whose_numbers_collided(blank: str) -> None:
    """“pelican” found the walrus: ML.2026.1000000001 and ML.2027.0001 had one row of the index."""
    spoil(blank)
    migrate(blank)
    with reading(blank) as session:
        rows = {walk.title: walk for walk in walks.list_page(session=session, limit=10)}
        found = walks.list_page(session=session, search="pelican")
        assert [walk.title for walk in found] == ["pelican"]
        assert walks.list_page(session=session, search=rows["walrus"].accession)
    assert rows["pelican"].accession == "ML.2027.0001"
    assert len(rows["walrus"].accession) == len("ML.2026.0002")
    assert len({walk.number for walk in rows.values()}) == len(rows)


def spoil(url: str) -> None:
    """Create a database of the previous release with two numbers that collide."""
    kind = make_url(url).get_backend_name()
    script = (SCHEMAS / f"0003.{kind}.sql").read_text()
    copy = "INSERT INTO walks SELECT {columns} FROM walks WHERE id = 'parent0000000000'"
    films = (
        ("walrus", "ML.2026.1000000001", "walrus ml 2026 1000000001"),
        ("pelican", "ML.2027.0001", "pelican ml 2027 0001"),
    )
    if file := sqlite_file(url):
        file.parent.mkdir()
        with closing(sqlite3.connect(file)) as old:
            old.executescript(script)
    else:
        with get_engine(url).begin() as connection:
            connection.exec_driver_sql(script)
    with get_engine(url).begin() as connection:
        columns = [column["name"] for column in inspect(connection).get_columns("walks")]
        for title, accession, words in films:
            new = {
                "id": f"'{title}'",
                "title": f"'{title}'",
                "accession": f"'{accession}'",
                "words": f"'{words}'",
                "number": "2027000000001",
            }
            statement = copy.format(columns=", ".join(new.get(name, name) for name in columns))
            connection.exec_driver_sql(statement)
