"""Atomic writes: readers see the complete new file or the old one; and whether a disk takes any."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from db.files import sync_folder


def temporary_path(path: Path) -> Path:
    """Return a new hidden name in the folder of `path`, ending in `.part`."""
    return path.with_name(f".{secrets.token_hex(8)}.part")


def is_temporary(path: Path) -> bool:
    """Whether it has a name of `temporary_path`; the process that made it may have been killed."""
    return path.name.startswith(".") and path.suffix == ".part"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` at the end, or is deleted after an error."""
    part = temporary_path(path)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes | memoryview, *, synced: bool = False) -> None:
    """Write a file into an existing folder.

    `synced` waits until it is safe from a power cut, which takes milliseconds. Without it a power
    cut may leave an empty or damaged file under the name.
    """
    with replacing(path) as part, part.open("xb") as file:
        file.write(data)
        if synced:
            file.flush()
            os.fsync(file.fileno())
    if synced:
        sync_folder(path.absolute().parent)


def check_disk(folder: Path, least_bytes: int) -> None:
    """Raise OSError if a folder's disk cannot be written, or has fewer free bytes than these."""
    with NamedTemporaryFile(dir=folder, prefix="probe-") as file:
        file.write(bytes(2**20))
        file.flush()
        os.fsync(file.fileno())
    if shutil.disk_usage(folder).free < least_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
