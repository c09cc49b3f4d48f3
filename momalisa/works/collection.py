"""All museums: which there are, and a work's picture from any of them."""

import os
from functools import lru_cache
from pathlib import Path

from momalisa.errors import BadInput, ServiceError
from momalisa.files import replacing, temporary_path
from momalisa.works.art_institute import ArtInstitute
from momalisa.works.museum import Museum
from momalisa.works.picture import WRITTEN, clean_picture
from momalisa.works.work import Work

MUSEUMS: tuple[type[Museum], ...] = (ArtInstitute,)
SIZE = 1024
"""Pixels of a picture's longer side, unless asked otherwise."""
LARGEST_SIZE = 4096


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
    address = museum.picture_address(work, size)
    kept = museum.kept_pictures.find(address)
    source = kept or temporary_path(museum.kept_pictures.path(address))
    try:
        if kept is None:
            with source.open("xb") as file:
                museum.fetcher.download(address, file)
        with replacing(target) as part:
            measures = _clean(museum, work, source, part, target.suffix.lower(), size)
        if kept is None:
            os.replace(source, museum.kept_pictures.path(address))
            museum.kept_pictures.trim()
        return measures
    finally:
        if kept is None:
            source.unlink(missing_ok=True)


def _clean(
    museum: Museum, work: Work, source: Path, part: Path, suffix: str, size: int
) -> tuple[int, int]:
    try:
        return clean_picture(source, part, suffix, size)
    except BadInput as error:
        raise ServiceError(
            f"{museum.name}: the picture of “{work.caption}” cannot be used. {error}"
        ) from None
