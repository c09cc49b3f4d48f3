"""The container's contract over HTTP, against gunicorn as it would run."""

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
from tests.support.container import (
    Container,
    Response,
    assert_same_frames,
    running_container,
    small_walk,
)
from tests.support.storage_emulator import running_emulator
from tests.support.waiting import wait_until

OLD = "/v1/endpoints/12/deployedModels/34"
Paint = Callable[[WalkSpec], Sequence[Frame]]


def pictures(prediction: dict[str, Any]) -> list[Frame]:
    from momalisa.cloud.frame_transfer import from_png

    return [from_png(base64.b64decode(picture)) for picture in prediction["pictures"]]


def body(*specs: WalkSpec, **more: Any) -> dict[str, Any]:
    return {"instances": [spec.model_dump(mode="json") | more for spec in specs]}


def test_health_is_red_until_the_model_is_loaded(folder: Path, tmp_path: Path) -> None:
    with running_container(tmp_path, folder) as container:
        red = container.get("/health")
        early = container.predict(body(small_walk(folder)))
        assert (red.status, red.error_code) == (early.status, early.error_code) == (503, "loading")
        assert int(early.headers["Retry-After"]) > 0
        green = container.wait_until_ready().get("/health")
    assert green.json["status"] == "ready"
    assert green.json["model"] == str(folder)


def test_health_says_why_it_stays_red(tmp_path: Path) -> None:
    with running_container(tmp_path, "no-such-model") as container:
        wait_until(lambda: "no model" in container.get("/health").text)
        assert container.get("/health").status == 503


def test_routes_are_those_that_vertex_names(folder: Path, tmp_path: Path) -> None:
    named = {"AIP_HEALTH_ROUTE": "/well", "AIP_PREDICT_ROUTE": "/paint"}
    with running_container(tmp_path, "no-such-model", **named) as container:
        assert container.get("/well").status == 503
        assert container.predict({}, "/paint").status == 503
        assert container.get("/health").status == 404


def test_weights_come_from_where_vertex_keeps_them(
    folder: Path, model: Any, tmp_path: Path
) -> None:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage  # type: ignore[import-untyped,unused-ignore,attr-defined]

    with running_emulator() as place:
        client = storage.Client(
            "test",
            AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": f"http://{place}"},
        )
        bucket = client.create_bucket("weights")
        for path in (path for path in folder.rglob("*") if path.is_file()):
            name = f"a/model/{path.relative_to(folder).as_posix()}"
            bucket.blob(name).upload_from_filename(str(path))
        client.close()
        there = {
            "STORAGE_EMULATOR_HOST": f"http://{place}",
            "AIP_STORAGE_URI": "gs://weights/a/model",
        }
        with running_container(tmp_path, "atelier", **there) as container:
            health = container.wait_until_ready().get("/health").json
            assert (health["model"], health["digest"]) == ("atelier", model.digest)


@pytest.mark.parametrize("route", ["/predict", OLD, f"{OLD}:predict"])
def test_prompts_become_pictures(
    container: Container, folder: Path, rendered: Paint, route: str
) -> None:
    asked = {
        "instances": [{"sample_key": ["a red square", "a stormy sea"]}],
        "parameters": {"frames": 3, "steps": 2, "size": 64, "guidance": 4},
    }
    answer = container.predict(asked, route)
    assert answer.status == 200, answer.text
    (prediction,) = answer.json["predictions"]
    assert_same_frames(pictures(prediction), rendered(small_walk(folder)))


def test_older_health_route(container: Container) -> None:
    assert container.get(OLD).json == container.get("/health").json


def test_whole_specs_become_pictures_in_the_order_asked_for(
    container: Container, folder: Path, rendered: Paint
) -> None:
    specs = [
        small_walk(folder, pacing="ease", loop="boomerang"),
        small_walk(folder, "a cat", "a dog", "a cat by night"),
    ]
    predictions = container.predict(body(*specs)).json["predictions"]
    assert [WalkSpec.model_validate(one["spec"]) for one in predictions] == specs
    for prediction, spec in zip(predictions, specs, strict=True):
        assert_same_frames(pictures(prediction), rendered(spec))


