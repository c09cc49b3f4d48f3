"""Picture walks at the prediction container, in this process, with a tiny model."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Semaphore
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from momalisa import render
from momalisa.cloud.description import describe_openapi
from momalisa.cloud.endpoint import Endpoint
from momalisa.cloud.frame_transfer import decode_png
from momalisa.cloud.model_server import ModelServer
from momalisa.cloud.serving import PICTURE_REQUESTS, _make_routes
from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.runner import ModelRunner
from momalisa.film.pixel_budget import FRAME_PIXELS
from momalisa.models.cards import ATELIER
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from momalisa.stop_pictures import take_in_bytes
from momalisa.storage import LocalStorage
from tests.support.museum_records import LOCKED
from tests.support.museum_stand_in import asked_here

SEA = {"prompt": "a stormy sea", "seed": 8}
SMALL = {"frames": 3, "steps": 2, "size": 64}


def png(size: tuple[int, int] = (96, 64)) -> bytes:
    pixels = np.random.default_rng(5).integers(0, 255, (6, 8, 3), np.uint8)
    data = BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(data, "PNG")
    return data.getvalue()


def bomb() -> bytes:
    """A small PNG that says that it has more pixels than may be decoded."""
    data = bytearray(png())
    data[16:24] = FRAME_PIXELS.to_bytes(4, "big") + (2).to_bytes(4, "big")
    data[29:33] = crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def client(
    tiny: ModelRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """The container's routes, with the tiny model loaded."""
    monkeypatch.setenv("MOMALISA_HOME", str(tmp_path / "container"))
    monkeypatch.setenv("MOMALISA_ANSWER_MB", "5")
    settings.cache_clear()
    server = ModelServer(settings())
    server._loaded = replace(ATELIER, name="tiny"), tiny
    yield TestClient(Starlette(routes=_make_routes(server)), base_url="http://localhost")
    settings.cache_clear()


def ask(client: TestClient, *stops: Any, **fields: Any) -> Any:
    walk = SMALL | {"model": "tiny", "stops": list(stops)} | fields
    return client.post("/predict", json={"instances": [walk]})


def frames_of(answer: Any) -> list[Any]:
    assert answer.status_code == 200, answer.text
    (prediction,) = answer.json()["predictions"]
    return [decode_png(base64.b64decode(picture)) for picture in prediction["pictures"]]


def test_a_picture_that_comes_along_begins_the_walk(client: TestClient) -> None:
    crop = {"x": 0.0, "y": 0.5, "zoom": 1.0}
    credit = {"artist": "Mina Loy"}
    image = {"data": coded(png()), "crop": crop, "credit": credit}
    answer = ask(client, {"image": image}, SEA)
    first, *_ = frames_of(answer)
    with Image.open(BytesIO(png())) as whole:
        assert np.array_equal(first, np.asarray(whole.crop((0, 0, 64, 64))))
    (told,) = answer.json()["predictions"]
    spec = WalkSpec.from_stored(told["spec"])
    image_of_first = spec.stops[0].image
    assert image_of_first is not None
    assert image_of_first.digest == take_in_bytes(png()).digest
    assert image_of_first.credit_line == "Mina Loy. No licence is known"
    assert told["digest"] == spec.digest()


def test_a_frame_of_another_walk_begins_a_walk(client: TestClient) -> None:
    ends = {"start": {"prompt": "a red square"}, "end": SEA}
    plain = frames_of(ask(client, *ends.values(), mode="exact", interpolation="lerp"))
    joined = frames_of(ask(client, {"between": {**ends, "t": 0.5}}, {"prompt": "a moon"}))
    assert np.abs(joined[0].astype(int) - plain[1]).max() <= 1


