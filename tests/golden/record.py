"""`python -m tests.golden.record`: compute the golden values and write them beside this file.

Run it after a change that is meant to show, and read the difference before it is committed.
"""

import hashlib
import json
import re
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from db.models import Walk
from momalisa.engine.frame_cache import Frame, FrameCache, LatentMixture, frame_key, seed_of
from momalisa.engine.runner import ModelRunner
from momalisa.engine.walk import frames
from momalisa.models.registry import load
from momalisa.render import RenderedFrames, make_film, record_key, render
from momalisa.result import RenderStats
from momalisa.spec import Place, WalkSpec
from momalisa.storage import GCSStorage, LocalStorage, StoredFile, app_url, film_key
from momalisa.ui.http import downloads, media, stills

HERE = Path(__file__).parent
VALUES, FRAMES = HERE / "values.json", HERE / "frames.npz"

SQUARE = {"prompt": "a red square on white", "seed": 7}
SEA = {"prompt": "a stormy sea at night", "seed": 8}
SUN = {"prompt": "a yellow sun over hills", "seed": 9}
MASK = {"prompt": "a blue mask on orange", "seed": 7}
NIGHT = {"prompt": "a starry night over a village", "seed": 8}
PLAIN: dict[str, Any] = {"stops": [SQUARE, SEA]}

SMALL = PLAIN | {"size": 128, "steps": 6}
WALKS: dict[str, dict[str, Any]] = {
    "exact": SMALL | {"mode": "exact", "frames": 12},
    "fast": SMALL | {"frames": 17},
    "even": SMALL | {"frames": 20, "pacing": "even"},
    "closed": SMALL | {"stops": [SQUARE, SEA, SUN], "frames": 5, "loop": "closed"},
    "trunk": SMALL
    | {"frames": 9, "steps": 10, "without": [], "interpolation": "slerp", "negative": "blur"}
    | {"pacing": "dense-middle"},
}
"""What the shipped model paints: each way of making frames once."""
BATCHES = (1, 8)
SIDE = 16
"""Cells of a side of a frame in frames.npz."""

SPECS: dict[str, dict[str, Any]] = {
    "defaults": PLAIN,
    "exact": PLAIN | {"mode": "exact"},
    "exact leaves nothing out": PLAIN | {"mode": "exact", "without": ["glide", "solver"]},
    "all shortcuts": PLAIN | {"without": []},
    "no shortcuts": PLAIN | {"without": ["solver", "interval", "trunk", "glide"]},
    "no guidance": PLAIN | {"guidance": 1.0, "negative": "blur", "without": []},
    "negative": PLAIN | {"guidance": 7.5, "negative": "blur"},
    "linear of some strength": PLAIN | {"strength": 0.3},
    "ease of no strength": PLAIN | {"pacing": "ease", "strength": 0.0},
    "ease": PLAIN | {"pacing": "ease", "frames": 7},
    "even": PLAIN | {"pacing": "even", "frames": 9},
    "slerp": PLAIN | {"interpolation": "slerp", "steps": 30, "size": 512, "model": "sd-1.5"},
    "boomerang": PLAIN | {"frames": 5, "loop": "boomerang", "fps": 25},
    "closed": PLAIN | {"stops": [SQUARE, SEA, SUN], "frames": 4, "loop": "closed"},
    "words": PLAIN | {"stops": [{"prompt": "  Café \n au  lait ", "seed": "4294967295"}, SUN]},
}
STORED: dict[str, dict[str, Any]] = {
    "stops alone": PLAIN,
    "before there were modes": PLAIN
    | {"frames": 24, "pacing": "dense-middle", "strength": 0.8, "interpolation": "slerp"}
    | {"negative": "", "steps": 20, "guidance": 7.5, "size": 512, "model": "sd-1.5"}
    | {"fps": 10, "loop": "boomerang"},
    "no mode, but what is left out": PLAIN | {"without": ["trunk"]},
    "fast, all else usual": PLAIN | {"mode": "fast"},
    "fast, nothing left out": PLAIN | {"mode": "fast", "without": []},
    "the example by lerp": PLAIN
    | {"stops": [MASK, NIGHT], "frames": 24, "pacing": "even", "strength": 0.8, "negative": ""}
    | {"interpolation": "lerp", "steps": 4, "guidance": 1.0, "size": 256, "model": "atelier"}
    | {"fps": 10, "loop": "boomerang", "mode": "fast"}
    | {"without": ["solver", "interval", "trunk", "glide"]},
}
MODEL = "0123456789abcdef" * 4
"""The digest of weights that nobody has."""
_WEBP = re.compile(r"/[0-9a-f]{16}\.webp$")
"""A film's WebP, beside its GIF: there was none when the values were recorded."""
ENTRY = {"accession": "ML.2026.0042", "created_at": "2026-02-01T10:00:00+00:00", "parent": None}


