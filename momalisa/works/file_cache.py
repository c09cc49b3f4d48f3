"""Files on disk by the address they came from, for a while and up to a size."""

import hashlib
import logging
import time
from contextlib import suppress
from pathlib import Path

from momalisa.files import is_temporary, write_atomically

UNFINISHED_SECONDS = 3600.0
"""After which a file that a killed process left is deleted."""
WRITES_BETWEEN_TRIMS = 50

log = logging.getLogger(__name__)


class FileCache:
    """A folder of at most `most_bytes`; what is older than `seconds` is not read."""

    def __init__(self, folder: Path, most_bytes: int, seconds: float) -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self.seconds = seconds
        self._writes = 0

    def path(self, address: str) -> Path:
        """Where the file of an address is, or would be; creates the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / hashlib.sha256(address.encode()).hexdigest()

    def find(self, address: str) -> Path | None:
        """Return the file of an address if it is there and not too old."""
        path = self.path(address)
        with suppress(OSError):
            if time.time() - path.stat().st_mtime < self.seconds:
                return path
        return None

    def write(self, address: str, data: bytes) -> None:
        """Keep a file. A full disk is no error: it is fetched again the next time."""
        try:
            write_atomically(self.path(address), data)
        except OSError as error:
            log.warning("an answer is not kept: %s", error)
        self._writes += 1
        if self._writes % WRITES_BETWEEN_TRIMS == 1:
            self.trim()

    def trim(self) -> None:
        """Delete the oldest files beyond `most_bytes`, those too old, and unfinished ones."""
        files = []
        for path in self.folder.iterdir():
            with suppress(OSError):
                files.append((path.stat().st_mtime, path.stat().st_size, path))
        kept, now = 0, time.time()
        for modified, size, path in sorted(files, reverse=True):
            longest = UNFINISHED_SECONDS if is_temporary(path) else self.seconds
            kept += size
            if now - modified > longest or (kept > self.most_bytes and not is_temporary(path)):
                path.unlink(missing_ok=True)
