"""Where films are kept: a folder, or a bucket of Google Cloud Storage, behind one small surface.

A key is a relative path such as "saved_predictions/<walk's id>/<name>.gif". What is stored under
a key never changes, so browsers may keep it for ever.
"""

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from momalisa.errors import BadInput, NotStored, StorageError

FOLDER = "saved_predictions"
CACHE_CONTROL = "public, max-age=31536000, immutable"
KEY_LENGTH = 240
"""Bytes of a key, at most."""
PATIENCE = 20.0
"""Seconds to go on trying to reach a bucket before saying so."""


@dataclass(frozen=True)
class Stored:
    """A stored file: its key, its size in bytes, and when it was stored (UTC)."""

    key: str
    size: int
    updated: datetime


class Storage(Protocol):
    """Files under keys. Each call raises BadInput on a key that is none, else StorageError."""

    def put(self, key: str, data: bytes, content_type: str) -> Stored:
        """Store a file, whole or not at all. Other bytes under that key: StorageError."""

    def get(self, key: str) -> bytes:
        """The bytes stored under a key; NotStored when there are none."""

    def exists(self, key: str) -> bool:
        """Whether something is stored under a key."""

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """What is stored under keys that begin with `prefix`, by key."""

    def delete(self, key: str) -> None:
        """Remove a file; that it is gone already is no error."""

    def url(self, key: str) -> str:
        """Where a browser gets the file from."""


def open_storage(root: str) -> Storage:
    """The storage at `root`: "gs://bucket/prefix", or a folder's path."""
    if not root.startswith("gs://"):
        return LocalStorage(Path(root).expanduser())
    bucket, _, prefix = root.removeprefix("gs://").partition("/")
    if not bucket:
        raise BadInput(f"“{root}” names no bucket. Please write gs://bucket or gs://bucket/prefix.")
    return GCSStorage(bucket, prefix)


def film_key(walk_id: str, name: str) -> str:
    """The key of a walk's file."""
    return checked(f"{FOLDER}/{walk_id}/{name}")


def checked(key: str) -> str:
    """The key itself if it stays inside the storage; raises BadInput if it does not."""
    foreign = any(c in '\\:*?"<>|' or not c.isprintable() for c in key)
    hidden = any(not part or part.startswith(".") for part in key.split("/"))
    if foreign or hidden or len(key.encode(errors="replace")) > KEY_LENGTH:
        raise BadInput(f"“{key[:80]!a}” is no key of a stored file.")
    return key


def _conflict(key: str) -> StorageError:
    return StorageError(
        f"Another file is stored as {key} already. Films are never overwritten; "
        "please make the walk again under a new name."
    )


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
                    raise _conflict(key) from None
            finally:
                part.unlink(missing_ok=True)
            _settle(path.parent)
            return self._stored(path)

    def get(self, key: str) -> bytes:
        """The bytes stored under a key; NotStored when there are none."""
        with self._trouble(key):
            return self._path(key).read_bytes()

    def exists(self, key: str) -> bool:
        """Whether a file is stored under a key."""
        return self._path(key).is_file()

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """What is stored under keys that begin with `prefix`, by key."""
        folder = prefix.rpartition("/")[0]
        start = self._path(folder) if folder else self.root
        files = (Path(at, name) for at, _, names in os.walk(start) for name in names)
        for path in sorted(files, key=lambda path: path.as_posix().encode(errors="replace")):
            name = path.relative_to(self.root).as_posix()
            if name.startswith(prefix) and not path.name.startswith("."):
                # Whatever is deleted while the list is read is left out.
                with suppress(FileNotFoundError):
                    yield self._stored(path)

    def delete(self, key: str) -> None:
        """Remove a file, and its folder with the last one."""
        path = self._path(key)
        with self._trouble(key), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            with suppress(OSError):
                path.parent.rmdir()

    def url(self, key: str) -> str:
        """The address under which the app's own server hands the file out."""
        return f"/pictures/store/{quote(checked(key))}"

    def _path(self, key: str) -> Path:
        return self.root / checked(key)

    def _stored(self, path: Path) -> Stored:
        facts = path.stat()
        moment = datetime.fromtimestamp(facts.st_mtime, UTC)
        return Stored(path.relative_to(self.root).as_posix(), facts.st_size, moment)

    @staticmethod
    def _write_part(path: Path, data: bytes) -> Path:
        """The data on disk, beside `path`, under a name that `list` does not show."""
        part = path.parent / f".{secrets.token_hex(8)}.part"
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
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NotStored(f"There is no file {key} in {self.root}.") from error
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise StorageError(
                f"{key} could not be kept in {self.root}: {why}. "
                "Please check that the disk has room and that the folder may be written."
            ) from error


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


