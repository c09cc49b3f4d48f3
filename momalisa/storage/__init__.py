"""Where films are kept: a folder, or a bucket of Google Cloud Storage, behind one small surface."""

from pathlib import Path

from momalisa.errors import BadInput
from momalisa.storage.contract import FOLDER, TYPES, Storage, Stored, app_url, checked, film_key
from momalisa.storage.gcs import PATIENCE, GCSStorage
from momalisa.storage.local import LocalStorage


def open_storage(root: str, *, patience: float = PATIENCE) -> Storage:
    """The storage at `root`: "gs://bucket/prefix", or a folder's path.

    `patience` is how many seconds to go on trying to reach a bucket before saying so.
    """
    if not root.startswith("gs://"):
        return LocalStorage(Path(root).expanduser())
    bucket, _, prefix = root.removeprefix("gs://").partition("/")
    if not bucket:
        raise BadInput(f"“{root}” names no bucket. Please write gs://bucket or gs://bucket/prefix.")
    return GCSStorage(bucket, prefix, patience=patience)


__all__ = [
    "FOLDER",
    "PATIENCE",
    "TYPES",
    "GCSStorage",
    "LocalStorage",
    "Storage",
    "Stored",
    "app_url",
    "checked",
    "film_key",
    "open_storage",
]
