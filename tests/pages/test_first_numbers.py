"""The first accession numbers of a new history, while its storage does not answer."""

import socket

import anyio
import pytest

import streamlit_app
from momalisa.settings import settings
from tests.support.walks import enqueue_walk


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
