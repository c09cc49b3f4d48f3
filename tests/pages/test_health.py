"""The routes for those who run the app: /healthz, /readyz and /metrics."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update
from starlette.applications import Starlette

import streamlit_app
from db import worker_registry
from db.models import Walk, WorkerHeartbeat
from db.session import get_engine, writing
from momalisa.health import readiness
from momalisa.health.deadline import Recent
from momalisa.settings import settings
from momalisa.storage import film_key
from momalisa.storage.outbox import File, open_outbox, store_film
from momalisa.ui.http import health, hosts
from tests.support import asgi
from tests.support.pages import MakeWalk

HERE = {"host": "localhost:8501"}
APP = Starlette(routes=health.ROUTES)
GUARDED = hosts.guard_hosts(APP)
"""The routes as the app has them: behind the check of hosts and clients."""


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each request looks anew, and with the settings of this test."""
    monkeypatch.setattr(health, "_readiness", Recent(health.find_faults, -1))
    health._open_metrics.cache_clear()
    yield
    health._open_metrics.cache_clear()


def start_worker(**fields: Any) -> None:
    """Register a worker with a heartbeat of this moment."""
    with writing(settings().database) as session:
        worker_registry.record_heartbeat(session=session, name="w", pid=1, host="h")
        session.flush()
        worker = session.get_one(WorkerHeartbeat, "w")
        for name, value in fields.items():
            setattr(worker, name, value)


def ready() -> tuple[int, list[str]]:
    """The status of /readyz, and what it names as wrong."""
    status, headers, body = asgi.get("/readyz", app=APP)
    answer = json.loads(body)
    assert headers["cache-control"] == "no-store"
    assert answer["ready"] == (status == 200)
    return status, answer["wrong"]


def get_metrics() -> asgi.Response:
    return asyncio.run(asgi.request("/metrics", app=APP, headers=HERE))


def metrics() -> dict[str, float]:
    """The figures by name and labels."""
    status, _, body = get_metrics()
    assert status == 200
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_the_process_answers_although_the_history_is_gone(app_home: Path) -> None:
    break_history(app_home)
    assert asgi.get("/healthz", app=APP)[0::2] == (200, b"ok")


def break_history(home: Path) -> None:
    get_engine(settings().database).dispose()
    for path in home.glob("momalisa.db*"):
        path.unlink()
    (home / "momalisa.db").write_bytes(b"no database, but long enough to be read as one" * 100)


def test_the_app_has_these_routes() -> None:
    routes = {getattr(route, "path", "") for route in streamlit_app.app._user_routes}
    assert {"/healthz", "/readyz", "/metrics"} <= routes


def test_with_a_worker_the_app_is_ready() -> None:
    start_worker()
    assert ready() == (200, [])


def test_without_a_worker_it_is_not() -> None:
    assert ready() == (503, ["worker"])


def test_a_history_that_cannot_be_read_is_named(app_home: Path) -> None:
    start_worker()
    break_history(app_home)
    assert ready() == (503, ["history"])


def test_workers_that_all_pause_are_named() -> None:
    from datetime import timedelta

    from db.clock import utc_now

    start_worker(paused_until=utc_now() + timedelta(hours=1), failures=5, problem="No card.")
    assert ready() == (503, ["worker"])


def test_a_worker_that_tries_again_after_many_faults_is_named_still() -> None:
    start_worker(failures=5, problem="No card.")
    assert ready() == (503, ["worker"])
    [fault] = [one for one in health.find_faults() if one.level == "wrong"]
    assert fault.sentence == (
        "The worker pauses after 5 faults in a row; it is tried again now: No card."
    )


def test_a_full_disk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    start_worker()
    monkeypatch.setattr(readiness, "ROOM_BYTES", 10**18)
    assert ready() == (503, ["disk"])


def test_films_that_wait_long_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    start_worker()
    store_film([File(film_key("w", "walk.json"), b"{}")], open_outbox(settings()).films)
    assert ready() == (200, [])
    monkeypatch.setattr(readiness, "OUTBOX_SECONDS", -1.0)
    assert ready() == (503, ["outbox"])


