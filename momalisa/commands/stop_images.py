"""The option `--image` of the command `walk`: pictures as stops, from files and museums."""

import argparse
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from momalisa.errors import BadInput
from momalisa.film.embedded_spec import read_spec_from_file
from momalisa.film.gif_frame import save_frame
from momalisa.frame_stops import begin_at, find_place
from momalisa.settings import settings
from momalisa.stop import Credit, Stop
from momalisa.stop_pictures import LONGEST_SIDE, StopPicture, take_in
from momalisa.works.collection import open_museums, write_picture
from momalisa.works.credit import credit_work
from momalisa.works.museum import Museum

_OPTION = re.compile(r"\s*([0-9]{1,3})\s*=\s*(.+)", re.DOTALL)
_WHOLE = "/full/!{size},{size}/0/default.jpg"
"""What an IIIF image's address lacks to be that of a picture."""


_FRAME = re.compile(r"(.+\.gif)#([0-9]{1,6})", re.IGNORECASE | re.DOTALL)


class FoundPicture(NamedTuple):
    """A picture for a stop, and its credit, if a museum tells it."""

    picture: StopPicture
    credit: Credit | None = None


class FoundFrame(NamedTuple):
    """A frame of a film made here, as a stop."""

    stop: Stop


def add_to(walk: argparse.ArgumentParser) -> None:
    """Add the options of pictures to the command `walk`."""
    walk.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="N=PICTURE",
        help='stop N is this picture, and its prompt may be "": a file, a museum\'s work such as '
        "cleveland:1958.31 (see `works search`), the address of a museum's IIIF image, or a frame "
        "of a film such as film.gif#12, which for a film made here is that very frame",
    )
    walk.add_argument(
        "--crop",
        action="append",
        default=[],
        metavar="N=X,Y,ZOOM",
        help="the part of stop N's picture: its centre as shares of width and height, and how many "
        "times smaller it is than the largest of the film's shape (0.5,0.5,1)",
    )


def add_pictures(
    stops: Sequence[dict[str, Any]], images: Sequence[str], crops: Sequence[str]
) -> tuple[list[dict[str, Any]], list[StopPicture]]:
    """The fields of stops with their pictures, and these. Raises BadInput or ServiceError."""
    pictures: dict[int, FoundPicture | FoundFrame] = {}
    for number, where in (_read(option, len(stops), "--image") for option in images):
        if number in pictures:
            raise BadInput(f"Stop {number} has two pictures. Please leave one of them away.")
        try:
            pictures[number] = find_picture(where)
        except BadInput as error:
            raise BadInput(f"Stop {number}: {error}") from error
    given = [_read(option, len(stops), "--crop") for option in crops]
    parts = dict(given)
    if len(parts) < len(given):
        raise BadInput("A stop has two crops. Please leave one of them away.")
    if alone := sorted(set(parts) - set(pictures)):
        raise BadInput(f"Stop {alone[0]} has no picture to crop. Please give one with --image.")
    fields = [dict(stop) for stop in stops]
    for number, found in pictures.items():
        if isinstance(found, FoundFrame):
            fields[number - 1] = found.stop.model_dump()
            continue
        image: dict[str, Any] = {"digest": found.picture.digest, "credit": found.credit}
        if number in parts:
            image["crop"] = _read_crop(parts[number])
        fields[number - 1]["image"] = image
    taken_in = [one.picture for one in pictures.values() if isinstance(one, FoundPicture)]
    return fields, taken_in


def _read(option: str, stops: int, name: str) -> tuple[int, str]:
    """The number of a stop, and what is said of it. Raises BadInput."""
    match = _OPTION.fullmatch(option)
    if not match or not 1 <= int(match[1]) <= stops:
        raise BadInput(
            f"{name} is N=…, with the number of a stop from 1 to {stops}, not {option[:80]!r}."
        )
    return int(match[1]), match[2]


def _read_crop(text: str) -> dict[str, str]:
    """The fields of a crop. Raises BadInput for anything else than three values."""
    values = text.split(",")
    if len(values) != 3:
        raise BadInput(f"--crop is N=X,Y,ZOOM, such as 1=0.5,0.4,1.5, not {text[:80]!r}.")
    return dict(zip(("x", "y", "zoom"), values, strict=True))


def find_picture(where: str) -> FoundPicture | FoundFrame:
    """The picture in a file, of a museum's work, at the address of an IIIF image, or in a film.

    Raises BadInput or ServiceError.
    """
    if frame := _FRAME.fullmatch(where):
        return _find_frame(Path(frame[1]), int(frame[2]) - 1)
    if where.startswith(("https://", "http://")):
        return FoundPicture(_fetch(where))
    key, colon, work_id = where.partition(":")
    museums = open_museums(settings().home)
    if colon and key in museums and not Path(where).exists():
        return _find_work(museums[key], work_id)
    return FoundPicture(take_in(Path(where)))


def _find_frame(film: Path, number: int) -> FoundPicture | FoundFrame:
    """A film's frame, from 0: by its latents where the film tells how it was made, else by pixels.

    Raises BadInput if there is none.
    """
    if not film.is_file():
        raise BadInput(f"{film}: there is no such film.")
    with suppress(BadInput):  # made elsewhere
        spec = read_spec_from_file(film, film.name)
        place = find_place(spec, number)
        stop = begin_at(spec, place) if place else None
        if stop is not None and stop.image is None:
            return FoundFrame(stop)
    with TemporaryDirectory(prefix="momalisa-") as folder:
        path = Path(folder) / "frame.png"
        save_frame(film, number, path)
        return FoundPicture(take_in(path))


def _find_work(museum: Museum, work_id: str) -> FoundPicture:
    work = museum.get(work_id)
    with TemporaryDirectory(prefix="momalisa-") as folder:
        path = Path(folder) / "work.png"
        write_picture(museum, work, path, LONGEST_SIDE)
        return FoundPicture(take_in(path), credit_work(work, museum.name))


def _fetch(address: str) -> StopPicture:
    """The picture at an address of one of the museums. Raises BadInput for any other address."""
    typed = address
    if not address.lower().endswith((".jpg", ".jpeg", ".png", ".webp")):
        address = address.removesuffix("/info.json").rstrip("/") + _WHOLE.format(size=LONGEST_SIDE)
    for museum in open_museums(settings().home).values():
        if museum.own_picture(address):
            with TemporaryDirectory(prefix="momalisa-") as folder:
                path = Path(folder) / "work"
                with path.open("xb") as file:
                    museum.fetcher.download(address, file)
                return take_in(path)
    raise BadInput(
        f"{typed[:120]} is not an address of a museum that is asked here. "
        "Please save the picture, and name its file."
    )
