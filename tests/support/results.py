"""What a stub renderer returns."""

from typing import Any

from momalisa.render import StoredFilm
from momalisa.result import Result


def stub_film(files: dict[str, str], *, waiting: bool = False, **fields: Any) -> StoredFilm:
    """A stored film; `fields` replace the values of its result."""
    values: dict[str, Any] = {
        "bytes": 4,
        "sha256": "5a" * 32,
        "frames": 6,
        "frames_computed": 0,
        "seconds": 0.5,
        "seconds_to_load": 0.1,
        "unet_samples": 8,
        "distances": [0.25],
        "evenness": 1.0,
        "sharpness": 2.0,
        "device": "cpu",
        "dtype": "float32",
        "model_digest": "stub",
    }
    return StoredFilm(Result(files=files, **values | fields), waiting)
