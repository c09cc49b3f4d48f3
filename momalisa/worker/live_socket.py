"""The direct way from the web process to a worker of the same home: a Unix socket in the home.

A question is one line of JSON; so is the head of an answer, after which the pictures follow. One
line has no answer: it wakes the worker, since the queue has something new. The folder of the
sockets is open to the home's owner alone, so nothing else keeps questions out.
"""

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image

from momalisa.engine.frame_cache import Frame
from momalisa.settings import Settings
from momalisa.spec import Place, WalkSpec
from momalisa.worker.sign_of_life import life_path

MOST_PLACES = 4
"""Pictures in one question."""
MOST_BYTES = 2**17
"""Of a question: the longest walk has a third of it."""
MOST_PICTURE_BYTES = 2**25
"""Of an answer."""
ROUGH_QUALITY = 90
"""Of a JPEG, 0 to 95."""
ANSWER_SECONDS = 6.0
"""How long a question may wait for its pictures: a slow processor explores a leg meanwhile."""
LOADING = "The model is being loaded; the picture comes in a moment."
"""What a worker answers meanwhile."""
WAKE = b"wake\n"
"""The line that wakes a worker."""
WAKE_SECONDS = 0.2
"""How long a worker may take to be woken; it looks by itself soon."""
LONGEST_NAME = 100
"""Bytes of a socket's path; systems allow 104 or 108."""


def is_on_walk(spec: WalkSpec, place: Place) -> bool:
    """Whether a walk has a place."""
    return 0 <= place.leg < len(spec.legs) and 0.0 <= place.t <= 1.0


@dataclass(frozen=True)
class Question:
    """What a browser wants to see now: some places of a walk. `maker` is as in `stills.request`.

    During a drag rough pictures will do. A question `ahead` of a drag waits until there is nothing
    else to do. One that `explores` lets the worker find what it needs of a leg.
    """

    spec: WalkSpec
    places: tuple[Place, ...]
    maker: str = ""
    rough: bool = False
    ahead: bool = False
    explores: bool = False

    @property
    def media_type(self) -> str:
        """How its pictures come."""
        return "image/jpeg" if self.rough else "image/webp"

    def shares_leg_with(self, other: Self) -> bool:
        """Whether both are for the same leg of the same walk."""
        return (self.spec, self.places[0].leg) == (other.spec, other.places[0].leg)

    def encode(self) -> bytes:
        """One line of JSON."""
        fields = {
            "spec": self.spec.model_dump(mode="json"),
            "places": [[place.leg, place.t] for place in self.places],
            "maker": self.maker,
            "rough": self.rough,
            "ahead": self.ahead,
            "explores": self.explores,
        }
        return json.dumps(fields).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Self:
        """Read the line again. Raises ValueError."""
        try:
            fields = json.loads(line)
            places = tuple(Place(int(leg), float(t)) for leg, t in fields["places"])
            spec, maker = WalkSpec.from_stored(fields["spec"]), str(fields["maker"])
            kinds = [bool(fields.get(kind)) for kind in ("rough", "ahead", "explores")]
            question = cls(spec, places, maker, *kinds)
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError("This is no question for pictures.") from error
        if not 1 <= len(places) <= MOST_PLACES:
            raise ValueError(f"A question is for 1 to {MOST_PLACES} pictures.")
        if not all(is_on_walk(question.spec, place) for place in places):
            raise ValueError("That picture is not on this walk.")
        return question


@dataclass(frozen=True)
class AnswerHead:
    """The first line of an answer: the size of the pictures that follow, or why there are none."""

    size: int = 0
    error: str = ""

    def encode(self) -> bytes:
        """One line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Self:
        """Read the line again. Raises ValueError."""
        try:
            head = cls(**json.loads(line))
        except TypeError as error:
            raise ValueError("This is no answer.") from error
        if not (isinstance(head.size, int) and 0 <= head.size <= MOST_PICTURE_BYTES):
            raise ValueError("This is no answer's size.")
        return head


def encode_pictures(frames: Sequence[Frame], *, rough: bool = False) -> bytes:
    """Pictures of one size, one below the other: as one WebP without loss, or as a JPEG.

    A JPEG is made in a fifth of the time, and is a third as large.
    """
    file, sheet = BytesIO(), Image.fromarray(np.concatenate(frames))
    if rough:
        sheet.save(file, "JPEG", quality=ROUGH_QUALITY, subsampling=0)
    else:
        sheet.save(file, "WEBP", lossless=True, quality=0, method=0)
    return file.getvalue()


def socket_folder(settings: Settings) -> Path:
    """The folder of the sockets of all workers of a home, one for each device."""
    return settings.home / "workers" / "live"


def socket_path(settings: Settings) -> Path:
    """The socket of the worker of these settings' home and device."""
    return socket_folder(settings) / f"{life_path(settings).stem}.sock"


@contextmanager
def short_name(path: Path) -> Iterator[str]:
    """A name for a socket that is short enough: for a long path by way of its open folder.

    Raises OSError where the folder is missing. The other name works on Linux only.
    """
    if len(os.fsencode(path)) <= LONGEST_NAME:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def wake_workers(settings: Settings) -> None:
    """Let the idle workers of a home look into the queue at once. Raises nothing."""
    for path in socket_folder(settings).glob("*.sock"):
        with suppress(OSError):  # a worker that was killed leaves one
            _wake(path)


def _wake(path: Path) -> None:
    with short_name(path) as name, closing(socket.socket(socket.AF_UNIX)) as line:
        line.settimeout(WAKE_SECONDS)
        line.connect(name)
        line.sendall(WAKE)
