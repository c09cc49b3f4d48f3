"""Storage of films: a local folder or a Google Cloud Storage bucket, with one interface."""

from collections.abc import Callable
from pathlib import Path

from momalisa.errors import BadInput
from momalisa.settings import is_foreign_storage
from momalisa.storage.gcs import RETRY_SECONDS, GCSStorage
from momalisa.storage.interface import (
    CONTENT_TYPES,
    FILMS_FOLDER,
    Storage,
    StoredFile,
    app_url,
    check_key,
    film_key,
    webp_name,
)
from momalisa.storage.local import LocalStorage


def open_storage(
    root: str,
    *,
    retry_seconds: float = RETRY_SECONDS,
    may_be_made: Callable[[Path], bool] = lambda root: True,
) -> Storage:
    """Open the storage at `root`: "gs://bucket/prefix" or the path of a folder.

    `retry_seconds` limits the retries of each request to a bucket. `may_be_made` says whether a
    folder that is missing is made by the first file. Raises BadInput for an address of another
    kind.
    """
    if is_foreign_storage(root):
        raise BadInput(
            f"“{root}” is no storage that is known. Please write a folder's path, or "
            "gs://bucket/prefix for a bucket."
        )
    if not root.startswith("gs://"):
        return LocalStorage(Path(root).expanduser(), may_be_made)
    bucket, _, prefix = root.removeprefix("gs://").partition("/")
    if not bucket:
        raise BadInput(f"“{root}” names no bucket. Please write gs://bucket or gs://bucket/prefix.")
    return GCSStorage(bucket, prefix, retry_seconds=retry_seconds)


__all__ = [
    "CONTENT_TYPES",
    "FILMS_FOLDER",
    "RETRY_SECONDS",
    "GCSStorage",
    "LocalStorage",
    "Storage",
    "StoredFile",
    "app_url",
    "check_key",
    "film_key",
    "open_storage",
    "webp_name",
]
