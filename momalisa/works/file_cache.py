"""Files on disk by the address they came from, for a while and up to a size."""

import hashlib
import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from momalisa.files import is_temporary, write_atomically

UNFINISHED_SECONDS = 3600.0
"""After which a file that a killed process left is deleted."""
TRIMS_IN_ALL_BYTES = 16
"""How often the folder is looked through while so much is written as it may hold."""

log = logging.getLogger(__name__)


class FileCache:
    """A folder of at most `most_bytes`; what is older than `seconds` is not read."""

    def __init__(self, folder: Path, most_bytes: int, seconds: float) -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self.seconds = seconds
        self._bytes_until_trim = 0

    def path(self, address: str) -> Path:
        """Where the file of an address is, or would be; creates the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self._path(address)

    def _path(self, address: str) -> Path:
        return self.folder / hashlib.sha256(address.encode()).hexdigest()

    def find(self, address: str) -> Path | None:
        """Return the file of an address if it is there and not too old."""
        path = self._path(address)
        with suppress(OSError):
            if time.time() - path.stat().st_mtime < self.seconds:
                return path
        return None

    def write(self, address: str, data: bytes) -> None:
        """Keep a file. A full disk is no error: it is fetched again the next time."""
        try:
            with suppress(FileNotFoundError):
                return write_atomically(self._path(address), data)
            write_atomically(self.path(address), data)
        except OSError as error:
            log.warning("an answer is not kept: %s", error)
        finally:
            self._count(len(data))

    def _count(self, size: int) -> None:
        self._bytes_until_trim -= size
        if self._bytes_until_trim < 0:
            self._bytes_until_trim = self.most_bytes // TRIMS_IN_ALL_BYTES
            with suppress(OSError):
                self.trim()

    def trim(self) -> None:
        """Delete the oldest files beyond `most_bytes`, those too old, and unfinished ones.

        Raises OSError if the folder cannot be read.
        """
        files = []
        for entry in os.scandir(self.folder):
            with suppress(OSError):
                stat = entry.stat()
                files.append((stat.st_mtime, stat.st_size, Path(entry.path)))
        kept, now = 0, time.time()
        for modified, size, path in sorted(files, reverse=True):
            longest = UNFINISHED_SECONDS if is_temporary(path) else self.seconds
            kept += size
            if now - modified > longest or (kept > self.most_bytes and not is_temporary(path)):
                path.unlink(missing_ok=True)
