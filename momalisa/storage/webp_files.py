"""Whether stored WebP pictures are whole, by their own first bytes.

A disk that fails or fills up may cut a file short. Browsers show what is left of a film as if it
were all of it.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from momalisa.errors import NotStored
from momalisa.storage.interface import CONTENT_TYPES, Storage, StoredFile

START = 12
"""Bytes of a WebP in which it says how long it is."""
AT_ONCE = 8
"""Concurrent requests: the client library keeps ten connections."""


def is_cut_short(start: bytes, size: int) -> bool:
    """Whether a picture has fewer bytes than its `start` says, or lost them to zeros.

    A file that is no WebP at all is another matter: it was stored as such.
    """
    if size < START:
        return start[:4] == b"RIFF"[: len(start)]
    announced = int.from_bytes(start[4:8], "little") + 8
    return not any(start) or (start[:4] == b"RIFF" and announced > size)


def find_cut_short(storage: Storage, files: Iterable[StoredFile]) -> set[str]:
    """The keys of those of the files that are cut short. Raises StorageError."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        keys = pool.map(lambda stored: (stored.key, _is_damaged(storage, stored)), files)
        return {key for key, cut_short in keys if cut_short}


def store_webp(storage: Storage, key: str, data: bytes) -> None:
    """Store a picture, also in the place of one that is cut short; a whole one stays.

    Raises StorageError.
    """
    found = _find(storage, key)
    if found is None:
        storage.put(key, data, CONTENT_TYPES[".webp"])
    elif _is_damaged(storage, found):
        storage.replace(key, data, CONTENT_TYPES[".webp"], previous=storage.get(key))


def delete_cut_short(storage: Storage, key: str) -> None:
    """Delete a picture if it is cut short. Raises StorageError."""
    found = _find(storage, key)
    if found is not None and _is_damaged(storage, found):
        storage.delete(key)


def _find(storage: Storage, key: str) -> StoredFile | None:
    return next((stored for stored in storage.list(key) if stored.key == key), None)


def _is_damaged(storage: Storage, stored: StoredFile) -> bool:
    """Whether a stored picture is cut short; False if it was deleted meanwhile."""
    try:
        start = storage.get_start(stored.key, START) if stored.size else b""
    except NotStored:
        return False
    return is_cut_short(start, stored.size)
