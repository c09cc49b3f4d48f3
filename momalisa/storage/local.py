"""Films in a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from momalisa.errors import NotStored, StorageError
from momalisa.files import temporary_path
from momalisa.storage.contract import Stored, app_url, checked, conflict

_NO_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


class LocalStorage:
    """Films in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, data: bytes, content_type: str) -> Stored:
        """Store a file: readers see all of it or nothing, also after a power cut."""
        path = self._path(key)
        with self._trouble(key):
            part = self._write_part(path, data)
            try:
                _reveal(part, path)
            except FileExistsError:
                if path.read_bytes() != data:
                    raise conflict(key) from None
            finally:
                part.unlink(missing_ok=True)
            _settle(path.parent)
            return self._stored(path)

    def get(self, key: str) -> bytes:
        """The bytes stored under a key; NotStored when there are none."""
        with self._trouble(key):
            try:
                return self._path(key).read_bytes()
            except _NO_FILE as error:
                raise NotStored(f"There is no file {key} in {self.root}.") from error

    def exists(self, key: str) -> bool:
        """Whether a file is stored under a key."""
        with self._trouble(key):
            return self._path(key).is_file()

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """What is stored under keys that begin with `prefix`, by key."""
        folder = prefix.rpartition("/")[0]
        start = self._path(folder) if folder else self.root
        with self._trouble(prefix):
            folders = list(os.walk(start, onerror=_unread))
        files = (Path(at, name) for at, _, names in folders for name in names)
        for path in sorted(files, key=lambda path: path.as_posix().encode(errors="replace")):
            name = path.relative_to(self.root).as_posix()
            if name.startswith(prefix) and not path.name.startswith("."):
                # Whatever is deleted while the list is read is left out.
                with suppress(FileNotFoundError):
                    yield self._stored(path)

    def delete(self, key: str) -> None:
        """Remove a file, and its folder with the last one."""
        path = self._path(key)
        with self._trouble(key), suppress(*_NO_FILE):
            path.unlink()
            with suppress(OSError):
                path.parent.rmdir()

    def url(self, key: str, *, download: str = "") -> str:
        """The address under which the app's own server hands the file out."""
        return app_url(key, download=download)

    def _path(self, key: str) -> Path:
        return self.root / checked(key)

    def _stored(self, path: Path) -> Stored:
        facts = path.stat()
        moment = datetime.fromtimestamp(facts.st_mtime, UTC)
        return Stored(path.relative_to(self.root).as_posix(), facts.st_size, moment)

    @staticmethod
    def _write_part(path: Path, data: bytes) -> Path:
        """The data on disk, beside `path`, under a name that `list` does not show."""
        part = temporary_path(path)
        for last in (False, False, True):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with part.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                return part
            except FileNotFoundError:
                # `delete` removed the empty folder in between.
                if last:
                    raise
            except OSError:
                part.unlink(missing_ok=True)
                raise
        raise AssertionError("unreachable")

    @contextmanager
    def _trouble(self, key: str) -> Iterator[None]:
        """An OSError as a sentence."""
        try:
            yield
        except StorageError:
            raise
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise StorageError(
                f"The folder {self.root} did not take or give {key}: {why}. "
                "Please check that the disk has room and that the folder may be written."
            ) from error


def _unread(error: OSError) -> None:
    """A folder that is not there (any more) holds nothing; any other trouble must be known."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _reveal(part: Path, path: Path) -> None:
    """Give the finished file its name; FileExistsError when the name is taken."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        # No hard links here (exFAT, some network disks): less strict against two racers.
        if path.exists():
            raise FileExistsError(path) from None
        os.replace(part, path)


def _settle(folder: Path) -> None:
    """The new name itself on disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
