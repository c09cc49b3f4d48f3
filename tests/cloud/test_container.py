"""The container over HTTP, as it runs: routes, predictions, queue and shutdown."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.render import render
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage
from tests.support.asgi import request
from tests.support.container import (
    Container,
    Response,
    assert_same_frames,
    running_container,
    small_walk,
)
from tests.support.storage_emulator import running_emulator
from tests.support.waiting import wait_until

DEFAULT_ROUTE = "/v1/endpoints/12/deployedModels/34"
"""Vertex AI's route for a model that was uploaded without routes."""
RenderHere = Callable[[WalkSpec], Sequence[Frame]]


def frames_of(prediction: dict[str, Any]) -> list[Frame]:
    """Decode the frames in a prediction."""
    from momalisa.cloud.frame_transfer import decode_png

    return [decode_png(base64.b64decode(picture)) for picture in prediction["pictures"]]


def body(*specs: WalkSpec, **fields: Any) -> dict[str, Any]:
    """The body of a request for these walks; `fields` are added to each instance."""
    return {"instances": [spec.model_dump(mode="json") | fields for spec in specs]}


def test_health_is_503_until_the_model_is_loaded(model_folder: Path, tmp_path: Path) -> None:
    with running_container(tmp_path, model_folder) as container:
        unhealthy = container.get("/health")
        early = container.predict(body(small_walk(model_folder)))
        assert (
            (unhealthy.status, unhealthy.error_code)
            == (early.status, early.error_code)
            == (503, "loading")
        )
        assert int(early.headers["Retry-After"]) > 0
        healthy = container.wait_until_ready().get("/health")
    assert healthy.json["status"] == "ready"
    assert healthy.json["model"] == str(model_folder)


def test_health_has_the_reason_when_loading_fails(tmp_path: Path) -> None:
    with running_container(tmp_path, "no-such-model") as container:
        wait_until(lambda: "no model" in container.get("/health").text)
        assert container.get("/health").status == 503


def test_routes_come_from_vertex_variables(model_folder: Path, tmp_path: Path) -> None:
    variables = {"AIP_HEALTH_ROUTE": "/well", "AIP_PREDICT_ROUTE": "/paint"}
    with running_container(tmp_path, "no-such-model", **variables) as container:
        assert container.get("/well").status == 503
        assert container.predict({}, "/paint").status == 503
        assert container.get("/health").status == 404


def test_weights_are_downloaded_from_the_artifacts_bucket(
    model_folder: Path, runner: Any, tmp_path: Path
) -> None:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage  # type: ignore[import-untyped,unused-ignore,attr-defined]

    with running_emulator() as address:
        client = storage.Client(
            "test",
            AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": f"http://{address}"},
        )
        bucket = client.create_bucket("weights")
        for path in (path for path in model_folder.rglob("*") if path.is_file()):
            name = f"a/model/{path.relative_to(model_folder).as_posix()}"
            bucket.blob(name).upload_from_filename(str(path))
        client.close()
        variables = {
            "STORAGE_EMULATOR_HOST": f"http://{address}",
            "AIP_STORAGE_URI": "gs://weights/a/model",
        }
        with running_container(tmp_path, "atelier", **variables) as container:
            health = container.wait_until_ready().get("/health").json
            assert (health["model"], health["digest"]) == ("atelier", runner.model.digest)


@pytest.mark.parametrize("route", ["/predict", DEFAULT_ROUTE, f"{DEFAULT_ROUTE}:predict"])
def test_prompts_give_frames(
    container: Container, model_folder: Path, render_here: RenderHere, route: str
) -> None:
    prompts = ["a red square", "a stormy sea"]
    fields = {
        "instances": [{"sample_key": prompts}],
        "parameters": {"frames": 3, "steps": 2, "size": 64, "guidance": 4},
    }
    response = container.predict(fields, route)
    assert response.status == 200, response.text
    (prediction,) = response.json["predictions"]
    spec = small_walk(model_folder, stops=[{"prompt": prompt} for prompt in prompts])
    assert_same_frames(frames_of(prediction), render_here(spec))


def test_default_health_route(container: Container) -> None:
    assert container.get(DEFAULT_ROUTE).json == container.get("/health").json