@lru_cache(maxsize=1)
def model() -> ModelRunner:
    """The shipped model that is guided, and so has every shortcut."""
    return load("atelier-base", "cpu")


def machine() -> dict[str, Any]:
    """What pixels depend on to the last bit."""
    return {"cpu": _cpu(), "threads": torch.get_num_threads(), "torch": torch.__version__}


def _cpu() -> str:
    """The CPU's name and numbers: on many a virtual machine the name alone says little."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    told = {name.strip(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    parts = [told.get(name, "") for name in ("model name", "cpu family", "model", "stepping")]
    return " ".join([*parts, torch.backends.cpu.get_cpu_capability()])


@lru_cache
def walked(name: str, batch: int) -> tuple[list[dict[str, Any]], NDArray[np.uint8]]:
    """The finished frames of a walk by place: what is known of each, and how it looks."""
    spec = WalkSpec.model_validate(WALKS[name])
    with tempfile.TemporaryDirectory() as folder:
        found = frames(spec, model(), FrameCache(Path(folder)), batch=batch)
        finished = sorted((f for f in found if f.finished), key=lambda f: f.index)
    assert [frame.index for frame in finished] == list(range(len(spec.places())))
    told = [
        {"key": f.key, "source": f.source, "sha256": hashlib.sha256(f.frame.tobytes()).hexdigest()}
        for f in finished
    ]
    return told, np.stack([_small(f.frame) for f in finished])


def _small(frame: Frame) -> NDArray[np.uint8]:
    """The frame averaged down to SIDE x SIDE cells."""
    high, wide, colours = frame.shape
    cells = frame.reshape(SIDE, high // SIDE, SIDE, wide // SIDE, colours)
    small: NDArray[np.uint8] = cells.mean(axis=(1, 3)).round().astype(np.uint8)
    return small


def specs() -> dict[str, Any]:
    """What is made of specs as somebody asks for them."""
    return {name: _told(WalkSpec.model_validate(fields)) for name, fields in SPECS.items()}


def stored_specs() -> dict[str, Any]:
    """What is made of specs out of a history, a record or a film."""
    return {name: _told(WalkSpec.from_stored(fields)) for name, fields in STORED.items()}


def _told(spec: WalkSpec) -> dict[str, Any]:
    return {
        "digest": spec.digest(),
        "film_order": " ".join(map(str, spec.film_order())),
        "places": [f"{place.leg} {place.t:.9f}" for place in spec.places()][:8],
        "shortcuts": sorted(spec.shortcuts),
        "spec": spec.model_dump(mode="json"),
        "title": spec.title(),
    }


def keys() -> dict[str, Any]:
    """Keys of the frame cache, and the seeds that come from them."""
    found: dict[str, Any] = {}
    for name, fields in SPECS.items():
        spec = WalkSpec.model_validate(fields)
        places = spec.places()
        some = {"first": places[0], "second": places[1], "last": places[-1]}
        some["end of the last leg"] = Place(len(spec.legs) - 1, 1.0)
        some["a hair beside a tenth"] = Place(0, 0.1 + 1e-12)
        found[name] = {what: _key(frame_key(spec, at, MODEL)) for what, at in some.items()}
    low, high = "1a" * 32, "2b" * 32
    found["between"] = {
        f"{weight} {rough}": _key(LatentMixture(low, high, weight, rough).key)
        for weight in (0.0, 0.25, 1 / 3, 1.0)
        for rough in (False, True)
    }
    return found


def _key(key: str) -> dict[str, Any]:
    return {"key": key, "own_seed": seed_of(key)}


ADDED = {"ghosting", "directness"}
"""Fields that records have gained since the values were recorded."""
ADDED_ROUTES = {
    "/pictures/films.{kind}",
    "/pictures/museums/search",
    "/pictures/museums/thumbnail",
    "/pictures/stops",
    "/pictures/stops/work",
    "/pictures/stops/{digest}.webp",
}


class Shelf(LocalStorage):
    """A folder that remembers what was put into it, in which order."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.puts: list[dict[str, Any]] = []

    def put(self, key: str, data: bytes, content_type: str) -> StoredFile:
        if _WEBP.search(key) is None:
            self.puts.append({"key": key, "type": content_type})
        return super().put(key, data, content_type)