def test_what_is_left_away_is_the_models_own(container: Container, folder: Path) -> None:
    asked = {"instances": [{"sample_key": ["a", "b"]}], "parameters": {"frames": 2, "steps": 1}}
    (prediction,) = container.predict(asked).json["predictions"]
    spec = WalkSpec.model_validate(prediction["spec"])
    assert (spec.size, spec.guidance, spec.steps) == (64, 7.5, 1)


def test_what_does_not_fit_is_in_the_store(
    container: Container, folder: Path, model: Any, rendered: Paint, tmp_path: Path
) -> None:
    spec = small_walk(folder, "a moon", "a sun", frames=24)
    (first,) = container.predict(body(spec)).json["predictions"]
    (again,) = container.predict(body(spec)).json["predictions"]
    assert {name: first[name] for name in ("film", "frames")} == {
        name: again[name] for name in ("film", "frames")
    }
    store = LocalStorage(Path(first["store"]))
    local = LocalStorage(tmp_path / "store")
    cache = FrameCache(tmp_path / "cache")
    result = render(spec, walk_id="own", runner=model, cache=cache, storage=local).result
    assert store.get(first["film"]["key"]) == local.get(result.files["gif"])
    assert first["film"]["url"] == store.url(first["film"]["key"])

    from momalisa.cloud.frame_transfer import from_png

    frames = [from_png(store.get(place["key"])) for place in first["frames"]]
    assert_same_frames(frames, rendered(spec))


def test_each_walk_of_a_request_takes_the_room_that_is_left(
    container: Container, folder: Path
) -> None:
    specs = [small_walk(folder, "one", f"two {number}", frames=2) for number in range(12)]
    predictions = container.predict(body(*specs)).json["predictions"]
    kinds = ["pictures" in prediction for prediction in predictions]
    assert kinds[0]
    assert not kinds[-1]
    assert len(json.dumps({"predictions": [p for p in predictions if "pictures" in p]})) <= 200_000


def test_two_walks_under_one_id_get_their_own_pictures(
    container: Container, folder: Path, rendered: Paint
) -> None:
    from momalisa.cloud.frame_transfer import from_png

    for prompt in ("a moon", "a sun"):
        spec = small_walk(folder, prompt, "a hill", frames=24)
        (told,) = container.predict(body(spec, walk_id="shared", film=False)).json["predictions"]
        store = LocalStorage(Path(told["store"]))
        assert_same_frames(
            [from_png(store.get(one["key"])) for one in told["frames"]], rendered(spec)
        )


def test_id_of_another_walk_is_refused(container: Container, folder: Path) -> None:
    kept = container.predict(body(small_walk(folder, frames=20), walk_id="mine"))
    assert kept.json["predictions"][0]["walk_id"] == "mine"
    taken = container.predict(body(small_walk(folder, frames=21), walk_id="mine"))
    assert (taken.status, taken.error_code) == (400, "bad_input")


def test_without_a_store_large_answers_are_refused(folder: Path, tmp_path: Path) -> None:
    with running_container(tmp_path, folder, MOMALISA_ANSWER_MB="0.01") as container:
        answer = container.wait_until_ready().predict(body(small_walk(folder)))
    assert (answer.status, answer.error_code) == (413, "too_large")
    assert "MOMALISA_STORE" in answer.text


