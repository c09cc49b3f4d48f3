"""Brings large files of the hub into its cache, each going on where an earlier download broke off.

The library begins a file anew in each process, and a file of weights may take an hour. What is
brought here it finds in its cache. Imports no torch.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from filelock import FileLock, Timeout

LEAST_BYTES = 20 * 2**20
"""Of a large file; of smaller ones little is lost."""
_DIGEST = re.compile("[0-9a-f]{40,64}")


def bring_large_files(hub_id: str, snapshot: Path, files: Iterable[Any]) -> None:
    """Download those of a repository's `files` that are large, as the library's dry run lists them.

    `snapshot` is the folder of their revision in the cache. Shows a progress bar for each. Raises
    what the library raises.
    """
    from huggingface_hub import constants

    for file in files:
        # The largest the hub gives in a way of its own only, which the library knows.
        is_large = LEAST_BYTES <= (file.file_size or 0) <= constants.MAX_HTTP_DOWNLOAD_SIZE
        if file.will_download and is_large:
            _bring(hub_id, snapshot, file.filename)


def count_begun(snapshot: Path) -> int:
    """Bytes of large files of a repository that were begun, and need not be brought again."""
    begun = snapshot.parent.parent.joinpath("blobs").glob("*.incomplete")
    return sum(path.stat().st_size for path in begun if _DIGEST.fullmatch(path.stem))


def _bring(hub_id: str, snapshot: Path, name: str) -> None:
    """Download a file to where the library keeps its content, which its digest names."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    headers = build_hf_headers()
    url = hf_hub_url(hub_id, name, revision=snapshot.name)
    told = get_hf_file_metadata(url, headers=headers)
    if not told.etag or not _DIGEST.fullmatch(told.etag):
        return  # what is not known by a digest is left to the library
    if urlparse(told.location).netloc != urlparse(url).netloc:
        headers.pop("authorization", None)
    repository = snapshot.parent.parent
    content = repository / "blobs" / told.etag
    part = content.with_name(f"{told.etag}.incomplete")
    lock = repository.parent / ".locks" / repository.name / f"{told.etag}.lock"  # the library's
    for folder in (content.parent, lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=0):
            if content.exists():
                return
            _drop_if_longer(part, told.size)
            with part.open("ab") as file:
                http_get(
                    told.location,
                    file,
                    resume_size=file.tell(),
                    headers=headers,
                    expected_size=told.size,
                    displayed_filename=name,
                )
            os.replace(part, content)
    except Timeout:
        return  # another process brings it; the library waits for that


def _drop_if_longer(part: Path, size: int | None) -> None:
    """Delete the beginning of a file that is longer than the whole can be."""
    if part.exists() and size is not None and part.stat().st_size > size:
        part.unlink()
