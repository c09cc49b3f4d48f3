"""Finished films in a running app's store and database, without a model."""

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from db import adoption, walks
from db.session import writing
from momalisa.engine import perception
from momalisa.film.encode import decode_gif, encode_gif, encode_poster
from momalisa.film.shown import encode_shown_film
from momalisa.spec import WalkSpec
from momalisa.storage import CONTENT_TYPES, LocalStorage, film_key
from tests.support.app import App


def add_film(app: App, walk_id: str, *prompts: str, **fields: Any) -> None:
    """Add a film of five frames from black to grey, in the spec's pacing, unless it exists."""
    stops = [{"prompt": prompt, "seed": 40 + n} for n, prompt in enumerate(prompts)]
    spec = WalkSpec.model_validate({"stops": stops, "frames": 5, "size": 64, "fps": 5} | fields)
    positions = [(place.leg + place.t) / len(spec.legs) for place in spec.places()]
    frames = [np.full((spec.size, spec.size, 3), round(200 * p), np.uint8) for p in positions]
    record = {"spec": spec.model_dump(mode="json")}
    files = {
        "gif": ("film.gif", encode_gif(frames, spec.fps, spec.model_dump_json())),
        "poster": ("poster.webp", encode_poster(frames[len(frames) // 2])),
        "json": ("walk.json", json.dumps(record).encode()),
    }
    keys = {kind: film_key(walk_id, name) for kind, (name, _) in files.items()}
    for kind, (name, data) in files.items():
        content_type = CONTENT_TYPES[name[name.index(".") :]]
        LocalStorage(app.home / "store").put(keys[kind], data, content_type)
    distances = perception.step_distances(frames)
    result = {
        "files": keys,
        "frames": len(frames),
        "distances": distances,
        "evenness": perception.evenness(distances),
    }
    with writing(app.database) as session:
        adoption.adopt(
            session=session,
            walk_id=walk_id,
            title=spec.title(),
            finished_at=datetime.now(UTC),
            spec=record["spec"],
            digest=spec.digest(),
            result=result,
        )


def add_webp(app: App, walk_id: str, *, is_stored: bool = True) -> None:
    """Give a film the WebP that newer ones have; one that is not stored was lost."""
    with writing(app.database) as session:
        walk = walks.get(session=session, walk_id=walk_id)
        assert walk is not None
        walk.files = {**walk.files, "webp": film_key(walk_id, "film.webp")}
        spec = WalkSpec.from_stored(walk.spec)
    store = LocalStorage(app.home / "store")
    if is_stored and not store.exists(walk.files["webp"]):
        frames = decode_gif(store.get(walk.files["gif"]), spec.fps)[: len(spec.places())]
        store.put(walk.files["webp"], encode_shown_film(spec, frames), CONTENT_TYPES[".webp"])


def add_foreign_film(app: App) -> None:
    """Add the film "Waves" of another program, which has no spec, unless it exists."""
    files = {kind: film_key("waves", f"waves.{kind}") for kind in ("gif", "webp")}
    for kind, key in files.items():
        data = BytesIO()
        Image.new("RGB", (64, 64), "navy").save(data, kind)
        LocalStorage(app.home / "store").put(key, data.getvalue(), f"image/{kind}")
    with writing(app.database) as session:
        adoption.adopt(
            session=session,
            walk_id="waves",
            title="Waves",
            finished_at=datetime(2024, 5, 3, tzinfo=UTC),
            tags=["sea"],
            result={"files": {"gif": files["gif"], "poster": files["webp"]}, "frames": 1},
        )


def cache_frame(app: App, key: str) -> None:
    """Put a red frame into the app's frame cache."""
    path = app.home / "frames" / key[:2] / f"{key}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), "red").save(path)