THINGS: list[Any] = [None, [], "dog", 7, {}, {"prompt": "dog"}]
LISTS: list[Any] = [None, "dog", ["a"], ["a", "a"], [1, 2], []]
GOOD: dict[str, Any] = {"sample_key": ["a", "b"], "frames": 2, "steps": 1, "size": 64}
STOPS = [{"prompt": "a"}, {"prompt": "b"}]
BAD: list[Any] = [
    *(b"", b"{", b"[]", b"null", b"\xff\xfe", b"1", b'"walk"', b"[" * 100_000, b"9" * 5_000),
    *({}, {"instances": None}, {"instances": {}}, {"instances": []}, {"instances": "dog"}),
    *({"instances": [GOOD] * 17}, {"instance": [GOOD]}, {"instances": [GOOD], "parameter": {}}),
    *({"instances": [GOOD], "parameters": value} for value in ([1], "dog", 3, [], "", False)),
    *({"instances": [GOOD], "parameters": {name: 1}} for name in ("stops", "warp", "walk_id")),
    *({"instances": [value]} for value in THINGS),
    *({"instances": [{"sample_key": value}]} for value in LISTS),
    *({"instances": [{"sample_key": value}]} for value in (["a"] * 13, ["", "b"], {"a": 1})),
    *({"instances": [{"sample_key": ["a", text]}]} for text in ("<script>", "\0", "x" * 501, None)),
    {"instances": [GOOD | {"stops": STOPS}]},
    *({"instances": [{"stops": value}]} for value in (*LISTS, [{"seed": 1}] * 2)),
    {"instances": [{"stops": [{"prompt": "a", "seed": -1}, {"prompt": "b"}]}]},
    *({"instances": [GOOD | {"frames": value}]} for value in (0, 1, 241, "many", 2.5, None, [3])),
    *({"instances": [GOOD | {"steps": value}]} for value in (0, 101, 1e99, True, "1e3")),
    *({"instances": [GOOD | {"size": value}]} for value in (0, 63, 65, 1025, -64)),
    *({"instances": [GOOD | {"guidance": value}]} for value in (-1, 31, "much", None)),
    *({"instances": [GOOD | {"pacing": value}]} for value in ("fast", 1, None)),
    *({"instances": [GOOD | {"model": value}]} for value in ("sd-1.5", "../../etc", 1, "")),
    *(
        {"instances": [GOOD | {"walk_id": value}]}
        for value in ("", "../x", "A", 7, "x" * 65, "a\n")
    ),
    *({"instances": [GOOD | {"film": value}]} for value in ("no", 0, None)),
    b'{"instances": [{"sample_key": ["a", "b"], "frames": NaN}]}',
    b'{"instances": [{"sample_key": ["a", "b"], "frames": Infinity}]}',
    b'{"instances": [{"sample_key": ["a", "\\ud800"]}]}',
    {"instances": [GOOD, GOOD | {"fps": 51}]},
]


def test_bad_bodies_are_many() -> None:
    assert len(BAD) >= 50


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad)[:60])
def test_bad_bodies_get_a_sentence(container: Container, bad: Any) -> None:
    answer = container.predict(bad)
    assert (answer.status, answer.error_code) == (400, "bad_input")
    assert answer.headers["Content-Type"] == "application/json"
    assert "Traceback" not in answer.text


def test_bad_bodies_leave_no_trace(container: Container) -> None:
    assert container.get("/health").status == 200
    assert "Traceback" not in container.log


def test_too_large_a_request_is_refused(container: Container) -> None:
    assert container.predict(b" " * 1_600_000).status == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/predict", 405), ("POST", "/health", 405), ("GET", "/", 404), ("PUT", OLD, 405)],
)
def test_foreign_routes_and_methods_are_json_too(
    container: Container, method: str, path: str, status: int
) -> None:
    answer = container.send(method, path)
    assert (answer.status, bool(answer.error_code)) == (status, True)


def test_twenty_at_once_get_their_own_pictures(
    container: Container, folder: Path, rendered: Paint
) -> None:
    specs = [small_walk(folder, f"walk {number}", "a stormy sea") for number in range(20)]

    def ask(spec: WalkSpec) -> Response:
        """Come back as often as one is asked to."""
        while (answer := container.predict(body(spec))).status == 429:
            assert answer.error_code == "busy"
            time.sleep(int(answer.headers["Retry-After"]))
        return answer

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, specs))
    assert [answer.status for answer in answers] == [200] * 20
    for answer, spec in zip(answers, specs, strict=True):
        (prediction,) = answer.json["predictions"]
        assert prediction["digest"] == spec.digest()
        assert_same_frames(pictures(prediction), rendered(spec))


