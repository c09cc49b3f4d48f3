"""The interface of a storage, its keys and its content types.

A key is a relative path such as "saved_predictions/<walk's id>/<name>.gif". Stored files never
change, so browsers may cache them without limit; only records (walk.json) are replaced.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from momalisa.errors import BadInput, KeyTaken, StorageError

FILMS_FOLDER = "saved_predictions"
_IMMUTABLE = "public, max-age=31536000, immutable"
KEY_BYTES = 240
"""Longest key."""
CONTENT_TYPES = {
    ".gif": "image/gif",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".webp": "image/webp",
}
"""Content types of a film's files, by suffix."""
_OWN_GIF = re.compile(r"[0-9a-f]{16}\.gif")
"""The name of a GIF that is made here: the beginning of its digest."""


@dataclass(frozen=True)
class StoredFile:
    """A stored file's key, size in bytes and time of upload (UTC)."""

    key: str
    size: int
    updated: datetime


class Storage(Protocol):
    """Files by key. Every method raises BadInput for an invalid key, or StorageError."""

    def put(self, key: str, data: bytes, content_type: str) -> StoredFile:
        """Store a file atomically. Raises KeyTaken if the key holds different bytes."""

    def replace(self, key: str, data: bytes, content_type: str, *, previous: bytes) -> StoredFile:
        """Replace a file atomically if it holds `previous`, or the new data already.

        Raises StorageError if it holds anything else, or NotStored if there is none.
        """

    def get(self, key: str) -> bytes:
        """Read a file. Raises NotStored if there is none."""

    def get_start(self, key: str, length: int) -> bytes:
        """Read the first bytes of a file that is not empty. Raises NotStored if there is none."""

    def exists(self, key: str) -> bool:
        """Whether a file is stored under the key."""

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """List the files whose keys begin with `prefix`, sorted by key."""

    def delete(self, key: str) -> None:
        """Delete a file if it exists."""

    def url(self, key: str, *, download: str = "") -> str:
        """The URL at which browsers read the file; `download` is a file name to save it as."""


def film_key(walk_id: str, name: str) -> str:
    """The key of a file of a walk. Raises BadInput if it is invalid."""
    return check_key(f"{FILMS_FOLDER}/{walk_id}/{name}")


def webp_name(gif: str) -> str:
    """The name of the WebP that belongs to a GIF of this name; "" if the GIF is not made here."""
    return f"{gif.removesuffix('.gif')}.webp" if _OWN_GIF.fullmatch(gif) else ""


def check_key(key: str) -> str:
    """Return the key. Raises BadInput if it is invalid or points outside the storage."""
    bad_character = any(c in '\\:*?"<>|' or not c.isprintable() for c in key)
    hidden = any(not part or part.startswith(".") for part in key.split("/"))
    if bad_character or hidden or len(key.encode(errors="replace")) > KEY_BYTES:
        raise BadInput(f"“{key[:80]!a}” is no key of a stored file.")
    return key


def app_url(key: str, *, download: str = "") -> str:
    """The URL at which the app's server serves the file."""
    address = f"/pictures/store/{quote(check_key(key))}"
    return f"{address}?download={quote(download)}" if download else address


def cache_control(key: str) -> str:
    """The Cache-Control header of a file: only records change, so browsers ask for them again."""
    return "no-cache" if key.endswith(".json") else _IMMUTABLE


def changed_error(key: str) -> StorageError:
    """The error for a file that does not hold any more what was to be replaced."""
    return StorageError(f"{key} was changed meanwhile, so it was not replaced. It is read again.")


def conflict_error(key: str) -> KeyTaken:
    """The error for a key that already holds different bytes."""
    return KeyTaken(
        f"Another file is stored as {key} already. Films are never overwritten; "
        "please make the walk again under a new name."
    )
