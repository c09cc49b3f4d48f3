"""What every storage can do, and which keys there are.

A key is a relative path such as "saved_predictions/<walk's id>/<name>.gif". What is stored under
a key never changes, so browsers may keep it for ever.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from momalisa.errors import BadInput, StorageError

FOLDER = "saved_predictions"
CACHE_CONTROL = "public, max-age=31536000, immutable"
KEY_LENGTH = 240
"""Bytes of a key, at most."""
TYPES = {
    ".gif": "image/gif",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".webp": "image/webp",
}
"""The content type of each kind of file that belongs to a film."""


@dataclass(frozen=True)
class Stored:
    """A stored file: its key, its size in bytes, and when it was stored (UTC)."""

    key: str
    size: int
    updated: datetime


class Storage(Protocol):
    """Files under keys. Each call raises BadInput on a key that is none, else StorageError."""

    def put(self, key: str, data: bytes, content_type: str) -> Stored:
        """Store a file, whole or not at all. Other bytes under that key: StorageError."""

    def get(self, key: str) -> bytes:
        """The bytes stored under a key; NotStored when there are none."""

    def exists(self, key: str) -> bool:
        """Whether something is stored under a key."""

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """What is stored under keys that begin with `prefix`, by key."""

    def delete(self, key: str) -> None:
        """Remove a file; that it is gone already is no error."""

    def url(self, key: str, *, download: str = "") -> str:
        """Where a browser gets the file from; `download` names it on the visitor's disk."""


def film_key(walk_id: str, name: str) -> str:
    """The key of a walk's file."""
    return checked(f"{FOLDER}/{walk_id}/{name}")


def checked(key: str) -> str:
    """The key itself if it stays inside the storage; raises BadInput if it does not."""
    foreign = any(c in '\\:*?"<>|' or not c.isprintable() for c in key)
    hidden = any(not part or part.startswith(".") for part in key.split("/"))
    if foreign or hidden or len(key.encode(errors="replace")) > KEY_LENGTH:
        raise BadInput(f"“{key[:80]!a}” is no key of a stored file.")
    return key


def app_url(key: str, *, download: str = "") -> str:
    """The address under which the app's own server hands the file out."""
    address = f"/pictures/store/{quote(checked(key))}"
    return f"{address}?download={quote(download)}" if download else address


def conflict(key: str) -> StorageError:
    """What to say when a key is taken by other bytes."""
    return StorageError(
        f"Another file is stored as {key} already. Films are never overwritten; "
        "please make the walk again under a new name."
    )
