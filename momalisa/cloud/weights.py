"""A model's weights out of a bucket, where Vertex AI keeps the artifacts of an uploaded model."""

from pathlib import Path
from typing import Any

from momalisa.errors import BadInput, StorageError


def bring(uri: str, folder: Path) -> Path:
    """Bring everything below "gs://bucket/prefix" into a folder, file by file; returns the folder.

    Raises BadInput when the address is none, StorageError when it cannot be read or is empty.
    """
    if not uri.startswith("gs://"):
        raise BadInput(f"“{uri}” is no address of a model's weights. It begins with gs://.")
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import storage  # type: ignore[import-untyped]
    from requests.exceptions import RequestException

    try:
        found = _download(storage.Client(), uri, folder)
    except (GoogleAPICallError, GoogleAuthError, RequestException) as error:
        raise StorageError(
            f"The weights in {uri} could not be read ({type(error).__name__}). "
            "Please check the address and the rights of the container's service account."
        ) from error
    if not found:
        raise StorageError(f"There are no weights in {uri}.")
    return folder


def _download(client: Any, uri: str, folder: Path) -> int:
    """The number of files that were brought; they never land outside the folder."""
    bucket, _, path = uri.removeprefix("gs://").partition("/")
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    found = 0
    for blob in client.list_blobs(bucket, prefix=prefix):
        target = folder / blob.name.removeprefix(prefix)
        if blob.name.endswith("/") or not target.resolve().is_relative_to(folder.resolve()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        blob.download_to_filename(target)
        found += 1
    return found
