"""The option `--image` of the command `walk`: pictures as stops, from files and museums."""

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from momalisa.engine.frame_cache import frame_key
from momalisa.errors import BadInput
from momalisa.film.embedded_spec import read_spec_from_file
from momalisa.film.gif_frame import save_frame
from momalisa.frame_stops import begin_at, credit_frame, find_place, tell_settings
from momalisa.settings import settings
from momalisa.spec import Place, WalkSpec
from momalisa.stop import Credit, Stop
from momalisa.stop_pictures import StopPicture, take_in
from momalisa.works.named_picture import FoundPicture, find_in_file, find_named, is_named

_OPTION = re.compile(r"\s*([0-9]{1,3})\s*=\s*(.+)", re.DOTALL)
_CREDITED = {
    "artist": "artist",
    "title": "title",
    "year": "year",
    "museum": "museum",
    "number": "accession_number",
    "licence": "licence",
}
"""The fields of a credit that are typed, by the names of the option `--credit`."""
_FRAME = re.compile(r"(.+\.gif)#([0-9]{1,6})", re.IGNORECASE | re.DOTALL)


class FoundFrame(NamedTuple):
    """A frame of a film made here, as a stop."""

    stop: Stop
    film: WalkSpec
    place: Place
    """Where on the film's way it is."""


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
    walk.add_argument(
        "--credit",
        action="append",
        default=[],
        metavar="N=FIELD=TEXT",
        help="whose work stop N's picture is, where no museum's record tells it, such as "
        f'"1=artist=Claude Monet"; fields: {", ".join(_CREDITED)}',
    )


def add_pictures(
    stops: Sequence[dict[str, Any]],
    images: Sequence[str],
    crops: Sequence[str],
    credits: Sequence[str] = (),
) -> tuple[list[dict[str, Any]], list[StopPicture], dict[int, FoundFrame]]:
    """The fields of stops with their pictures, these, and by stop the frames of films.

    Raises BadInput or ServiceError.
    """
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
    typed = _read_credits(credits, len(stops))
    if alone := sorted({*parts, *typed} - set(pictures)):
        raise BadInput(
            f"Stop {alone[0]} has no picture to crop or credit. Please give one with --image."
        )
    fields = [dict(stop) for stop in stops]
    for number, found in pictures.items():
        if isinstance(found, FoundFrame):
            if number in parts or number in typed:
                raise BadInput(
                    f"Stop {number} is a frame of a film made here, by its latents: it is shown "
                    "whole, and is nobody's work. Please leave its --crop and --credit away."
                )
            fields[number - 1] = found.stop.model_dump()
            continue
        credit = _merge(found.credit, typed.get(number, {}), number)
        image: dict[str, Any] = {"digest": found.picture.digest, "credit": credit}
        if number in parts:
            image["crop"] = _read_crop(parts[number])
        fields[number - 1]["image"] = image
    taken_in = [one.picture for one in pictures.values() if isinstance(one, FoundPicture)]
    frames = {number: one for number, one in pictures.items() if isinstance(one, FoundFrame)}
    return fields, taken_in, frames


def warn_of_frames(spec: WalkSpec, frames: Mapping[int, FoundFrame]) -> Iterator[str]:
    """Sentences on frames of films that a walk shows otherwise, as it has other settings."""
    for number, (_, film, place) in frames.items():
        is_end = number == len(spec.stops) and spec.loop != "closed"
        own = Place(number - 2, 1.0) if is_end else Place(number - 1, 0.0)
        if frame_key(spec, own, spec.model) != frame_key(film, place, film.model):
            yield (
                f"Stop {number} is not that film's very frame, which has other settings: "
                f"{tell_settings(film)}."
            )


def _read(option: str, stops: int, name: str) -> tuple[int, str]:
    """The number of a stop, and what is said of it. Raises BadInput."""
    match = _OPTION.fullmatch(option)
    if not match or not 1 <= int(match[1]) <= stops:
        raise BadInput(
            f"{name} is N=…, with the number of a stop from 1 to {stops}, not {option[:80]!r}."
        )
    return int(match[1]), match[2]


def _read_credits(options: Sequence[str], stops: int) -> dict[int, dict[str, str]]:
    """The fields of credits by stop. Raises BadInput."""
    found: dict[int, dict[str, str]] = {}
    for number, text in (_read(option, stops, "--credit") for option in options):
        name, equals, value = text.partition("=")
        if not equals or name not in _CREDITED:
            raise BadInput(
                f"--credit is N=FIELD=TEXT with a field of {', '.join(_CREDITED)}, "
                f"not {text[:80]!r}."
            )
        found.setdefault(number, {})[_CREDITED[name]] = value
    return found


def _merge(known: Credit | None, typed: dict[str, str], number: int) -> dict[str, Any] | None:
    """The fields of a credit. Raises BadInput where a museum's record says it already."""
    if typed and known is not None and known.record_address:
        raise BadInput(f"Stop {number}: the museum's record says whose work it is already.")
    both = {**(known.model_dump() if known else {}), **typed}
    return both or None


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
    home = settings().home
    if is_named(where, home) and not Path(where).exists():
        return find_named(where, home)
    return find_in_file(Path(where))


def _find_frame(film: Path, number: int) -> FoundPicture | FoundFrame:
    """A film's frame, from 0: by its latents where the film tells how it was made, else by pixels.

    Raises BadInput if there is none.
    """
    if not film.is_file():
        raise BadInput(f"{film}: there is no such film.")
    credit = None
    with suppress(BadInput):  # made elsewhere
        spec = read_spec_from_file(film, film.name)
        place = find_place(spec, number)
        stop = begin_at(spec, place) if place else None
        if place and stop is not None and stop.image is None:
            return FoundFrame(stop, spec, place)
        order = spec.film_order()
        if 0 <= number < len(order):
            credit = credit_frame(spec, spec.places()[order[number]])
    with TemporaryDirectory(prefix="momalisa-") as folder:
        path = Path(folder) / "frame.png"
        save_frame(film, number, path)
        return FoundPicture(take_in(path), credit)
