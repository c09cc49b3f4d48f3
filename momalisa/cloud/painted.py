"""A painted walk on its way: as PNGs and figures, and at the end as a stored film.

For those who paint in one place and film in another: the container and its client, and the two
steps of the pipeline.
"""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from io import BytesIO
from typing import Any, Self

import numpy as np
from PIL import Image
from pydantic import TypeAdapter

from momalisa import film
from momalisa.errors import BadInput
from momalisa.frames import Frame
from momalisa.models.sd import StableDiffusion
from momalisa.outbox import Outbox, deliver
from momalisa.render import Painted, Rendered, _files, _record, film_of
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, checked, film_key

FRAMES = "frames"
"""The folder of a store for the frames of answers; they may be deleted after a while."""


@dataclass(frozen=True)
class MadeBy:
    """What a label says of the model and the machine that painted a walk."""

    model_digest: str
    device: str
    dtype: str
    seconds_to_load: float

    @classmethod
    def of(cls, model: StableDiffusion) -> Self:
        """The facts of a loaded model."""
        dtype = str(model.dtype).removeprefix("torch.")
        return cls(model.digest, str(model.device), dtype, model.seconds_to_load)


_MADE_BY = TypeAdapter(MadeBy)
_FIGURES: TypeAdapter[dict[str, float | list[float]]] = TypeAdapter(dict[str, float | list[float]])


def figures(painted: Painted, made_by: MadeBy) -> dict[str, Any]:
    """What is to be known of a painted walk beside its frames, for JSON."""
    return {name: value for name, value in vars(painted).items() if name != "frames"} | asdict(
        made_by
    )


def from_figures(told: Mapping[str, Any], frames: list[Frame]) -> tuple[Painted, MadeBy]:
    """The painted walk that `figures` was told of. Raises ValidationError on other figures."""
    facts = {field.name for field in fields(MadeBy)}
    made_by = _MADE_BY.validate_python({k: v for k, v in told.items() if k in facts})
    numbers = _FIGURES.validate_python({k: v for k, v in told.items() if k not in facts})
    return Painted(frames=frames, **numbers), made_by  # type: ignore[arg-type]


def png(frame: Frame) -> bytes:
    """A frame without loss."""
    data = BytesIO()
    Image.fromarray(frame).save(data, "PNG")
    return data.getvalue()


def from_png(data: bytes) -> Frame:
    """The frame of a PNG. Raises ValueError when it is none."""
    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise ValueError("no PNG") from error


def lasting_id(spec: WalkSpec, model_digest: str) -> str:
    """An id that follows from the film: the same walk by the same weights has the same."""
    return hashlib.sha256(f"{spec.digest()} {model_digest}".encode()).hexdigest()[:32]


def record_key(walk_id: str) -> str:
    """Where a stored walk's record lies; it is stored last."""
    return film_key(walk_id, "walk.json")


def keep(
    spec: WalkSpec,
    painted: Painted,
    made_by: MadeBy,
    *,
    walk_id: str,
    storage: Storage,
    outbox: Outbox | None = None,
    entry: Mapping[str, Any] | None = None,
) -> Rendered:
    """Film a painted walk and store the film, as `render.render` does with one it painted itself.

    Raises StorageError, or BadInput when that id is another walk's.
    """
    began = time.perf_counter()
    data = film_of(spec, painted)
    sha256 = hashlib.sha256(data).hexdigest()
    seconds = painted.seconds + time.perf_counter() - began
    rendered = Rendered(
        **figures(painted, made_by) | {"seconds": seconds},
        files={
            "gif": film_key(walk_id, f"{sha256[:16]}.gif"),
            "poster": film_key(walk_id, "poster.webp"),
            "json": record_key(walk_id),
        },
        bytes=len(data),
        sha256=sha256,
        frames=len(painted.frames),
    )
    record = {**(entry or {}), **_record(spec, walk_id, rendered)}
    files = _files(rendered, data, film.poster(painted.frames[0]), record)
    return replace(rendered, waiting=deliver(files, storage, outbox))


def keep_frames(frames: Sequence[bytes], walk_id: str, storage: Storage) -> list[str]:
    """Store PNGs; their keys. They lie apart from the films, whose folders hold nothing else."""
    keys = [checked(f"{FRAMES}/{walk_id}/{number:04d}.png") for number in range(len(frames))]
    for key, data in zip(keys, frames, strict=True):
        if not storage.exists(key):
            storage.put(key, data, "image/png")
    return keys


def refuse_another(spec: WalkSpec, walk_id: str, storage: Storage) -> None:
    """Raise BadInput if another walk's film is stored under that id."""
    key = record_key(walk_id)
    if storage.exists(key) and json.loads(storage.get(key)).get("digest") != spec.digest():
        raise BadInput(f"Another walk is stored as “{walk_id}” already. Please choose another id.")
