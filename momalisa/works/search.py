"""Searches as pages show them: a museum's answer in parts, its works again, small pictures."""

from collections import OrderedDict
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import NamedTuple

from momalisa.errors import BadInput
from momalisa.works.collection import write_picture
from momalisa.works.file_cache import FileCache
from momalisa.works.museum import PICTURE_SECONDS, Museum
from momalisa.works.work import Work

PART = 8
"""Works of a museum that are shown at a time."""
MOST_WORKS = 240
"""Works that one can go through; other words find others."""
LONGEST_SEARCH = 200
"""Characters."""
THUMBNAIL_SIZE = 256
THUMBNAIL_BYTES = 64 * 2**20
MOST_REMEMBERED = 4096

_REMEMBERED: OrderedDict[tuple[str, str], Work] = OrderedDict()
_LOCK = Lock()


class Part(NamedTuple):
    """Some of the works that a museum finds; `following` is where to go on, 0 at the end."""

    works: list[Work]
    following: int


def search(museum: Museum, text: str, first: int) -> Part:
    """Return the works that a museum finds from number `first` on, counted from 0.

    Raises BadInput for words that are not searched for, and ServiceError.
    """
    if not text.strip() or len(text) > LONGEST_SEARCH:
        raise BadInput(f"Search for one to {LONGEST_SEARCH} characters.")
    if first >= MOST_WORKS:
        return Part([], 0)
    last = min(max(first, 0) + PART, MOST_WORKS)
    works = list(islice(museum.search(text, last), max(first, 0), last))
    for work in works:
        _remember(work)
    return Part(works, last if len(works) == PART and last < MOST_WORKS else 0)


def find_work(museum: Museum, work_id: str, *, whole: bool = False) -> Work:
    """Return a work by its id, without a request if it was found lately.

    `whole` asks for all that the museum says of it, where a list says less. Raises BadInput if the
    museum has none of this id, and ServiceError.
    """
    with _LOCK:
        work = _REMEMBERED.get((museum.key, work_id))
    if work is not None and not (whole and work.is_short):
        return work
    work = museum.get(work_id)
    _remember(work)
    return work


def _remember(work: Work) -> None:
    with _LOCK:
        _REMEMBERED[work.museum, work.id] = work
        _REMEMBERED.move_to_end((work.museum, work.id))
        while len(_REMEMBERED) > MOST_REMEMBERED:
            _REMEMBERED.popitem(last=False)


def make_thumbnail(museum: Museum, work: Work) -> bytes:
    """Return a small picture of a work, as WebP; it is kept for the next time.

    Raises BadInput if the work is not offered, and ServiceError.
    """
    kept = FileCache(
        museum.kept_pictures.folder.parent / "thumbnails", THUMBNAIL_BYTES, PICTURE_SECONDS
    )
    name = f"{work.id} {work.picture}"
    if path := kept.find(name):
        return path.read_bytes()
    with TemporaryDirectory(prefix="momalisa-") as folder:
        picture = Path(folder) / "thumbnail.webp"
        write_picture(museum, work, picture, THUMBNAIL_SIZE)
        data = picture.read_bytes()
    kept.write(name, data)
    return data
