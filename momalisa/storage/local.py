"""Storage in a local folder."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from db.files import create_folder, sync_folder
from momalisa.errors import NotStored, StorageError
from momalisa.files import is_temporary, temporary_path
from momalisa.storage.interface import (
    FILMS_FOLDER,
    StoredFile,
    app_url,
    changed_error,
    check_key,
    conflict_error,
)

LOCK_SECONDS = 10.0
"""Seconds to wait for another process that replaces a file; each takes milliseconds."""
_REPLACE_LOCK = ".replace.lock"
_LAST_TIME = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
"""Files may have times that no calendar has."""
_MISSING_FILE_ERRORS = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


class LocalStorage:
    """Stores files in a local folder; the key is the relative path.

    `may_be_made` is asked before a file is stored in a folder that has no folder of films yet.
    """

    def __init__(self, root: Path, may_be_made: Callable[[Path], bool] = lambda root: True) -> None:
        self.root = root
        self._may_be_made = may_be_made

    def put(self, key: str, data: bytes, content_type: str) -> StoredFile:
        """Store a file atomically and durably. Raises StorageError if the key is taken."""
        path = self._path(key)
        with self._convert_errors(key):
            self._check_is_not_away()
            part = self._write_part(path, data)
            try:
                _publish(part, path)
            except FileExistsError:
                if path.read_bytes() != data:
                    raise conflict_error(key) from None
            finally:
                part.unlink(missing_ok=True)
            sync_folder(path.parent)
            return self._stored_file(path)

    def replace(self, key: str, data: bytes, content_type: str, *, previous: bytes) -> StoredFile:
        """Replace a file atomically and durably; see `Storage.replace`."""
        path = self._path(key)
        self.get(key)  # a lock would make the folder of a disk that is not mounted
        with self._convert_errors(key), FileLock(self.root / _REPLACE_LOCK, timeout=LOCK_SECONDS):
            current = self.get(key)
            if current != data:
                if current != previous:
                    raise changed_error(key)
                part = self._write_part(path, data)
                try:
                    os.replace(part, path)
                finally:
                    part.unlink(missing_ok=True)
                sync_folder(path.parent)
            return self._stored_file(path)

    def get(self, key: str) -> bytes:
        """Read a file. Raises NotStored if there is none."""
        with self._convert_errors(key):
            return self._read(key)

    def get_start(self, key: str, length: int) -> bytes:
        """Read the first bytes of a file. Raises NotStored if there is none."""
        with self._convert_errors(key):
            return self._read(key, length)

    def _read(self, key: str, length: int = -1) -> bytes:
        try:
            return _read_file(self._path(key), length)
        except _MISSING_FILE_ERRORS as error:
            raise NotStored(f"There is no file {key} in {self.root}.") from error

    def exists(self, key: str) -> bool:
        """Whether a file is stored under the key."""
        with self._convert_errors(key):
            return self._path(key).is_file()

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """List the files whose keys begin with `prefix`, sorted by key."""
        folder = prefix.rpartition("/")[0]
        start = self._path(folder) if folder else self.root
        with self._convert_errors(prefix):
            self._check_is_folder()
            files = list(_walk(start))
        for path in sorted(files, key=lambda path: path.as_posix().encode(errors="replace")):
            name = path.relative_to(self.root).as_posix()
            if name.startswith(prefix) and not path.name.startswith("."):
                # Files that are deleted during the listing are left out.
                with suppress(FileNotFoundError):
                    if path.is_file():
                        yield self._stored_file(path)

    def delete(self, key: str) -> None:
        """Delete a file if it exists, and its folder if that is empty then.

        Parts of files that a killed process left go with the folder.
        """
        path = self._path(key)
        with self._convert_errors(key), suppress(*_MISSING_FILE_ERRORS):
            path.unlink()
            with suppress(OSError):
                left = list(path.parent.iterdir())
                if all(is_temporary(one) for one in left):
                    for one in left:
                        one.unlink(missing_ok=True)
                    path.parent.rmdir()

    def url(self, key: str, *, download: str = "") -> str:
        """The URL at which the app's server serves the file."""
        return app_url(key, download=download)

    def _check_is_folder(self) -> None:
        """Raise StorageError if there is a file where the folder should be; it may be missing."""
        for folder in (self.root / FILMS_FOLDER, self.root, *self.root.parents):
            if folder.exists() and not folder.is_dir():
                raise StorageError(
                    f"{folder} is not a folder, so no films can be in it. "
                    "Please correct MOMALISA_STORE, or move that file away."
                )

    def _check_is_not_away(self) -> None:
        """Raise StorageError if the folder of the films is missing and may not be made."""
        films = self.root / FILMS_FOLDER  # a mountpoint may be there without its disk
        if not films.exists() and not self._may_be_made(self.root):
            raise StorageError(
                f"The folder {films} is missing, though films were stored in it. Is its disk "
                "mounted? If they are lost, and new ones are to be stored there, please make it."
            )

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _stored_file(self, path: Path) -> StoredFile:
        status = path.stat()
        updated = datetime.fromtimestamp(min(max(status.st_mtime, 0), _LAST_TIME), UTC)
        return StoredFile(path.relative_to(self.root).as_posix(), status.st_size, updated)

    @staticmethod
    def _write_part(path: Path, data: bytes) -> Path:
        """Write a temporary file beside `path` and fsync it; `list` does not show it."""
        part = temporary_path(path)
        for last_try in (False, False, True):
            create_folder(path.parent)
            try:
                with part.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                return part
            except FileNotFoundError:
                # `delete` removed the empty folder in the meantime.
                if last_try:
                    raise
            except OSError:
                part.unlink(missing_ok=True)
                raise
        raise AssertionError("unreachable")

    @contextmanager
    def _convert_errors(self, key: str) -> Iterator[None]:
        """Re-raise OSError as StorageError."""
        try:
            yield
        except StorageError:
            raise
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StorageError(
                f"The folder {self.root} did not take or give {key}: {reason}. "
                "Please check that the disk has room and that the folder may be written."
            ) from error


def _walk(start: Path) -> Iterator[Path]:
    """Yield the files below a folder, also where a link leads to a folder on another disk."""
    for folder, subfolders, names in os.walk(
        start, onerror=_raise_unless_missing, followlinks=True
    ):
        yield from (Path(folder, name) for name in names)
        links = [name for name in subfolders if os.path.islink(Path(folder, name))]
        for name in links:  # one that leads back would lead back for ever
            if Path(folder).resolve().is_relative_to(Path(folder, name).resolve()):
                subfolders.remove(name)


def _raise_unless_missing(error: OSError) -> None:
    """Treat a missing folder as empty; raise any other error."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _read_file(path: Path, length: int = -1) -> bytes:
    """Read a file, or its first bytes.

    A named pipe or a device, which may never end, counts as missing.
    """
    if path.exists() and not path.is_file():
        raise FileNotFoundError(errno.ENOENT, "No file", str(path))
    with path.open("rb") as file:
        return file.read(length)


def _publish(part: Path, path: Path) -> None:
    """Rename the complete file to `path`. Raises FileExistsError if that exists."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        # No hard links (exFAT, some network disks): of two concurrent writers, the last wins.
        if path.exists():
            raise FileExistsError(path) from None
        os.replace(part, path)
