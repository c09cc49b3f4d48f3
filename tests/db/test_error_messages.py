"""Laws of database errors: a message for people, and nothing overwritten."""

import sqlite3
import sys
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from db import walks
from db.error_messages import (
    Damaged,
    DiskFull,
    HistoryError,
    Locked,
    NoDriver,
    OutOfReach,
    ReadOnly,
    WrongOption,
)
from db.models import Walk
from db.session import get_engine, migrate, reading, sqlite_file, writing
from tests.support.databases import PostgreSQL, SQLite
from tests.support.walks import enqueue_walk

PAGES = 4096


@pytest.fixture
def history(files: SQLite) -> str:
    return files.fresh()


def file_of(url: str) -> Path:
    file = sqlite_file(url)
    assert file is not None
    return file


def set_up(url: str, pragma: str) -> None:
    """Have a PRAGMA on each connection that comes."""

    @event.listens_for(get_engine(url), "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(pragma)


@pytest.mark.parametrize("damage", ["no database at all" * 999, ""])
def test_damaged_history_is_said_to_be_and_left_alone(history: str, damage: str) -> None:
    enqueue_walk(history)
    get_engine(history).dispose()
    file = file_of(history)
    whole = file.read_bytes()
    broken = damage.encode() or whole[:PAGES] + b"\xff" * (len(whole) - PAGES)
    file.write_bytes(broken)
    for touch in (migrate, enqueue_walk):
        with pytest.raises(Damaged, match=r"backup.*history\.db"):
            touch(history)
    assert file.read_bytes() == broken


def test_read_only_history_can_still_be_read(history: str) -> None:
    set_up(history, "PRAGMA query_only = ON")
    with pytest.raises(ReadOnly, match="cannot be written"):
        enqueue_walk(history)
    with reading(history) as session:
        assert walks.list_page(session=session) == []
    migrate(history)


def test_full_disk_changes_nothing(history: str) -> None:
    enqueue_walk(history)
    get_engine(history).dispose()
    size = file_of(history).stat().st_size // PAGES
    set_up(history, f"PRAGMA max_page_count = {size}")
    with pytest.raises(DiskFull, match="make some room"):
        deque(map(enqueue_walk, [history] * 99), maxlen=0)
    with reading(history) as session:
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"


def test_history_locked_by_others_is_waited_for_then_said(
    history: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.session.BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(file_of(history))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Locked, match="locked"):
            enqueue_walk(history)
        with reading(history) as session:
            assert walks.list_page(session=session) == []
    enqueue_walk(history)


def test_folder_in_the_files_place_is_out_of_reach(files: SQLite) -> None:
    url = files.blank()
    file_of(url).mkdir(parents=True)
    with pytest.raises(OutOfReach, match="MOMALISA_DATABASE_URL"):
        migrate(url)


@pytest.mark.parametrize("secret", ["ada:secret@/history?", "ada@/history?password=secret&"])
def test_server_that_is_gone_is_out_of_reach(secret: str, tmp_path: Path) -> None:
    url = f"postgresql+psycopg://{secret}host={tmp_path}"
    with pytest.raises(OutOfReach, match="cannot be reached") as raised:
        migrate(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("server", ["postgresql", "oracle", "nosuch"])
def test_server_without_a_driver_says_what_to_install(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(NoDriver, match="pip install"):
        migrate(f"{server}://user@nowhere-{server}/history")


@pytest.mark.parametrize("option", ["nonsense=1", "connect_timeout=soon"])
def test_an_option_of_the_address_that_cannot_be_used_is_told(option: str, tmp_path: Path) -> None:
    with pytest.raises(WrongOption, match="MOMALISA_DATABASE_URL"):
        migrate(f"postgresql+psycopg://ada@/history?host={tmp_path}&{option}")


def test_history_named_wrong_on_the_server_is_out_of_reach(server: PostgreSQL) -> None:
    with pytest.raises(OutOfReach):
        migrate(server.blank().replace("history_", "nothing_"))


def test_server_that_only_reads_says_so(server: PostgreSQL) -> None:
    url = server.fresh()
    with server.server().connect() as connection:
        name = url.split("/")[3].split("?")[0]
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    with pytest.raises(ReadOnly):
        enqueue_walk(url)
    get_engine(url).dispose()


def test_what_is_no_trouble_of_the_history_stays_as_it_is(
    url: str, add_film: Callable[..., Walk]
) -> None:
    one, other = add_film(), add_film()
    with pytest.raises(IntegrityError), writing(url) as session:
        session.get_one(Walk, one.id).accession = other.accession
    with pytest.raises(ZeroDivisionError), writing(url):
        _ = 1 / 0


def test_every_trouble_is_an_error_of_the_system() -> None:
    """The command line shows those as sentences."""
    assert issubclass(HistoryError, OSError)