def long_walk(folder: Path) -> WalkSpec:
    """Far more work than a test waits for."""
    return small_walk(folder, frames=240, steps=100, size=128)


def in_hand(container: Container) -> bool:
    """Whether a frame of a walk is rendered."""
    return any((container.home / "frames").rglob("*.png"))


def test_health_is_answered_while_a_walk_is_painted(folder: Path, tmp_path: Path) -> None:
    hasty = ("--graceful-timeout", "1")
    with ThreadPoolExecutor(1) as pool, running_container(tmp_path, folder, *hasty) as container:
        asked = pool.submit(container.wait_until_ready().predict, body(long_walk(folder)))
        wait_until(lambda: in_hand(container))
        assert container.get("/health").status == 200
        assert not asked.done()
        container.stop()


def test_walk_in_hand_is_finished_on_sigterm(folder: Path, tmp_path: Path, rendered: Paint) -> None:
    spec = small_walk(folder, frames=40, steps=10)
    with ThreadPoolExecutor(1) as pool, running_container(tmp_path, folder) as container:
        asked = pool.submit(container.wait_until_ready().predict, body(spec))
        wait_until(lambda: in_hand(container))
        assert container.stop() == 0
        answer = asked.result(60)
    assert answer.status == 200
    assert_same_frames(pictures(answer.json["predictions"][0]), rendered(spec))


def test_walks_that_take_too_long_are_given_back_on_sigterm(folder: Path, tmp_path: Path) -> None:
    hasty = ("--graceful-timeout", "4")
    with ThreadPoolExecutor(2) as pool, running_container(tmp_path, folder, *hasty) as container:
        asked = [
            pool.submit(container.wait_until_ready().predict, body(long_walk(folder))) for _ in "ab"
        ]
        wait_until(lambda: in_hand(container))
        assert container.stop() == 0
        answers = [one.result(60) for one in asked]
    for answer in answers:
        assert (answer.status, answer.error_code) == (503, "stopping")
        assert int(answer.headers["Retry-After"]) > 0


def test_full_line_turns_away(
    folder: Path, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from momalisa.cloud import model_server as studios

    finish = threading.Event()
    monkeypatch.setattr("momalisa.render.render_frames", lambda *_, **__: finish.wait(60))
    studio = studios.Studio(Settings(home=tmp_path, model=str(folder)))
    studio.open()
    wait_until(lambda: studio.trouble or _loaded(studio), 60)
    with ThreadPoolExecutor(1 + studios.LINE) as pool:
        asked = [pool.submit(studio.paint, small_walk(folder)) for _ in range(1 + studios.LINE)]
        wait_until(lambda: studio._places._value == 0)
        with pytest.raises(studios.NotNow, match="Too many") as turned:
            studio.paint(small_walk(folder))
        finish.set()
        assert all(one.result(60) for one in asked)
    assert (turned.value.code, turned.value.after > 0) == ("busy", True)


def _loaded(studio: Any) -> bool:
    from momalisa.cloud.model_server import NotNow

    try:
        return bool(studio.served())
    except NotNow:
        return False


def test_unforeseen_error_is_one_sentence_and_the_model_is_loaded_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from momalisa.cloud import serving as app_module

    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("secret insides")

    monkeypatch.setattr("momalisa.render.render_frames", break_down)
    monkeypatch.setattr(app_module, "settings", lambda: Settings(home=tmp_path, model=str(folder)))
    app = app_module.create_app()
    studio, client = app.extensions["studio"], app.test_client()
    wait_until(lambda: _loaded(studio), 60)
    before = studio.served()[1]
    answer = client.post("/predict", json=body(small_walk(folder)))
    assert answer.status_code == 500
    assert answer.json["error"]["code"] == "unforeseen"
    assert "secret" not in answer.text
    wait_until(lambda: _loaded(studio), 60)
    assert studio.served()[1] is not before