def test_a_museums_work_comes_with_its_credit(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asked_here(tmp_path, tmp_path / "container", monkeypatch):
        answer = ask(client, {"image": {"work": "chicago:5"}}, SEA)
        (told,) = answer.json()["predictions"]
        credit = told["spec"]["stops"][0]["image"]["credit"]
        assert (credit["artist"], credit["licence"]) == ("Claude Monet", "Public domain")
        locked = ask(client, {"image": {"work": f"chicago:{LOCKED}"}}, SEA)
        assert (locked.status_code, "is not offered" in locked.text) == (400, True)


BAD: list[tuple[Any, str]] = [
    (None, "must be a JSON object"),
    ({}, "either “data”"),
    ({"data": coded(png()), "work": "chicago:5"}, "either “data”"),
    ({"digest": "0a" * 32}, "no setting named “digest”"),
    ({"data": 7}, "either “data”"),
    ({"data": "§§"}, "is not base64"),
    ({"data": coded(b"no picture")}, "It is no JPEG, PNG or WebP"),
    ({"data": coded(png()[:150])}, "It is damaged"),
    ({"data": coded(bomb())}, "pixels"),
    ({"data": coded(png((20, 20)))}, "20 × 20 pixels"),
    ({"data": coded(png()), "crop": {"x": "0.5"}}, "image.crop.x must be a number"),
    ({"data": coded(png()), "crop": {"zoom": 99}}, "zoom"),
    ({"data": coded(png()), "credit": {"artist": "<script>"}}, "artist"),
    ({"data": coded(png()), "credit": {"record_address": "file:///etc"}}, "https://"),
    ({"work": "/etc/passwd"}, "no work of a museum"),
    ({"work": "louvre:1"}, "no work of a museum"),
    ({"work": "https://evil.example/a.jpg"}, "not an address of a museum"),
    ({"work": "http://169.254.169.254/a.jpg"}, "not an address of a museum"),
    ({"work": "x" * 2001}, "characters"),
]


def test_what_is_no_usable_picture_is_a_sentence_that_names_the_field(client: TestClient) -> None:
    for image, sentence in BAD:
        answer = ask(client, SEA, {"image": image})
        assert answer.status_code == 400, (image, answer.text)
        message = answer.json()["error"]["message"]
        assert message.startswith("instances.0.stops.1.image"), message
        assert sentence in message, message
    both = {"image": {"data": coded(png())}, "between": {"start": SEA, "end": SEA, "t": 0.5}}
    assert ask(client, SEA, both).status_code == 400
    many = [{"image": {"data": coded(png() + bytes([n]))}} for n in range(12)]
    walks = [SMALL | {"model": "tiny", "stops": [*many[:11], SEA]} for _ in range(2)]
    walks[1]["stops"] = [many[11], {"image": {"data": coded(png() + b"other")}}]
    answer = client.post("/predict", json={"instances": walks})
    assert (answer.status_code, "at most 12 pictures" in answer.text) == (400, True)


def test_two_files_of_one_picture_are_one_stop(client: TestClient) -> None:
    """The film was made, with a record that nobody could read."""
    stops = [{"image": {"data": coded(data)}} for data in (png(), png() + b"more")]
    answer = ask(client, *stops)
    assert (answer.status_code, "are the same" in answer.text) == (400, True)
    assert ask(client, SEA, {"prompt": "(a moon)2"}, prompt_weights="yes").status_code == 400


def test_pictures_of_few_requests_are_looked_at_at_a_time(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty requests of 50 kB took 12 GB, and as many with museums' works kept all others out."""
    monkeypatch.setattr("momalisa.works.picture.AT_ONCE", held := Semaphore(0))
    requests = PICTURE_REQUESTS + 1
    with ThreadPoolExecutor(requests) as pool:
        image = {"image": {"data": coded(png())}}
        asked = [pool.submit(ask, client, image, SEA) for _ in range(requests)]
        refused = next(as_completed(asked)).result()
        held.release(requests)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
        assert sorted(one.result().status_code for one in asked) == [200] * PICTURE_REQUESTS + [429]


def test_the_description_has_all_kinds_of_stops() -> None:
    schemas = describe_openapi(ATELIER, "/health", "/predict")["components"]["schemas"]
    kinds = [one["$ref"].rpartition("/")[2] for one in schemas["Stop"]["anyOf"]]
    assert kinds == ["PromptStop", "PictureStop", "FrameStop"]
    assert all(kind in schemas for kind in kinds)
    assert "#/components/schemas/Stop" in json.dumps(schemas["Request"])


def test_an_endpoint_makes_the_film_that_this_machine_makes(
    client: TestClient, tiny: ModelRunner, tmp_path: Path
) -> None:
    picture = take_in_bytes(png())
    image = {"digest": picture.digest, "crop": {"x": 0.2}, "credit": {"artist": "Monet"}}
    stops = [{"image": image, "prompt": "lilies"}, SEA]
    spec = WalkSpec.model_validate(SMALL | {"model": "tiny", "stops": stops})
    endpoint = Endpoint("http://localhost/predict")
    endpoint._post = lambda body: client.post("/predict", content=body)
    caches = [FrameCache(tmp_path / name / "frames") for name in ("here", "there")]
    for cache in caches:
        cache.put_file(picture.digest, picture.data)
    store = LocalStorage(tmp_path / "store")
    film = endpoint.render(
        spec,
        walk_id="walk-1",
        cache=caches[1],
        storage=store,
        on_progress=lambda _: None,
        cancelled=lambda: False,
    ).result
    assert store.get(film.files["stop-1"]) == picture.data
    assert json.loads(store.get(film.files["json"]))["digest"] == spec.digest()
    here = render.render_frames(spec, tiny, caches[0])
    # In batches of other sizes a level differs here and there.
    assert film.distances == pytest.approx(here.stats.distances, abs=0.01)
