"""A picture as people name it: by its file, a museum's work, as "chicago:16568", or its address."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from momalisa.errors import BadInput
from momalisa.film.embedded_spec import read_spec_from_file
from momalisa.frame_stops import credit_any_frame, credit_frame
from momalisa.stop import Credit
from momalisa.stop_pictures import LONGEST_SIDE, StopPicture, take_in
from momalisa.works.collection import open_museums, write_picture
from momalisa.works.credit import credit_work
from momalisa.works.museum import Museum
from momalisa.works.work import NOT_FREE, Work

_WHOLE = f"/full/!{LONGEST_SIDE},{LONGEST_SIDE}/0/default.jpg"
"""What an IIIF image's address lacks to be that of a picture."""
_MARKS = (b'"stops"', '"stops"'.encode("utf-16-le"))
"""What is in the files of films and frames that were exported, as PNG and as WebP."""
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


class FoundPicture(NamedTuple):
    """A picture for a stop, and its credit, as far as one is known."""

    picture: StopPicture
    credit: Credit | None = None


def find_in_file(path: Path) -> FoundPicture:
    """Take in a picture's file, with the credit of the film that it is from. Raises BadInput."""
    return FoundPicture(take_in(path), _find_credit(path))


def _find_credit(path: Path) -> Credit | None:
    """The credit in the settings that a film's WebP or frame carries, if it has any."""
    data = path.read_bytes()
    if any(mark in data for mark in _MARKS):
        with suppress(BadInput):
            spec = read_spec_from_file(path, path.name)
            if data.startswith(b"RIFF"):  # of a film the first frame is taken
                return credit_frame(spec, spec.places()[spec.film_order()[0]])
            return credit_any_frame(spec)
    return None


def is_named(where: str, home: Path) -> bool:
    """Whether a text names a museum's picture: an address, or a work's id after a museum's key."""
    key, colon, _ = where.partition(":")
    return where.startswith(("https://", "http://")) or bool(colon and key in open_museums(home))


def find_named(where: str, home: Path) -> FoundPicture:
    """Fetch a museum's picture and its credit. Raises BadInput or ServiceError."""
    museums = open_museums(home)
    if where.startswith(("https://", "http://")):
        return find_at(where, find_owner(where, home))
    key, _, work_id = where.partition(":")
    if key not in museums:
        raise BadInput(f"There is no museum “{key[:40]}” here, only {', '.join(museums)}.")
    return find_work_picture(museums[key], museums[key].get(work_id))


def find_work_picture(museum: Museum, work: Work) -> FoundPicture:
    """Fetch the picture of a museum's work. Raises BadInput or ServiceError."""
    with TemporaryDirectory(prefix="momalisa-") as folder:
        path = Path(folder) / "work.png"
        write_picture(museum, work, path, LONGEST_SIDE)
        return FoundPicture(take_in(path), credit_work(work, museum.name))


def find_owner(address: str, home: Path) -> Museum:
    """Return the museum that an address of a picture belongs to; BadInput if it is none's."""
    for museum in open_museums(home).values():
        if museum.own_picture(_whole(address)):
            return museum
    raise BadInput(
        f"{address[:120]} is not an address of a museum's picture that may be fetched here. "
        "Please search for the work by its title, or save the picture and choose its file."
    )


def find_at(address: str, museum: Museum) -> FoundPicture:
    """Fetch the picture at an address of a museum. Raises BadInput or ServiceError."""
    work = museum.find_by_picture(_whole(address))
    if work is not None and not work.licence:
        raise BadInput(f"“{work.caption}” ({museum.name}) is not offered: {NOT_FREE}.")
    # Of a picture without a record the museum is known at least; its licence is not.
    credit = credit_work(work, museum.name) if work else Credit(museum=museum.name)
    with TemporaryDirectory(prefix="momalisa-") as folder:
        path = Path(folder) / "work"
        with path.open("xb") as file:
            museum.fetcher.download(_whole(address), file)
        return FoundPicture(take_in(path), credit)


def _whole(address: str) -> str:
    """The address of a picture; of an IIIF image without its region and size, of all of it."""
    if address.lower().endswith(_ENDINGS):
        return address
    return address.removesuffix("/info.json").rstrip("/") + _WHOLE