def kept() -> dict[str, Any]:
    """A film of frames that no model painted: its files, and its record to the letter."""
    rows, columns = np.indices((64, 64))
    pictures = [
        np.stack([rows * 4, columns * 4, (rows + columns) * 2 % 256], axis=2).astype(np.uint8) // n
        for n in (1, 2, 3, 4)
    ]
    stats = RenderStats(
        seconds=12.5,
        seconds_to_load=1.25,
        frames_computed=3,
        unet_samples=96,
        distances=[0.25, 0.125, 0.5],
        evenness=1.5,
        sharpness=0.75,
        device="cpu",
        dtype="float32",
        model_digest=MODEL,
    )
    spec = WalkSpec.model_validate(PLAIN | {"frames": 4, "loop": "boomerang", "size": 64})
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder))
        stages: list[str] = []
        rendered = RenderedFrames(pictures, stats)
        film = make_film(
            spec, rendered, walk_id="w1", storage=shelf, entry=ENTRY, on_stage=stages.append
        )
        text = shelf.get(film.result.files["json"]).decode()
    record = json.loads(text)
    exact = text == json.dumps(record, indent=2, ensure_ascii=False)
    return {"puts": shelf.puts, "stages": stages, "plain_json": exact, **_recorded(record)}


def rendered() -> dict[str, Any]:
    """The record of a film that the shipped model painted."""
    spec = WalkSpec.model_validate(PLAIN | {"frames": 3, "steps": 2, "size": 64})
    with tempfile.TemporaryDirectory() as folder:
        storage = LocalStorage(Path(folder, "store"))
        cache = FrameCache(Path(folder, "frames"))
        film = render(spec, walk_id="w2", runner=model(), cache=cache, storage=storage, entry=ENTRY)
        record = json.loads(storage.get(film.result.files["json"]))
    return _recorded(record)


def _recorded(record: dict[str, Any]) -> dict[str, Any]:
    """A walk.json: the names in it in their order, and what does not change from run to run."""
    del record["result"]["files"]["webp"]
    parts = {"record": record, "spec": record["spec"], "result": record["result"]}
    order = {part: [f for f in fields if f not in ADDED] for part, fields in parts.items()}
    order["files"] = list(record["result"]["files"])
    lasting = {name: value for name, value in record.items() if name != "finished_at"}
    passing = {"seconds", "seconds_to_load", "device", "dtype"} | ADDED
    result = {name: value for name, value in record["result"].items() if name not in passing}
    return {"order": order, "record": lasting | {"result": result}}


def addresses() -> dict[str, Any]:
    """Where files lie, and where a browser finds them."""
    key = film_key("w1", "5a5a5a5a5a5a5a5a.gif")
    walk = Walk(
        id="w 1/2",
        accession="ML.2026.0042",
        files={"json": record_key("w1")},
        spec={"stops": []},
        waiting=True,
    )
    spec = WalkSpec.model_validate(PLAIN | {"frames": 5})
    routes = [*media.ROUTES, *stills.ROUTES]
    return {
        "film_key": key,
        "record_key": record_key("w1"),
        "app_url": app_url(key),
        "app_url, named": app_url(key, download="№ 1.gif"),
        "folder": LocalStorage(Path("anywhere")).url(key),
        "folder, named": LocalStorage(Path("anywhere")).url(key, download="№ 1.gif"),
        **_in_public_bucket(key),
        "frame": media.frame_url(MODEL),
        "example film": media.example_url("film.gif"),
        "example settings": media.example_url("walk.json"),
        "still": stills.still_url(spec, "a visitor"),
        "downloads": downloads.download_urls(walk),
        "routes": [
            f"{' '.join(sorted(route.methods or []))} {route.path}"
            for route in routes
            if route.path not in ADDED_ROUTES
        ],
    }


def _in_public_bucket(key: str) -> dict[str, str]:
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    client = Client.create_anonymous_client()
    films = {prefix: GCSStorage("films", prefix, client) for prefix in ("", "some/prefix/")}
    found = {f"bucket {prefix}".strip(): films[prefix].url(key) for prefix in films}
    found["bucket, named"] = films[""].url(key, download="№ 1.gif")
    client.close()
    return found


SECTIONS = {
    "addresses": addresses,
    "keys": keys,
    "kept": kept,
    "rendered": rendered,
    "specs": specs,
    "stored_specs": stored_specs,
}


def computed(section: str) -> Any:
    """A section as it comes back out of values.json."""
    return json.loads(json.dumps(SECTIONS[section]()))


def main() -> None:
    """Write the golden values."""
    values: dict[str, Any] = {name: computed(name) for name in SECTIONS}
    values["machine"] = machine()
    values["walks"] = {
        name: {f"batch {batch}": walked(name, batch)[0] for batch in BATCHES} for name in WALKS
    }
    text = json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False)
    VALUES.write_text(f"{text}\n", encoding="utf-8")
    looks: dict[str, Any] = {name: walked(name, BATCHES[0])[1] for name in WALKS}
    np.savez_compressed(FRAMES, **looks)


if __name__ == "__main__":
    main()