def test_a_disk_that_hangs_is_named_and_holds_up_no_other_route(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start_worker()
    release = threading.Event()
    monkeypatch.setattr(readiness, "free_bytes", lambda _path: release.wait())

    async def both() -> tuple[asgi.Response, asgi.Response, float]:
        slow = asyncio.create_task(asgi.request("/readyz", app=APP))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        quick = await asgi.request("/healthz", app=APP)
        return await slow, quick, time.monotonic() - began

    try:
        slow, quick, seconds = asyncio.run(both())
    finally:
        release.set()
    assert (slow[0], json.loads(slow[2])["wrong"]) == (503, ["disk"])
    assert quick[0] == 200
    assert seconds < health.DEADLINE


def test_sentences_are_for_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    here = asyncio.run(asgi.request("/readyz", app=APP, headers=HERE))
    assert b"python -m momalisa worker" in here[2]
    monkeypatch.setattr(hosts, "is_local", lambda _scope: False)
    assert json.loads(asgi.get("/readyz", app=APP)[2]) == {"ready": False, "wrong": ["worker"]}


def test_metrics_tell_queue_workers_and_disk(enqueue_walk: MakeWalk, add_film: MakeWalk) -> None:
    add_film()
    enqueue_walk()
    start_worker(failures=2)
    (settings().frame_cache / "ab").mkdir(parents=True)
    (settings().frame_cache / "ab" / "c.png").write_bytes(b"1234")
    key, films = film_key("w", "walk.json"), open_outbox(settings()).films
    store_film([File(key, b"{}")], films)
    os.utime(films.root / key, (time.time() - 7200, time.time() - 7200))
    with writing(settings().database) as session:
        session.execute(update(Walk).values(due=Walk.due - 3600))
    found = metrics()
    assert found["momalisa_walks queued"] == found["momalisa_walks done"] == 1
    assert 3600 <= found["momalisa_queue_oldest_seconds"] < 7200
    assert found["momalisa_frame_seconds"] == 2.0
    assert found["momalisa_worker_failures w"] == 2
    assert found["momalisa_workers_alive"] == 1
    assert found["momalisa_worker_silent_seconds w"] >= 0
    assert (found["momalisa_outbox_films"], found["momalisa_open_deletions"]) == (1, 0)
    assert 7200 <= found["momalisa_outbox_oldest_seconds"] < 10_800
    assert found["momalisa_frame_cache_bytes"] == 4
    assert found["momalisa_disk_free_bytes home"] > 0
    assert found["process_resident_memory_bytes"] > 0


def test_metrics_hold_no_prompts_and_no_makers(enqueue_walk: MakeWalk) -> None:
    enqueue_walk("an elephant", "a giraffe")
    text = get_metrics()[2]
    assert b"elephant" not in text
    assert b"giraffe" not in text


def test_metrics_answer_although_the_history_is_gone(app_home: Path) -> None:
    break_history(app_home)
    found = metrics()
    assert found["momalisa_up history"] == 0
    assert found["momalisa_up disks"] == 1
    assert "momalisa_walks queued" not in found


def test_metrics_are_read_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    first = get_metrics()[2]
    kept = health._open_metrics()._text
    monkeypatch.setattr(kept, "_seconds", 1000.0)
    assert get_metrics()[2] == get_metrics()[2]
    assert first


def status_of_metrics(client: str = "127.0.0.1", **headers: str) -> int:
    request = asgi.request("/metrics", app=GUARDED, headers=HERE | headers, client=client)
    return asyncio.run(request)[0]


def test_metrics_are_for_this_machine() -> None:
    assert status_of_metrics() == 200
    assert status_of_metrics(client="10.0.0.7") == 403
    assert status_of_metrics(host="evil.example") == 403
    assert status_of_metrics(**{"x-forwarded-for": "10.0.0.7"}) == 403


def test_the_refusal_says_what_to_do_where_the_app_has_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy's visitors look like programs of this machine."""
    monkeypatch.setenv("MOMALISA_HOSTS", "gallery.example")
    settings.cache_clear()
    status, _, body = get_metrics()
    assert status == 403
    assert "With MOMALISA_HOSTS set" in body.decode()


def test_metrics_are_for_who_knows_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMALISA_METRICS_TOKEN", "s3cret")
    settings.cache_clear()
    assert status_of_metrics() == status_of_metrics(authorization="Bearer other") == 403
    assert status_of_metrics(client="10.0.0.7", authorization="Bearer s3cret") == 200


def test_exposure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(**changes: str) -> str:
        findings = health.check_exposure(settings().model_copy(update=changes))
        return "\n".join(finding.sentence for finding in findings)

    monkeypatch.setattr("momalisa.ui.sign_in.is_configured", lambda: False)
    assert "localhost only" in found()
    assert "need not sign in (MOMALISA_VISITORS=all)" in found(visitors="all")
    assert "MOMALISA_ADMINS has no effect" in found(admins="a@b.example")


def test_another_program_on_the_port_is_told_from_the_app(tmp_path: Path) -> None:
    from functools import partial
    from http.server import HTTPServer, SimpleHTTPRequestHandler

    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/healthz"
        assert "Another program" in health._find_app(url)[0].sentence
        (tmp_path / "healthz").write_text("ok")
        assert "The app answers" in health._find_app(url)[0].sentence
        server.shutdown()
    assert "does not answer" in health._find_app(url)[0].sentence
