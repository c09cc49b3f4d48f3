"""All museums: which there are, and a work's picture from any of them."""

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from momalisa.errors import BadInput, ServiceError
from momalisa.files import replacing, temporary_path
from momalisa.works.art_institute import ArtInstitute
from momalisa.works.cleveland import Cleveland
from momalisa.works.fetching import NotThere
from momalisa.works.met import Met
from momalisa.works.museum import Museum
from momalisa.works.picture import WRITTEN, clean_picture
from momalisa.works.rijksmuseum import Rijksmuseum
from momalisa.works.smk import Smk
from momalisa.works.work import Work

MUSEUMS: tuple[type[Museum], ...] = (ArtInstitute, Cleveland, Met, Rijksmuseum, Smk)
SIZE = 1024
"""Pixels of a picture's longer side, unless asked otherwise."""
LARGEST_SIZE = 4096


class _Unusable(ServiceError):
    """A picture that is damaged, too large or none."""


@lru_cache(maxsize=8)
def open_museums(home: Path) -> dict[str, Museum]:
    """The museums by key. One set for each home, so that all threads share a museum's pace."""
    return {museum.key: museum(home) for museum in MUSEUMS}


def close_museums(home: Path) -> None:
    """Close all connections of `open_museums(home)`."""
    for museum in open_museums(home).values():
        museum.fetcher.close()


def write_picture(museum: Museum, work: Work, target: Path, size: int = SIZE) -> tuple[int, int]:
    """Write a work's picture, checked and clean, into a file; return its width and height.

    The file's suffix says the format. After an error the file is as before, and nothing is kept.
    Raises BadInput if the work is not offered or the format is not written here, and ServiceError.
    """
    if target.suffix.lower() not in WRITTEN:
        raise BadInput(f"{target}: the name of a picture ends in {', '.join(WRITTEN)}.")
    if not target.parent.is_dir():
        raise BadInput(f"{target.parent}: there is no such folder.")
    if work.withheld:
        raise BadInput(f"“{work.caption}” ({museum.name}) is not offered: {work.withheld}.")
    addresses = museum.picture_addresses(work, size)
    for address in addresses[:-1]:
        with suppress(NotThere, _Unusable):
            return _write(museum, work, address, target, size)
    return _write(museum, work, addresses[-1], target, size)


def _write(museum: Museum, work: Work, address: str, target: Path, size: int) -> tuple[int, int]:
    """Write the picture at one address. Raises NotThere, _Unusable or another ServiceError."""
    kept = museum.kept_pictures.find(address)
    source = kept or temporary_path(museum.kept_pictures.path(address))
    try:
        if kept is None:
            with source.open("xb") as file:
                museum.fetcher.download(address, file)
        with replacing(target) as part:
            try:
                measures = clean_picture(source, part, target.suffix.lower(), size)
            except BadInput as error:
                raise _Unusable(
                    f"{museum.name}: the picture of “{work.caption}” cannot be used. {error}"
                ) from None
        if kept is None:
            os.replace(source, museum.kept_pictures.path(address))
            museum.kept_pictures.trim()
        return measures
    finally:
        if kept is None:
            source.unlink(missing_ok=True)
