"""Folders whose entries survive a power cut."""

import os
from contextlib import suppress
from pathlib import Path


def create_folder(folder: Path) -> None:
    """Create a folder with all its parents, and sync the name of each new one to disk."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries to disk, where the system supports it.

    Syncing a new file saves its bytes, but not its name.
    """
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