def test_specs_give_predictions_in_order(
    container: Container, model_folder: Path, render_here: RenderHere
) -> None:
    specs = [
        small_walk(model_folder, pacing="ease", loop="boomerang"),
        small_walk(model_folder, "a cat", "a dog", "a cat by night"),
    ]
    predictions = container.predict(body(*specs)).json["predictions"]
    assert [WalkSpec.model_validate(prediction["spec"]) for prediction in predictions] == specs
    for prediction, spec in zip(predictions, specs, strict=True):
        assert_same_frames(frames_of(prediction), render_here(spec))


def test_defaults_are_the_models(container: Container, model_folder: Path) -> None:
    fields = {"instances": [{"sample_key": ["a", "b"]}], "parameters": {"frames": 2, "steps": 1}}
    (prediction,) = container.predict(fields).json["predictions"]
    spec = WalkSpec.model_validate(prediction["spec"])
    assert (spec.size, spec.guidance, spec.steps) == (64, 7.5, 1)


def test_frames_that_exceed_the_limit_are_stored(
    container: Container, model_folder: Path, runner: Any, render_here: RenderHere, tmp_path: Path
) -> None:
    spec = small_walk(model_folder, "a moon", "a sun", frames=24)
    (first,) = container.predict(body(spec)).json["predictions"]
    (second,) = container.predict(body(spec)).json["predictions"]
    assert {name: first[name] for name in ("film", "frames")} == {
        name: second[name] for name in ("film", "frames")
    }
    store = LocalStorage(Path(first["store"]))
    local = LocalStorage(tmp_path / "store")
    cache = FrameCache(tmp_path / "cache")
    result = render(spec, walk_id="own", runner=runner, cache=cache, storage=local).result
    assert store.get(first["film"]["key"]) == local.get(result.files["gif"])
    assert first["film"]["url"] == store.url(first["film"]["key"])

    from momalisa.cloud.frame_transfer import decode_png

    frames = [decode_png(store.get(file["key"])) for file in first["frames"]]
    assert_same_frames(frames, render_here(spec))


def test_walks_of_a_request_share_the_size_limit(container: Container, model_folder: Path) -> None:
    specs = [small_walk(model_folder, "one", f"two {number}", frames=2) for number in range(12)]
    predictions = container.predict(body(*specs)).json["predictions"]
    inline = ["pictures" in prediction for prediction in predictions]
    assert inline[0]
    assert not inline[-1]
    assert len(json.dumps({"predictions": [p for p in predictions if "pictures" in p]})) <= 200_000


def test_two_walks_with_one_id_get_their_own_frames(
    container: Container, model_folder: Path, render_here: RenderHere
) -> None:
    from momalisa.cloud.frame_transfer import decode_png

    for prompt in ("a moon", "a sun"):
        spec = small_walk(model_folder, prompt, "a hill", frames=24)
        (prediction,) = container.predict(body(spec, walk_id="shared", film=False)).json[
            "predictions"
        ]
        store = LocalStorage(Path(prediction["store"]))
        assert_same_frames(
            [decode_png(store.get(file["key"])) for file in prediction["frames"]], render_here(spec)
        )


def test_id_of_another_walk_is_refused(container: Container, model_folder: Path) -> None:
    first = container.predict(body(small_walk(model_folder, frames=20), walk_id="mine"))
    assert first.json["predictions"][0]["walk_id"] == "mine"
    second = container.predict(body(small_walk(model_folder, frames=21), walk_id="mine"))
    assert (second.status, second.error_code) == (400, "bad_input")


def test_twenty_concurrent_requests_get_their_own_frames(
    container: Container, model_folder: Path, render_here: RenderHere
) -> None:
    specs = [small_walk(model_folder, f"walk {number}", "a stormy sea") for number in range(20)]

    def predict_with_retries(spec: WalkSpec) -> Response:
        """Send a request again, after the time that the response asks for, until it succeeds."""
        while (response := container.predict(body(spec))).status == 429:
            assert response.error_code == "busy"
            time.sleep(int(response.headers["Retry-After"]))
        return response

    with ThreadPoolExecutor(20) as pool:
        responses = list(pool.map(predict_with_retries, specs))
    assert [response.status for response in responses] == [200] * 20
    for response, spec in zip(responses, specs, strict=True):
        (prediction,) = response.json["predictions"]
        assert prediction["digest"] == spec.digest()
        assert_same_frames(frames_of(prediction), render_here(spec))


