"""Downloads a model's weights from the bucket where Vertex AI keeps an uploaded model's files."""

from pathlib import Path
from typing import Any

from momalisa.errors import BadInput, StorageError


def download_weights(uri: str, folder: Path) -> Path:
    """Download all files under "gs://bucket/prefix" to a folder and return the folder.

    Raises BadInput if `uri` is not a gs:// address, StorageError if it is unreadable or empty.
    """
    if not uri.startswith("gs://"):
        raise BadInput(f"“{uri}” is no address of a model's weights. It begins with gs://.")
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import storage  # type: ignore[import-untyped]
    from requests.exceptions import RequestException

    try:
        files = _download_files(storage.Client(), uri, folder)
    except (GoogleAPICallError, GoogleAuthError, RequestException) as error:
        raise StorageError(
            f"The weights in {uri} could not be read ({type(error).__name__}). "
            "Please check the address and the rights of the container's service account."
        ) from error
    if not files:
        raise StorageError(f"There are no weights in {uri}.")
    return folder


def _download_files(client: Any, uri: str, folder: Path) -> int:
    """Download the files and return their number; paths outside the folder are skipped."""
    bucket, _, path = uri.removeprefix("gs://").partition("/")
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    files = 0
    for blob in client.list_blobs(bucket, prefix=prefix):
        target = folder / blob.name.removeprefix(prefix)
        if blob.name.endswith("/") or not target.resolve().is_relative_to(folder.resolve()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        blob.download_to_filename(target)
        files += 1
    return files
