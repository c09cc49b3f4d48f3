"""Films in a bucket of Google Cloud Storage. Its client library is imported when first needed."""

import base64
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import lru_cache
from http.client import responses
from typing import Any
from urllib.parse import quote

from momalisa.errors import NotStored, StorageError
from momalisa.storage.contract import CACHE_CONTROL, Stored, app_url, checked, conflict

PATIENCE = 15.0
"""Seconds to go on trying to reach a bucket while a person waits."""
ANSWER = 20.0
"""Seconds without a sign of life after which a request is given up, and tried again."""
CHUNK = 8 * 2**20
"""Bytes of a piece: a larger film goes up piece by piece, and only a lost piece goes again."""
SIGNED_DAYS, RENEWED_DAYS = 7, 4
"""How long a signed address is good (no more is allowed), and how long the same one is given."""
UNSIGNED_SECONDS = 60.0
"""How long nobody tries to sign after that went wrong: a page asks for dozens of addresses."""

log = logging.getLogger(__name__)


class GCSStorage:
    """Films in a bucket, under a prefix.

    `client` is a google.cloud.storage.Client, by default one with this machine's credentials.
    `patience` is how many seconds a request is tried again before StorageError is raised.
    """

    def __init__(
        self, bucket: str, prefix: str = "", client: Any = None, *, patience: float = PATIENCE
    ) -> None:
        self._name = bucket
        self._prefix = f"{checked(prefix.strip('/'))}/" if prefix.strip("/") else ""
        self._client = client
        self._patience = patience
        # The same address for days, or no browser could ever use its cache.
        self._signed = lru_cache(10_000)(self._sign)
        self._unsigned_until = 0.0
        self._warned = False

    def put(self, key: str, data: bytes, content_type: str) -> Stored:
        """Store a file, checked on arrival, unless the key is taken by other bytes."""
        blob = self._blob(key)
        with self._trouble(key):
            # Better to ask than to send a large film in vain.
            taken = len(data) > CHUNK and blob.exists(**self._tries())
            if taken or not self._sent(blob, data, content_type):
                blob.reload(**self._tries())
                if blob.crc32c != _crc32c(data):
                    raise conflict(key)
            return self._stored(blob)

    def _sent(self, blob: Any, data: bytes, content_type: str) -> bool:
        """Upload, a second time if need be; False when the key is taken.

        It may be taken by this very file: stored, but the answer was lost and the upload, or the
        last piece of it, tried again.
        """
        from google.api_core.exceptions import NotFound, PreconditionFailed
        from google.cloud.storage.exceptions import (  # type: ignore[import-untyped]
            DataCorruption,
        )

        for _ in range(2):
            trouble = f"{blob.name} was damaged on its way to gs://{self._name}."
            try:
                self._upload(blob, data, content_type)
                if blob.crc32c == _crc32c(data):
                    return True
                blob.delete(if_generation_match=blob.generation, **self._tries())
            except PreconditionFailed:
                return False
            except DataCorruption:
                continue
            except NotFound:
                if blob.exists(**self._tries()):
                    return False
                trouble = self._no_bucket()
        raise StorageError(trouble)

    def _upload(self, blob: Any, data: bytes, content_type: str) -> None:
        blob.cache_control = CACHE_CONTROL
        blob.chunk_size = CHUNK
        blob.upload_from_string(
            data,
            content_type=content_type,
            if_generation_match=0,
            checksum="crc32c",
            **self._tries(),
        )

    def get(self, key: str) -> bytes:
        """The bytes stored under a key, checked on arrival; NotStored when there are none."""
        with self._trouble(key):
            return bytes(self._blob(key).download_as_bytes(**self._tries()))

    def exists(self, key: str) -> bool:
        """Whether a file is stored under a key."""
        with self._trouble(key):
            return bool(self._blob(key).exists(**self._tries()))

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """What is stored under keys that begin with `prefix`, by key."""
        if folder := prefix.rpartition("/")[0]:
            checked(folder)
        from google.api_core.exceptions import NotFound

        with self._trouble(prefix):
            try:
                where = self._prefix + prefix
                for blob in self._bucket().list_blobs(prefix=where, **self._tries()):
                    yield self._stored(blob)
            except NotFound as error:
                raise StorageError(self._no_bucket()) from error

    def delete(self, key: str) -> None:
        """Remove a file; that it is gone already is no error."""
        with suppress(NotStored), self._trouble(key):
            self._blob(key).delete(**self._tries())

    def url(self, key: str, *, download: str = "") -> str:
        """A signed address, good for 3 days or more, where the credentials can sign.

        Else the public one where there are no credentials, so that the bucket must be public;
        else, or for a download that needs a name, the app's own, which hands the file on.
        """
        from google.auth.credentials import AnonymousCredentials

        blob = self._blob(key)
        if isinstance(self._opened()._credentials, AnonymousCredentials):
            return app_url(key, download=download) if download else str(blob.public_url)
        return self._signed_url(key, download) or app_url(key, download=download)

    def _signed_url(self, key: str, download: str) -> str:
        """A signed address; blank where there is none, and for a while after one was refused."""
        from google.auth.credentials import Signing
        from google.auth.exceptions import GoogleAuthError
        from requests.exceptions import RequestException

        if time.monotonic() < self._unsigned_until:
            return ""
        try:
            if isinstance(self._opened()._credentials, Signing):
                return self._signed(key, download, int(time.time() / (RENEWED_DAYS * 86_400)))
            why = "These credentials cannot sign addresses"
        except (GoogleAuthError, RequestException) as error:
            # Some credentials ask Google to sign: that may be refused, or out of reach.
            why = f"Addresses could not be signed ({type(error).__name__})"
        self._unsigned_until = time.monotonic() + UNSIGNED_SECONDS
        self._warn_unsigned(why)
        return ""

    def _warn_unsigned(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            log.warning(
                "%s, so the app itself hands out the films of gs://%s. "
                "With a service account's key, browsers read the bucket directly.",
                why,
                self._name,
            )

    def _sign(self, key: str, download: str, _days: int) -> str:
        address: str = self._blob(key).generate_signed_url(
            version="v4",
            expiration=timedelta(days=SIGNED_DAYS),
            response_disposition=f"attachment; filename*=UTF-8''{quote(download)}"
            if download
            else None,
        )
        return address

    def _opened(self) -> Any:
        if self._client is None:
            from google.cloud import storage  # type: ignore[import-untyped]

            # No project: it says who pays for new buckets, and none is made here.
            self._client = storage.Client(project=None)
        return self._client

    def _bucket(self) -> Any:
        with self._trouble(""):
            return self._opened().bucket(self._name)

    def _blob(self, key: str) -> Any:
        return self._bucket().blob(self._prefix + checked(key))

    def _tries(self) -> dict[str, Any]:
        """How long to wait for an answer, and how long to go on asking."""
        from google.cloud.storage.retry import (  # type: ignore[import-untyped]
            DEFAULT_RETRY,
        )

        retry = DEFAULT_RETRY.with_delay(initial=0.3, maximum=8).with_timeout(self._patience)
        # A third of it, so that one silent request leaves time for another.
        return {"retry": retry, "timeout": min(ANSWER, self._patience / 3)}

    def _stored(self, blob: Any) -> Stored:
        return Stored(blob.name.removeprefix(self._prefix), blob.size, blob.updated)

    def _no_bucket(self) -> str:
        return f"There is no bucket {self._name}. Please make it, or correct MOMALISA_STORE."

    @contextmanager
    def _trouble(self, key: str) -> Iterator[None]:
        """What the client library raises, as a sentence."""
        from google.api_core.exceptions import (
            Forbidden,
            GoogleAPICallError,
            NotFound,
            RetryError,
            Unauthorized,
        )
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.cloud.storage.exceptions import (
            DataCorruption,
            InvalidResponse,
        )
        from requests.exceptions import RequestException

        where = f"gs://{self._name}/{self._prefix}{key}"
        try:
            yield
        except NotFound as error:
            raise NotStored(f"There is no file {where}.") from error
        except (Forbidden, Unauthorized) as error:
            raise StorageError(
                f"Google Cloud does not let this account use {where}. "
                f"Please give it the role Storage Object User on the bucket {self._name}."
            ) from error
        except (
            GoogleAPICallError,
            RetryError,
            InvalidResponse,
            DataCorruption,
            RequestException,
            TransportError,
        ) as error:
            raise StorageError(
                f"The bucket did not take or give {where}: {_why(error)}. "
                "Please check the bucket's name and the network."
            ) from error
        except GoogleAuthError as error:
            raise StorageError(
                f"Google Cloud asks who is there before it opens {where}. "
                "Please run: gcloud auth application-default login"
            ) from error


def _why(error: Exception) -> str:
    """What went wrong, in a word or two; of many tries, what the last one met."""
    cause = getattr(error, "cause", None) or error
    code = getattr(cause, "code", None)
    return f"{int(code)} {responses.get(code, '')}" if code else type(cause).__name__


def _crc32c(data: bytes) -> str:
    """The checksum as Google writes it: CRC32C, big-endian, base64."""
    import google_crc32c

    return base64.b64encode(int(google_crc32c.value(data)).to_bytes(4, "big")).decode()
