"""The first accession numbers of a new history, or of one that was lost."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

import streamlit_app
from db.error_messages import Locked
from db.session import sqlite_file
from momalisa.settings import settings
from momalisa.storage import LocalStorage
from momalisa.worker.courier import Courier
from momalisa.worker.supervisor import Supervisor
from tests.support.walks import enqueue_walk


def test_the_app_learns_of_given_numbers_when_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A history that was lost gave the numbers of stored films again."""
    store, year = LocalStorage(Path(settings().store_root)), datetime.now(UTC).year
    store.put(f"accession_numbers/{year}.000041.json", b"{}", "application/json")
    # It would change the logs of all tests.
    monkeypatch.setattr(streamlit_app, "configure_logs", lambda _settings: None)
    # Its courier would learn of them as well, a moment later.
    monkeypatch.setattr(Courier, "run", lambda _courier, _stopping: None)

    async def start() -> str:
        async with streamlit_app.lifespan(streamlit_app.app):
            return enqueue_walk(settings().database).accession

    assert anyio.run(start) == f"ML.{year}.0042"


def test_the_worker_wakes_while_the_app_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It began to load its libraries last, with a silent storage after 20 s."""
    began: list[str] = []
    monkeypatch.setattr(streamlit_app, "configure_logs", lambda _settings: None)
    monkeypatch.setattr(Courier, "run", lambda _courier, _stopping: None)
    monkeypatch.setattr(Supervisor, "start", lambda _supervisor: began.append("worker"))

    async def raise_counters() -> None:
        began.append("counters")

    async def start() -> None:
        async with streamlit_app.lifespan(streamlit_app.app):
            pass

    monkeypatch.setattr(streamlit_app, "raise_counters", raise_counters)
    anyio.run(start)
    assert began == ["worker", "counters"]


def test_the_app_starts_though_its_history_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ended at once: of a history without tables it asked which numbers were given."""

    def fail(url: str) -> None:
        raise Locked.at(url)

    monkeypatch.setattr(streamlit_app, "migrate", fail)
    monkeypatch.setattr(streamlit_app, "_warm_up", lambda: None)
    Path(sqlite_file(settings().database) or "").unlink(missing_ok=True)
    anyio.run(streamlit_app._prepare_pages)


@pytest.mark.parametrize("seconds", [20.0, 0.1])
def test_a_silent_storage_makes_no_new_history_begin_at_one(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """The first page opened before the request had failed: ML.2026.0001 was given twice."""
    monkeypatch.setattr(streamlit_app, "MARK_SECONDS", 0.5)
    monkeypatch.setattr(streamlit_app, "FIRST_MARK_SECONDS", seconds)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        monkeypatch.setenv("MOMALISA_STORE", "gs://films")
        settings.cache_clear()
        anyio.run(streamlit_app.raise_counters)
        number = enqueue_walk(settings().database).accession
    assert int(number[8:]) > 10_000
