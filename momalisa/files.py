"""Atomic writes: readers see the complete new file or the old one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def temporary_path(path: Path) -> Path:
    """Return a new hidden name in the folder of `path`, ending in `.part`."""
    return path.with_name(f".{secrets.token_hex(8)}.part")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` at the end, or is deleted after an error."""
    part = temporary_path(path)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Write a file into an existing folder."""
    with replacing(path) as part:
        part.write_bytes(data)
