"""Storage in a Google Cloud Storage bucket. The client library is imported on first use."""

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
from momalisa.storage.interface import (
    StoredFile,
    app_url,
    cache_control,
    changed_error,
    check_key,
    conflict_error,
)

RETRY_SECONDS = 15.0
"""How long a request is retried by default, while a person waits."""
REQUEST_TIMEOUT = 20.0
"""Most seconds to wait for a response before a request is retried."""
CHUNK_BYTES = 8 * 2**20
"""Larger files are uploaded in chunks of this size; only a lost chunk is sent again."""
SIGNED_URL_DAYS, RENEWAL_DAYS = 7, 4
"""Validity of a signed URL (the maximum), and how long the same URL is handed out."""

log = logging.getLogger(__name__)


class GCSStorage:
    """Stores files in a bucket, under a prefix.

    `client` is a google.cloud.storage.Client, by default one with this machine's credentials.
    A request is retried for `retry_seconds` before StorageError is raised.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        client: Any = None,
        *,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._name = bucket
        self._prefix = f"{check_key(prefix.strip('/'))}/" if prefix.strip("/") else ""
        self._client = client
        self._retry_seconds = retry_seconds
        # The URL stays the same for days, so that browsers can cache the file.
        self._make_signed_url = lru_cache(10_000)(self._sign)
        self._has_warned = False

    def put(self, key: str, data: bytes, content_type: str) -> StoredFile:
        """Store a file and verify its checksum. Raises StorageError if the key is taken."""
        blob = self._blob(key)
        with self._convert_errors(key):
            # One request more, to save the upload of a large file to a taken key.
            taken = len(data) > CHUNK_BYTES and blob.exists(**self._retry_options())
            if taken or not self._upload_verified(blob, data, content_type):
                blob.reload(**self._retry_options())
                if blob.crc32c != _crc32c(data):
                    raise conflict_error(key)
            return self._stored_file(blob)

    def replace(self, key: str, data: bytes, content_type: str, *, previous: bytes) -> StoredFile:
        """Replace a file whose generation is the one that was compared; see `Storage.replace`."""
        blob = self._blob(key)
        with self._convert_errors(key):
            blob.reload(**self._retry_options())
            if blob.crc32c == _crc32c(data):
                return self._stored_file(blob)
            if blob.crc32c != _crc32c(previous):
                raise changed_error(key)
            if not self._upload_verified(blob, data, content_type, blob.generation):
                # Anew, because one that was read asks for its own generation only.
                blob = self._blob(key)
                blob.reload(**self._retry_options())
                if blob.crc32c != _crc32c(data):
                    raise changed_error(key)
            return self._stored_file(blob)

    def _upload_verified(
        self, blob: Any, data: bytes, content_type: str, generation: int = 0
    ) -> bool:
        """Upload and compare checksums, at most twice; returns False if the key is taken.

        That is, if it holds another generation than the one to be replaced; 0 is none. The key may
        be taken by this same file: it was stored, but the response was lost and the client library
        sent it again.
        """
        from google.api_core.exceptions import NotFound, PreconditionFailed
        from google.cloud.storage.exceptions import (  # type: ignore[import-untyped]
            DataCorruption,
        )

        for _ in range(2):
            problem = f"{blob.name} was damaged on its way to gs://{self._name}."
            try:
                self._upload(blob, data, content_type, generation)
                if blob.crc32c == _crc32c(data):
                    return True
                if generation:
                    generation = blob.generation
                    continue
                blob.delete(if_generation_match=blob.generation, **self._retry_options())
            except PreconditionFailed:
                return False
            except DataCorruption:
                continue
            except NotFound:
                if blob.exists(**self._retry_options()):
                    return False
                problem = self._missing_bucket_message()
        raise StorageError(problem)

    def _upload(self, blob: Any, data: bytes, content_type: str, generation: int) -> None:
        blob.cache_control = cache_control(blob.name)
        blob.chunk_size = CHUNK_BYTES
        blob.upload_from_string(
            data,
            content_type=content_type,
            if_generation_match=generation,
            checksum="crc32c",
            **self._retry_options(),
        )

    def get(self, key: str) -> bytes:
        """Read a file and verify its checksum. Raises NotStored if there is none."""
        with self._convert_errors(key):
            return bytes(self._blob(key).download_as_bytes(**self._retry_options()))

    def get_start(self, key: str, length: int) -> bytes:
        """Read the first bytes of a file that is not empty. Raises NotStored if there is none."""
        with self._convert_errors(key):
            blob, last = self._blob(key), length - 1  # the checksum is the whole file's
            return bytes(blob.download_as_bytes(end=last, checksum=None, **self._retry_options()))

    def exists(self, key: str) -> bool:
        """Whether a file is stored under the key."""
        with self._convert_errors(key):
            return bool(self._blob(key).exists(**self._retry_options()))

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """List the files whose keys begin with `prefix`, sorted by key."""
        if folder := prefix.rpartition("/")[0]:
            check_key(folder)
        from google.api_core.exceptions import NotFound

        with self._convert_errors(prefix):
            try:
                full_prefix = self._prefix + prefix
                for blob in self._bucket().list_blobs(prefix=full_prefix, **self._retry_options()):
                    yield self._stored_file(blob)
            except NotFound as error:
                raise StorageError(self._missing_bucket_message()) from error

    def delete(self, key: str) -> None:
        """Delete a file if it exists."""
        with suppress(NotStored), self._convert_errors(key):
            self._blob(key).delete(**self._retry_options())

    def url(self, key: str, *, download: str = "") -> str:
        """The URL at which browsers read the file.

        It is a signed URL, valid for 3 days or more, if the credentials hold a key; the public URL
        if there are no credentials; otherwise, and for named downloads from a public bucket, the
        app's URL: to have each of a page's dozens of URLs signed by a Google API would hold it up.
        """
        from google.auth.credentials import AnonymousCredentials
        from google.oauth2.service_account import Credentials

        blob, credentials = self._blob(key), self._open_client()._credentials
        if isinstance(credentials, AnonymousCredentials):
            return app_url(key, download=download) if download else str(blob.public_url)
        if isinstance(credentials, Credentials):
            period = int(time.time() / (RENEWAL_DAYS * 86_400))
            return self._make_signed_url(key, download, period)
        self._warn_once()
        return app_url(key, download=download)

    def _warn_once(self) -> None:
        """Log the first time that URLs cannot be signed."""
        if not self._has_warned:
            self._has_warned = True
            log.warning(
                "These credentials cannot sign addresses by themselves, so the app itself hands "
                "out the films of gs://%s. With a service account's key, browsers read the bucket "
                "directly.",
                self._name,
            )

    def _sign(self, key: str, download: str, _period: int) -> str:
        """Sign a URL. `_period` counts RENEWAL_DAYS; it only keys the cache."""
        url: str = self._blob(key).generate_signed_url(
            version="v4",
            expiration=timedelta(days=SIGNED_URL_DAYS),
            response_disposition=f"attachment; filename*=UTF-8''{quote(download)}"
            if download
            else None,
        )
        return url

    def _open_client(self) -> Any:
        """The client, created on first use."""
        if self._client is None:
            from google.cloud import storage  # type: ignore[import-untyped]

            # The project is only needed to create buckets.
            self._client = storage.Client(project=None)
        return self._client

    def _bucket(self) -> Any:
        with self._convert_errors(""):
            return self._open_client().bucket(self._name)

    def _blob(self, key: str) -> Any:
        return self._bucket().blob(self._prefix + check_key(key))

    def _retry_options(self) -> dict[str, Any]:
        """Arguments of a request: its retries and its timeout."""
        from google.cloud.storage.retry import (  # type: ignore[import-untyped]
            DEFAULT_RETRY,
        )

        retry = DEFAULT_RETRY.with_delay(initial=0.3, maximum=8).with_timeout(self._retry_seconds)
        # A third, so that a request without a response leaves time to retry.
        return {"retry": retry, "timeout": min(REQUEST_TIMEOUT, self._retry_seconds / 3)}

    def _stored_file(self, blob: Any) -> StoredFile:
        return StoredFile(blob.name.removeprefix(self._prefix), blob.size, blob.updated)

    def _missing_bucket_message(self) -> str:
        return f"There is no bucket {self._name}. Please make it, or correct MOMALISA_STORE."

    @contextmanager
    def _convert_errors(self, key: str) -> Iterator[None]:
        """Re-raise the client library's errors as StorageError."""
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

        uri = f"gs://{self._name}/{self._prefix}{key}"
        try:
            yield
        except NotFound as error:
            raise NotStored(f"There is no file {uri}.") from error
        except (Forbidden, Unauthorized) as error:
            raise StorageError(
                f"Google Cloud does not let this account use {uri}: {_reason(error)} "
                "Where it lacks a right, please give it the role Storage Object User on the bucket "
                f"{self._name}."
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
                f"The bucket did not take or give {uri}: {_describe(error)}. "
                "Please check the bucket's name and the network."
            ) from error
        except GoogleAuthError as error:
            raise StorageError(
                f"Google Cloud asks who is there before it opens {uri}. "
                "Please run: gcloud auth application-default login. "
                "With a key, look whether that is still valid, and this machine's clock right."
            ) from error


def _reason(error: Any) -> str:
    """Google's own words: it refuses for lack of a right, for a retention policy, for a bill."""
    told = error.message
    with suppress(AttributeError, ValueError, LookupError, TypeError):
        # Of an upload the message is all of the answer, as Google's client wrote it.
        told = error.response.json()["error"]["message"]
    return f"{str(told).rstrip('.')}."


def _describe(error: Exception) -> str:
    """The HTTP status or the class of an error; after retries, that of the last try."""
    cause = getattr(error, "cause", None) or error
    code = getattr(cause, "code", None)
    return f"{int(code)} {responses.get(code, '')}" if code else type(cause).__name__


def _crc32c(data: bytes) -> str:
    """The CRC32C checksum as Google writes it: big-endian, base64."""
    import google_crc32c

    return base64.b64encode(int(google_crc32c.value(data)).to_bytes(4, "big")).decode()
