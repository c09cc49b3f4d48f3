"""A film in a storage: its GIF, its poster and its record."""

import json
from typing import Any

import numpy as np

from momalisa.film.encode import encode_gif
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, film_key

SPEC = WalkSpec.model_validate(
    {"stops": [{"prompt": "square"}, {"prompt": "sea"}], "frames": 3, "size": 64}
)
FRAMES = [np.full((64, 64, 3), 80 * number, np.uint8) for number in range(3)]
GIF = encode_gif(FRAMES, 10)


def film_record(walk_id: str, **fields: Any) -> dict[str, Any]:
    """The content of a `walk.json`; `fields` replace some of it."""
    names = {"gif": "film.gif", "poster": "poster.webp", "json": "walk.json"}
    return {
        "walk_id": walk_id,
        "accession": "ML.2026.0042",
        "created_at": "2026-02-01T10:00:00+00:00",
        "finished_at": "2026-02-01T10:01:00+00:00",
        "title": "square → sea",
        "spec": SPEC.model_dump(mode="json"),
        "result": {
            "files": {kind: film_key(walk_id, name) for kind, name in names.items()},
            "bytes": len(GIF),
            "sha256": "5a" * 32,
            "frames": 3,
            "evenness": 1.5,
        },
    } | fields


def add_film(storage: Storage, walk_id: str, record: Any = None) -> None:
    """Store a film with its record, as a renderer does; a record of bytes is stored as it is."""
    storage.put(film_key(walk_id, "poster.webp"), b"poster", "image/webp")
    storage.put(film_key(walk_id, "film.gif"), GIF, "image/gif")
    if not isinstance(record, bytes):
        record = json.dumps(record or film_record(walk_id)).encode()
    storage.put(film_key(walk_id, "walk.json"), record, "application/json")


def _with_result(**fields: Any) -> dict[str, Any]:
    return film_record("w1", result=film_record("w1")["result"] | fields)


DAMAGED_RECORDS: dict[str, Any] = {
    "no JSON": b"{",
    "no text": b"\xff\xfe",
    "deep": b"[" * 100_000,
    "another kind": b"[1, 2]",
    "too large": json.dumps(film_record("w1")).encode().ljust(2_000_001),
    "no film": _with_result(files={}),
    "a file of another walk": film_record("w1", result=film_record("w2")["result"]),
    "a way out": _with_result(files={"gif": "../../etc/passwd"}),
    "cut off": _with_result(bytes=len(GIF) + 1),
    "no number": _with_result(evenness=float("nan")),
    "no time": film_record("w1", finished_at="soon"),
}
"""Records that must be refused, by what is wrong with them."""