def long_walk(model_folder: Path) -> WalkSpec:
    """A walk that takes longer than any test."""
    return small_walk(model_folder, frames=240, steps=100, size=128)


def has_frames(container: Container) -> bool:
    """Whether the container has rendered a frame."""
    return any((container.home / "frames").rglob("*.png"))


def test_current_walk_is_finished_after_sigterm(
    model_folder: Path, tmp_path: Path, render_here: RenderHere
) -> None:
    spec = small_walk(model_folder, frames=40, steps=10)
    with ThreadPoolExecutor(1) as pool, running_container(tmp_path, model_folder) as container:
        future = pool.submit(container.wait_until_ready().predict, body(spec))
        wait_until(lambda: has_frames(container))
        assert container.stop() == 0
        response = future.result(60)
    assert response.status == 200
    assert_same_frames(frames_of(response.json["predictions"][0]), render_here(spec))


def test_health_responds_while_walks_are_rendered_that_get_503_after_sigterm(
    model_folder: Path, tmp_path: Path
) -> None:
    options = ("--graceful-timeout", "4")
    with (
        ThreadPoolExecutor(2) as pool,
        running_container(tmp_path, model_folder, *options, MOMALISA_ANSWER_MB="100") as container,
    ):
        futures = [
            pool.submit(container.wait_until_ready().predict, body(long_walk(model_folder)))
            for _ in "ab"
        ]
        wait_until(lambda: has_frames(container))
        assert container.get("/health").status == 200
        assert not any(future.done() for future in futures)
        assert container.stop() == 0
        responses = [future.result(60) for future in futures]
    for response in responses:
        assert (response.status, response.error_code) == (503, "stopping")
        assert int(response.headers["Retry-After"]) > 0


def test_full_queue_refuses_requests(
    model_folder: Path, runner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from momalisa.cloud import model_server

    finish = threading.Event()
    monkeypatch.setattr("momalisa.render.render_frames", lambda *_, **__: finish.wait(60))
    server = model_server.ModelServer(Settings(home=tmp_path, model=str(model_folder)))
    server.start_loading()
    wait_until(lambda: server.load_error or _is_loaded(server), 60)
    with ThreadPoolExecutor(1 + model_server.QUEUE_LENGTH) as pool:
        futures = [
            pool.submit(server.render_frames, small_walk(model_folder))
            for _ in range(1 + model_server.QUEUE_LENGTH)
        ]
        wait_until(lambda: server._slots._value == 0)
        with pytest.raises(model_server.Unavailable, match="Too many") as refused:
            server.render_frames(small_walk(model_folder))
        finish.set()
        assert all(future.result(60) for future in futures)
    assert (refused.value.code, refused.value.retry_after > 0) == ("busy", True)


def _is_loaded(server: Any) -> bool:
    from momalisa.cloud.model_server import Unavailable

    try:
        return bool(server.loaded_model())
    except Unavailable:
        return False


def test_unexpected_error_hides_details_and_reloads_the_model(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from momalisa.cloud import serving as app_module

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret insides")

    monkeypatch.setattr("momalisa.render.render_frames", fail)
    monkeypatch.setattr(
        app_module, "settings", lambda: Settings(home=tmp_path, model=str(model_folder))
    )
    app = app_module.create_app()
    server = app.state.model_server
    wait_until(lambda: _is_loaded(server), 60)
    before = server.loaded_model()[1]
    data = json.dumps(body(small_walk(model_folder))).encode()
    status, _, answer = asyncio.run(request("/predict", "", [data], app, {"host": "localhost"}))
    assert (status, json.loads(answer)["error"]["code"]) == (500, "unforeseen")
    assert b"secret" not in answer
    wait_until(lambda: _is_loaded(server), 60)
    assert server.loaded_model()[1] is not before
