"""The endpoint's client against the container as it runs, and against a network that fails."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from momalisa.cloud import endpoint as client
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
from tests.support.network import free_port
from tests.support.waiting import wait_until

VERTEX = "projects/museum/locations/us-central1/endpoints/123"


@pytest.fixture
def elsewhere(container: Container) -> Endpoint:
    return Endpoint(f"{container.url}/predict")


@pytest.fixture
def proxy(container: Container) -> Iterator[Proxy]:
    with running_proxy(container.url.removeprefix("http://")) as proxy:
        yield proxy


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "OUTAGE", 1.5)
    monkeypatch.setattr(client, "QUEUE", 1.5)


def never() -> bool:
    return False


def rendered(
    place: Endpoint, spec: WalkSpec, home: Path, on_progress: Callable[[Progress], None] = print
) -> Result:
    return place.render(
        spec,
        walk_id="walk-1",
        cache=FrameCache(home / "frames"),
        storage=LocalStorage(home / "store"),
        entry={"accession": "ML.2026.0001"},
        on_progress=on_progress,
        cancelled=never,
    ).result


@pytest.mark.parametrize("frames", [3, 30])
def test_endpoint_makes_the_very_film_that_this_machine_makes(
    elsewhere: Endpoint, folder: Path, model: Any, tmp_path: Path, frames: int
) -> None:
    # Prompts that no other test has: a kept frame may come from another batch, bits apart.
    spec = small_walk(
        folder, f"a fox {frames}", f"a hill {frames}", frames=frames, loop="boomerang"
    )
    seen: list[Progress] = []
    far = rendered(elsewhere, spec, tmp_path / "far", seen.append)
    near = render(
        spec,
        walk_id="walk-1",
        runner=model,
        cache=FrameCache(tmp_path / "near" / "frames"),
        storage=LocalStorage(tmp_path / "near" / "store"),
    ).result
    names = ("files", "bytes", "sha256", "frames", "distances", "sharpness", "model_digest")
    assert [getattr(far, name) for name in names] == [getattr(near, name) for name in names]
    for kind in ("gif", "poster"):
        stores = [LocalStorage(tmp_path / where / "store") for where in ("far", "near")]
        assert stores[0].get(far.files[kind]) == stores[1].get(near.files[kind])
    assert b"ML.2026.0001" in stores[0].get(far.files["json"])
    kept = [FrameCache(tmp_path / "far" / "frames").get(key) for _, key in seen[-1].ready]
    assert len(kept) == frames
    assert all(frame is not None for frame in kept)
    assert far.frames_computed == near.frames_computed


def test_stops_are_seen_while_the_rest_is_painted(
    elsewhere: Endpoint, folder: Path, tmp_path: Path
) -> None:
    spec = small_walk(folder, "a fox", "a hill", "a boat", frames=4, loop="closed")
    seen: list[Progress] = []
    rendered(elsewhere, spec, tmp_path, seen.append)
    assert [[place for place, _ in progress.ready] for progress in seen[:2]] == [[], [0, 3, 6]]
    assert seen[-1].ready[::3] == seen[1].ready


def test_frames_do_not_stay_in_the_endpoints_store(
    elsewhere: Endpoint, container: Container, folder: Path
) -> None:
    elsewhere.paint(small_walk(folder, "up", "down", frames=30), "passing", never)
    store = LocalStorage(container.home / "store")
    assert list(store.list("frames/passing/")) == []
    assert list(store.list("saved_predictions/passing/")) == []


def test_worker_of_an_endpoint_needs_no_torch(
    container: Container, folder: Path, tmp_path: Path
) -> None:
    from db import walks
    from db.models import State, Walk
    from db.session import get_engine, migrate, reading, writing

    settings = Settings(home=tmp_path)
    migrate(settings.database)
    spec = small_walk(folder)
    with writing(settings.database) as session:
        asked = walks.enqueue(
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
    named = {"MOMALISA_HOME": str(tmp_path), "MOMALISA_ENDPOINT": f"{container.url}/predict"}
    worker = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=os.environ | named,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (worker.returncode, worker.stdout.strip()) == (0, "False"), worker.stderr
    with reading(settings.database) as session:
        done = session.get_one(Walk, asked.id)
    get_engine(settings.database).dispose()
    assert (done.state, done.error) == (State.DONE, "")
    assert LocalStorage(tmp_path / "store").exists(done.files["gif"])


def test_short_troubles_pass_unseen(
    proxy: Proxy, folder: Path, rendered: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAUSES", (0.0, 0.0))
    spec = small_walk(folder)
    proxy.script_faults(Fault.UNAVAILABLE, Fault.CUT, Fault.BUSY, Fault.LOST, Fault.TRUNCATE)
    got = Endpoint(f"{proxy.address}/predict").paint(spec, "walk-1", never)
    assert len(proxy.fault_counts) == 5
    assert_same_frames(got.frames, rendered(spec))


@pytest.mark.usefixtures("impatient")
def test_outage_is_a_sentence(folder: Path) -> None:
    nobody = Endpoint(f"http://127.0.0.1:{free_port()}/predict")
    with pytest.raises(EndpointError, match="cannot be reached"):
        nobody.paint(small_walk(folder), "walk-1", never)


@pytest.mark.usefixtures("impatient")
def test_silence_is_a_sentence(proxy: Proxy, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TO_ANSWER", 0.2)
    proxy.script_faults(*[Fault.STALL] * 9)
    with pytest.raises(EndpointError, match="did not answer in time"):
        Endpoint(f"{proxy.address}/predict").paint(small_walk(folder), "walk-1", never)


@pytest.mark.usefixtures("impatient")
def test_endpoint_that_never_gets_ready_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    with running_container(tmp_path, "no-such-model") as broken:
        wait_until(lambda: "no model" in broken.get("/health").text)
        with pytest.raises(EndpointError, match="no model “no-such-model”"):
            Endpoint(f"{broken.url}/predict").paint(small_walk(folder), "walk-1", never)


def test_what_the_endpoint_cannot_paint_is_bad_input(elsewhere: Endpoint) -> None:
    with pytest.raises(BadInput, match="this container paints with"):
        elsewhere.paint(small_walk("atelier"), "walk-1", never)


def test_other_places_are_a_sentence(container: Container, folder: Path) -> None:
    with pytest.raises(EndpointError, match="status 404"):
        Endpoint(f"{container.url}/nowhere").paint(small_walk(folder), "walk-1", never)


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"[]", b"{}", b'{"predictions": []}', b'{"predictions": [{"digest": "other"}]}'),
        b'{"predictions": [7]}',
    ],
)
def test_answer_of_another_kind_is_a_sentence(
    elsewhere: Endpoint, folder: Path, answer: bytes
) -> None:
    with pytest.raises(EndpointError, match="cannot be used"):
        elsewhere._read(answer, small_walk(folder), "walk-1")


def test_pictures_that_are_none_are_a_sentence(elsewhere: Endpoint, folder: Path) -> None:
    spec = small_walk(folder, frames=2)
    told = {"digest": spec.digest(), "pictures": ["AAAA", "AAAA"], "made": {}}
    with pytest.raises(EndpointError, match="no PNG"):
        elsewhere._read(json.dumps({"predictions": [told]}).encode(), spec, "walk-1")


def test_frames_that_may_not_be_deleted_are_left(
    elsewhere: Endpoint, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ReadOnly(LocalStorage):
        def delete(self, key: str) -> None:
            raise StorageError(f"{key} may not be deleted.")

    monkeypatch.setattr(client, "open_storage", lambda root: ReadOnly(Path(root)))
    assert (
        len(elsewhere.paint(small_walk(folder, "up", "down", frames=30), "left", never).frames)
        == 30
    )


def test_container_that_cannot_store_says_so_at_once(folder: Path, tmp_path: Path) -> None:
    small = {"MOMALISA_ANSWER_MB": "0.01", "MOMALISA_STORE": "/proc/store"}
    with running_container(tmp_path, folder, **small) as broken:
        wait_until(lambda: broken.get("/health").status == 200)
        with pytest.raises(EndpointError, match="status 502"):
            Endpoint(f"{broken.url}/predict").paint(small_walk(folder, frames=30), "walk-1", never)


def test_endpoint_cannot_reach_other_files_of_this_machine(
    elsewhere: Endpoint, folder: Path, tmp_path: Path
) -> None:
    spec = small_walk(folder, frames=2)
    secret = tmp_path / "frames" / "other" / "0000.png"
    secret.parent.mkdir(parents=True)
    secret.write_bytes(b"mine")
    keys = [{"key": "frames/other/0000.png"}] * 2
    told = {"digest": spec.digest(), "store": str(tmp_path), "frames": keys, "made": {}}
    with pytest.raises(EndpointError, match="another walk"):
        elsewhere._read(json.dumps({"predictions": [told]}).encode(), spec, "walk-1")
    assert secret.exists()


def test_cancelled_walk_is_let_go_at_once(proxy: Proxy, folder: Path) -> None:
    asked = threading.Event()
    proxy.script_faults(Fault.STALL)

    def cancelled() -> bool:
        asked.set()
        return True

    with pytest.raises(Cancelled):
        Endpoint(f"{proxy.address}/predict").paint(small_walk(folder), "walk-1", cancelled)
    assert asked.is_set()


@pytest.mark.parametrize(
    "address", ["", "atelier", "http://", "http://host", "projects/p", f"{VERTEX}/x", "ftp://a/b"]
)
def test_foreign_addresses_are_refused(address: str, folder: Path) -> None:
    with pytest.raises(BadInput, match="is no endpoint"):
        Endpoint(address).paint(small_walk(folder), "walk-1", never)


def test_vertex_endpoint_is_asked_through_googles_client(
    container: Container, folder: Path, rendered: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform  # type: ignore[import-untyped]

    asked: list[str] = []

    class Here(requests.adapters.HTTPAdapter):
        """Google's addresses: the endpoint's own description, and the container behind it."""

        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            asked.append(f"{request.method} {request.url.partition('?')[0]}")
            if request.method == "POST":
                request.url = f"{container.url}/predict"
                return super().send(request, *args, **kwargs)
            response = requests.Response()
            response.status_code = 200
            response._content = f'{{"name": "{VERTEX}", "displayName": "easel"}}'.encode()
            return response

    class Scoped(AnonymousCredentials):
        _scopes = None

    monkeypatch.setattr(requests.Session, "get_adapter", lambda _session, url: Here())
    aiplatform.init(credentials=Scoped())  # type: ignore[no-untyped-call]
    spec = small_walk(folder)
    got = Endpoint(VERTEX).paint(spec, "walk-1", never)
    assert_same_frames(got.frames, rendered(spec))
    google = f"https://us-central1-aiplatform.googleapis.com/v1/{VERTEX}"
    assert (set(asked[:-1]), asked[-1]) == ({f"GET {google}"}, f"POST {google}:rawPredict")


def test_missing_login_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from google.auth.exceptions import DefaultCredentialsError

    def nobody(_address: str) -> None:
        raise DefaultCredentialsError("no credentials")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(client, "_post_to", nobody)
    with pytest.raises(EndpointError, match="gcloud auth"):
        Endpoint(VERTEX).paint(small_walk(folder), "walk-1", never)
