"""The endpoint's client with a running container, and with injected network faults."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from momalisa.cloud import endpoint as endpoint_module
from momalisa.cloud.endpoint import Endpoint, EndpointError
from momalisa.engine.frame_cache import FrameCache
from momalisa.errors import BadInput, Cancelled, StorageError
from momalisa.render import Progress, render
from momalisa.result import Result
from momalisa.settings import CHECKOUT, Settings
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage
from tests.support.container import Container, assert_same_frames, running_container, small_walk
from tests.support.faults import Fault, Proxy, running_proxy
from tests.support.waiting import wait_until

VERTEX = "projects/museum/locations/us-central1/endpoints/123"


@pytest.fixture
def endpoint(container: Container) -> Endpoint:
    return Endpoint(f"{container.url}/predict")


@pytest.fixture
def proxy(container: Container) -> Iterator[Proxy]:
    with running_proxy(container.url.removeprefix("http://")) as proxy:
        yield proxy


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "OUTAGE_LIMIT", 1.5)
    monkeypatch.setattr(endpoint_module, "BUSY_LIMIT", 1.5)


def never() -> bool:
    return False


def render_at(
    endpoint: Endpoint, spec: WalkSpec, home: Path, on_progress: Callable[[Progress], None] = print
) -> Result:
    return endpoint.render(
        spec,
        walk_id="walk-1",
        cache=FrameCache(home / "frames"),
        storage=LocalStorage(home / "store"),
        entry={"accession": "ML.2026.0001"},
        on_progress=on_progress,
        cancelled=never,
    ).result


@pytest.mark.parametrize("frames", [3, 30])
def test_endpoint_gives_the_same_film_as_this_machine(
    endpoint: Endpoint, model_folder: Path, runner: Any, tmp_path: Path, frames: int
) -> None:
    # Prompts of no other test: frames cached from batches of other sizes differ slightly.
    spec = small_walk(
        model_folder, f"a fox {frames}", f"a hill {frames}", frames=frames, loop="boomerang"
    )
    reports: list[Progress] = []
    remote = render_at(endpoint, spec, tmp_path / "remote", reports.append)
    local = render(
        spec,
        walk_id="walk-1",
        runner=runner,
        cache=FrameCache(tmp_path / "local" / "frames"),
        storage=LocalStorage(tmp_path / "local" / "store"),
    ).result
    names = ("files", "bytes", "sha256", "frames", "distances", "sharpness", "model_digest")
    assert [getattr(remote, name) for name in names] == [getattr(local, name) for name in names]
    for kind in ("gif", "poster"):
        stores = [LocalStorage(tmp_path / where / "store") for where in ("remote", "local")]
        assert stores[0].get(remote.files[kind]) == stores[1].get(local.files[kind])
    assert b"ML.2026.0001" in stores[0].get(remote.files["json"])
    cached = [FrameCache(tmp_path / "remote" / "frames").get(key) for _, key in reports[-1].ready]
    assert len(cached) == frames
    assert all(frame is not None for frame in cached)
    assert remote.frames_computed == local.frames_computed


def test_stops_are_in_progress_before_the_other_frames(
    endpoint: Endpoint, model_folder: Path, tmp_path: Path
) -> None:
    spec = small_walk(model_folder, "a fox", "a hill", "a boat", frames=4, loop="closed")
    reports: list[Progress] = []
    render_at(endpoint, spec, tmp_path, reports.append)
    assert [[place for place, _ in progress.ready] for progress in reports[:2]] == [[], [0, 3, 6]]
    assert reports[-1].ready[::3] == reports[1].ready


def test_frames_are_deleted_from_the_endpoints_store(
    endpoint: Endpoint, container: Container, model_folder: Path
) -> None:
    endpoint.render_frames(small_walk(model_folder, "up", "down", frames=30), "passing", never)
    store = LocalStorage(container.home / "store")
    assert list(store.list("frames/passing/")) == []
    assert list(store.list("saved_predictions/passing/")) == []


def test_worker_of_an_endpoint_needs_no_torch(
    container: Container, model_folder: Path, tmp_path: Path
) -> None:
    from db import walks
    from db.models import State, Walk
    from db.session import get_engine, migrate, reading, writing

    settings = Settings(home=tmp_path)
    migrate(settings.database)
    spec = small_walk(model_folder)
    with writing(settings.database) as session:
        walk = walks.enqueue(
            session=session,
            spec=spec.model_dump(mode="json"),
            digest=spec.digest(),
            title=spec.title(),
            frames_total=3,
            remote=True,
        )
    code = (
        "import sys; from momalisa.__main__ import main; main(['worker', '--once']); "
        "print('torch' in sys.modules)"
    )
    variables = {"MOMALISA_HOME": str(tmp_path), "MOMALISA_ENDPOINT": f"{container.url}/predict"}
    worker = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (worker.returncode, worker.stdout.strip()) == (0, "False"), worker.stderr
    with reading(settings.database) as session:
        done = session.get_one(Walk, walk.id)
    get_engine(settings.database).dispose()
    assert (done.state, done.error) == (State.DONE, "")
    assert LocalStorage(tmp_path / "store").exists(done.files["gif"])


def test_temporary_faults_are_retried(
    proxy: Proxy, model_folder: Path, render_here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_module, "RETRY_PAUSES", (0.0, 0.0))
    spec = small_walk(model_folder)
    proxy.script_faults(Fault.UNAVAILABLE, Fault.CUT, Fault.BUSY, Fault.LOST, Fault.TRUNCATE)
    frames = Endpoint(f"{proxy.address}/predict").render_frames(spec, "walk-1", never).frames
    assert len(proxy.fault_counts) == 5
    assert_same_frames(frames, render_here(spec))


@pytest.mark.usefixtures("short_limits")
def test_unreachable_endpoint_is_an_endpoint_error(model_folder: Path, port: int) -> None:
    unreachable = Endpoint(f"http://127.0.0.1:{port}/predict")
    with pytest.raises(EndpointError, match="cannot be reached"):
        unreachable.render_frames(small_walk(model_folder), "walk-1", never)


@pytest.mark.usefixtures("short_limits")
def test_missing_response_is_an_endpoint_error(
    proxy: Proxy, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_module, "RESPONSE_TIMEOUT", 0.2)
    proxy.script_faults(*[Fault.STALL] * 9)
    with pytest.raises(EndpointError, match="did not answer in time"):
        Endpoint(f"{proxy.address}/predict").render_frames(
            small_walk(model_folder), "walk-1", never
        )


@pytest.mark.usefixtures("short_limits")
def test_endpoint_without_a_model_is_an_endpoint_error(model_folder: Path, tmp_path: Path) -> None:
    with running_container(tmp_path, "no-such-model") as broken:
        wait_until(lambda: "no model" in broken.get("/health").text)
        with pytest.raises(EndpointError, match="no model “no-such-model”"):
            Endpoint(f"{broken.url}/predict").render_frames(
                small_walk(model_folder), "walk-1", never
            )


def test_walk_of_another_model_is_bad_input(endpoint: Endpoint) -> None:
    with pytest.raises(BadInput, match="this container paints with"):
        endpoint.render_frames(small_walk("atelier"), "walk-1", never)


def test_unknown_route_is_an_endpoint_error(container: Container, model_folder: Path) -> None:
    with pytest.raises(EndpointError, match="status 404"):
        Endpoint(f"{container.url}/nowhere").render_frames(
            small_walk(model_folder), "walk-1", never
        )


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b'{"predictions": []}', b'{"predictions": [{"digest": "other"}]}'),
        b'{"predictions": [7]}',
    ],
)
def test_invalid_response_is_an_endpoint_error(
    endpoint: Endpoint, model_folder: Path, body: bytes
) -> None:
    with pytest.raises(EndpointError, match="cannot be used"):
        endpoint._parse_response(body, small_walk(model_folder), "walk-1")


def test_invalid_pngs_are_an_endpoint_error(endpoint: Endpoint, model_folder: Path) -> None:
    spec = small_walk(model_folder, frames=2)
    prediction = {"digest": spec.digest(), "pictures": ["AAAA", "AAAA"], "made": {}}
    with pytest.raises(EndpointError, match="no PNG"):
        endpoint._parse_response(json.dumps({"predictions": [prediction]}).encode(), spec, "walk-1")


def test_frames_that_cannot_be_deleted_are_left(
    endpoint: Endpoint, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ReadOnly(LocalStorage):
        def delete(self, key: str) -> None:
            raise StorageError(f"{key} may not be deleted.")

    monkeypatch.setattr(endpoint_module, "open_storage", lambda root: ReadOnly(Path(root)))
    assert (
        len(
            endpoint.render_frames(
                small_walk(model_folder, "up", "down", frames=30), "left", never
            ).frames
        )
        == 30
    )


def test_container_with_a_broken_store_is_not_retried(model_folder: Path, tmp_path: Path) -> None:
    variables = {"MOMALISA_ANSWER_MB": "0.01", "MOMALISA_STORE": "/proc/store"}
    with running_container(tmp_path, model_folder, **variables) as broken:
        wait_until(lambda: broken.get("/health").status == 200)
        with pytest.raises(EndpointError, match="status 502"):
            Endpoint(f"{broken.url}/predict").render_frames(
                small_walk(model_folder, frames=30), "walk-1", never
            )


def test_endpoint_cannot_name_other_files_of_this_machine(
    endpoint: Endpoint, model_folder: Path, tmp_path: Path
) -> None:
    spec = small_walk(model_folder, frames=2)
    secret = tmp_path / "frames" / "other" / "0000.png"
    secret.parent.mkdir(parents=True)
    secret.write_bytes(b"mine")
    keys = [{"key": "frames/other/0000.png"}] * 2
    prediction = {"digest": spec.digest(), "store": str(tmp_path), "frames": keys, "made": {}}
    with pytest.raises(EndpointError, match="another walk"):
        endpoint._parse_response(json.dumps({"predictions": [prediction]}).encode(), spec, "walk-1")
    assert secret.exists()


def test_cancelled_walk_ends_immediately(proxy: Proxy, model_folder: Path) -> None:
    checked = threading.Event()
    proxy.script_faults(Fault.STALL)

    def cancelled() -> bool:
        checked.set()
        return True

    with pytest.raises(Cancelled):
        Endpoint(f"{proxy.address}/predict").render_frames(
            small_walk(model_folder), "walk-1", cancelled
        )
    assert checked.is_set()


@pytest.mark.parametrize(
    "address", ["", "atelier", "http://", "http://host", "projects/p", f"{VERTEX}/x", "ftp://a/b"]
)
def test_invalid_addresses_are_bad_input(address: str, model_folder: Path) -> None:
    with pytest.raises(BadInput, match="is no endpoint"):
        Endpoint(address).render_frames(small_walk(model_folder), "walk-1", never)


def test_vertex_endpoint_is_called_with_googles_client(
    container: Container, model_folder: Path, render_here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform  # type: ignore[import-untyped]

    requests_sent: list[str] = []

    class RedirectingAdapter(requests.adapters.HTTPAdapter):
        """Answers requests for the endpoint's description, and forwards predictions."""

        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            requests_sent.append(f"{request.method} {request.url.partition('?')[0]}")
            if request.method == "POST":
                request.url = f"{container.url}/predict"
                return super().send(request, *args, **kwargs)
            response = requests.Response()
            response.status_code = 200
            response._content = f'{{"name": "{VERTEX}", "displayName": "museum"}}'.encode()
            return response

    class ScopedCredentials(AnonymousCredentials):
        _scopes = None

    monkeypatch.setattr(requests.Session, "get_adapter", lambda _session, url: RedirectingAdapter())
    aiplatform.init(credentials=ScopedCredentials())  # type: ignore[no-untyped-call]
    spec = small_walk(model_folder)
    frames = Endpoint(VERTEX).render_frames(spec, "walk-1", never).frames
    assert_same_frames(frames, render_here(spec))
    google = f"https://us-central1-aiplatform.googleapis.com/v1/{VERTEX}"
    assert (set(requests_sent[:-1]), requests_sent[-1]) == (
        {f"GET {google}"},
        f"POST {google}:rawPredict",
    )


def test_missing_login_names_the_command(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.auth.exceptions import DefaultCredentialsError

    def refuse(_address: str) -> None:
        raise DefaultCredentialsError("no credentials")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(endpoint_module, "_make_sender", refuse)
    with pytest.raises(EndpointError, match="gcloud auth"):
        Endpoint(VERTEX).render_frames(small_walk(model_folder), "walk-1", never)