class GCSStorage:
    """Films in a bucket. `client` is a google.cloud.storage.Client; by default its own."""

    def __init__(self, bucket: str, prefix: str = "", client: Any = None) -> None:
        self._name = bucket
        self._prefix = f"{checked(prefix.strip('/'))}/" if prefix.strip("/") else ""
        self._client = client
        self._signed: dict[str, tuple[datetime, str]] = {}

    def put(self, key: str, data: bytes, content_type: str) -> Stored:
        """Store a file, checked on arrival, unless the key is taken by other bytes."""
        from google.api_core.exceptions import PreconditionFailed

        blob = self._blob(key)
        blob.cache_control = CACHE_CONTROL
        with self._trouble(key):
            try:
                blob.upload_from_string(
                    data,
                    content_type=content_type,
                    if_generation_match=0,
                    checksum="crc32c",
                    retry=self._retry(),
                )
            except PreconditionFailed:
                # Perhaps our own file: stored, but the answer was lost and the upload tried again.
                blob.reload(retry=self._retry())
                if (blob.size, blob.crc32c) != (len(data), _crc32c(data)):
                    raise _conflict(key) from None
            return self._stored(blob)

    def get(self, key: str) -> bytes:
        """The bytes stored under a key; NotStored when there are none."""
        with self._trouble(key):
            return bytes(self._blob(key).download_as_bytes(retry=self._retry()))

    def exists(self, key: str) -> bool:
        """Whether a file is stored under a key."""
        with self._trouble(key):
            return bool(self._blob(key).exists(retry=self._retry()))

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """What is stored under keys that begin with `prefix`, by key."""
        if folder := prefix.rpartition("/")[0]:
            checked(folder)
        with self._trouble(prefix):
            blobs = self._bucket().list_blobs(prefix=self._prefix + prefix, retry=self._retry())
            yield from (self._stored(blob) for blob in blobs)

    def delete(self, key: str) -> None:
        """Remove a file; that it is gone already is no error."""
        with suppress(NotStored), self._trouble(key):
            self._blob(key).delete(retry=self._retry())

    def url(self, key: str) -> str:
        """A signed address, good for 3 days or more, or the public one without a key to sign."""
        from google.auth.credentials import Signing

        blob = self._blob(key)
        if not isinstance(self._opened()._credentials, Signing):
            return str(blob.public_url)
        # The same address for days, or no browser could ever use its cache.
        moment = datetime.now(UTC)
        until, address = self._signed.get(key, (moment, ""))
        if until - moment < timedelta(days=3):
            until = moment + timedelta(days=7)
            address = str(blob.generate_signed_url(version="v4", expiration=timedelta(days=7)))
            self._signed[key] = (until, address)
        return address

    def _opened(self) -> Any:
        if self._client is None:
            from google.cloud import storage  # type: ignore[import-untyped]

            self._client = storage.Client()
        return self._client

    def _bucket(self) -> Any:
        with self._trouble(""):
            return self._opened().bucket(self._name)

    def _blob(self, key: str) -> Any:
        return self._bucket().blob(self._prefix + checked(key))

    @staticmethod
    def _retry() -> Any:
        from google.cloud.storage.retry import (  # type: ignore[import-untyped]
            DEFAULT_RETRY,
        )

        return DEFAULT_RETRY.with_timeout(PATIENCE)

    def _stored(self, blob: Any) -> Stored:
        return Stored(blob.name.removeprefix(self._prefix), blob.size, blob.updated)

    @contextmanager
    def _trouble(self, key: str) -> Iterator[None]:
        """What the client library raises, as a sentence."""
        from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
        from google.auth.exceptions import GoogleAuthError
        from google.cloud.storage.exceptions import (  # type: ignore[import-untyped]
            DataCorruption,
            InvalidResponse,
        )
        from requests.exceptions import RequestException

        where = f"gs://{self._name}/{self._prefix}{key}"
        try:
            yield
        except NotFound as error:
            raise NotStored(f"There is no file {where}.") from error
        except GoogleAuthError as error:
            raise StorageError(
                f"Google Cloud asks who is there before it opens {where}. "
                "Please run: gcloud auth application-default login"
            ) from error
        except (
            GoogleAPICallError,
            RetryError,
            InvalidResponse,
            DataCorruption,
            RequestException,
        ) as error:
            why = getattr(error, "message", "") or type(error).__name__
            raise StorageError(
                f"The bucket did not take or give {where}: {why}. "
                "Please check the bucket's name, your rights on it, and the network."
            ) from error


def _crc32c(data: bytes) -> str:
    """The checksum as Google writes it: CRC32C, big-endian, base64."""
    import google_crc32c

    return base64.b64encode(int(google_crc32c.value(data)).to_bytes(4, "big")).decode()
