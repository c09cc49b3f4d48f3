"""Fetches records and pictures from a museum's own addresses, and from no others."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple, TypeVar

import httpx

from momalisa.backoff import Backoff
from momalisa.errors import ServiceError
from momalisa.works.connections import Connections
from momalisa.works.file_cache import FileCache
from momalisa.works.rate_limit import RateLimit

Hosts = tuple[str, ...]
"""What the addresses of a museum begin with: https, a host, and the path of its interface."""

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
"""Seconds for a connection, and between two pieces of an answer."""
TRIES = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0
LONGEST_WAIT = 30.0
"""Seconds that a museum may ask to wait; beyond, a sentence says so instead."""
MOST_REDIRECTS = 5
_PLAIN = re.compile(r"https://[a-z0-9.-]+(/[A-Za-z0-9._~-]+)+")
AGENT = "MOMA-Lisa (gallery of latent walks)"
HEADERS = {
    "User-Agent": AGENT,
    "AIC-User-Agent": AGENT,
    # Uncompressed, so that the bytes that are counted are the bytes that come.
    "Accept-Encoding": "identity",
    "Accept": "application/ld+json, application/json;q=0.9, image/*;q=0.8",
}

log = logging.getLogger(__name__)
T = TypeVar("T")


class Budget(NamedTuple):
    """What an answer may take."""

    most_bytes: int
    seconds: float


RECORD, PICTURE = Budget(16 * 2**20, 60.0), Budget(32 * 2**20, 180.0)


class NotThere(ServiceError):
    """The museum has nothing at that address."""


class Unreadable(ServiceError):
    """The museum's answer is of another form than it documents."""


class _Again(Exception):
    """What may go well a moment later; `pause` in seconds, if the museum named one."""

    def __init__(self, sentence: str, pause: float | None = None) -> None:
        super().__init__(sentence)
        self.pause = pause


class Fetcher:
    """One museum's addresses, with timeouts, retries and the pace that it asks for."""

    def __init__(
        self, name: str, records: Hosts, pictures: Hosts, rate: RateLimit, answers: FileCache
    ) -> None:
        self.name = name
        self.records, self.pictures = records, pictures
        self.rate, self._answers = rate, answers
        self._connections = Connections()

    def read(self, address: str, fields: Mapping[str, Any], parse: Callable[[Any], T]) -> T:
        """Fetch a JSON answer, or take it from the cache, and return what `parse` makes of it.

        An answer is kept once `parse` has understood it; otherwise that raises ServiceError, as
        this does with a sentence. Raises NotThere for an address that the museum does not know.
        """
        url = httpx.URL(address, params=dict(fields)) if fields else httpx.URL(address)
        address = str(url)
        kept = self._answers.find(address)
        if kept is not None:
            try:
                return parse(json.loads(kept.read_bytes()))
            except (OSError, ValueError, RecursionError, ServiceError) as error:
                log.info("a kept answer is fetched again: %s", error)
        body = BytesIO()
        self._fetch(url, body, self.records, RECORD)
        try:
            answer = json.loads(body.getvalue())
        except (ValueError, RecursionError):
            raise Unreadable(f"{self.name}: its answer cannot be read. Try again later.") from None
        found = parse(answer)
        self._answers.write(address, body.getvalue())
        return found

    def download(self, address: str, file: BinaryIO) -> None:
        """Write a picture's bytes into a file, unchecked. Raises as `read` does."""
        self._fetch(address, file, self.pictures, PICTURE)

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._connections.close()

    def _fetch(
        self, address: str | httpx.URL, file: BinaryIO, hosts: Hosts, budget: Budget
    ) -> None:
        pauses = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        for tries_left in reversed(range(TRIES)):
            try:
                return self._try(address, file, hosts, budget)
            except _Again as again:
                pause = pauses.next_pause() if again.pause is None else again.pause
                if not tries_left or pause > LONGEST_WAIT:
                    raise ServiceError(f"{self.name}: {again}") from None
                log.info("%s: %s", self.name, again)
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _try(self, address: str | httpx.URL, file: BinaryIO, hosts: Hosts, budget: Budget) -> None:
        """Follow an address, redirects included, and write the answer's bytes."""
        end = time.monotonic() + budget.seconds
        try:
            url = httpx.URL(address)
            for _ in range(MOST_REDIRECTS + 1):
                if not is_allowed(url, hosts):
                    raise ServiceError(
                        f"{self.name}: its answer leads to {str(url)[:100]!r}, which is none of "
                        "its own addresses. Nothing was fetched from there."
                    )
                self._await_turn()
                with (
                    self._connections.borrow(url.host, end) as transport,
                    _ask(transport, url) as response,
                ):
                    if not response.has_redirect_location:
                        self._check(response)
                        return self._write(response, file, budget.most_bytes)
                    url = url.join(response.headers["Location"])
        except httpx.TimeoutException:
            raise _Again("it does not answer in time. Try again later.") from None
        except httpx.TransportError as error:
            log.info("%s: %s", self.name, error)
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise ServiceError(
                    f"{self.name}: its certificate is not accepted. Is this machine's clock right? "
                    "Where a proxy of its own ends TLS, SSL_CERT_FILE has to name its certificate."
                ) from None
            if isinstance(error, httpx.ConnectError | httpx.ProxyError):
                raise _Again("it cannot be reached. Is this machine online?") from None
            raise _Again("the connection broke off. Try again later.") from None
        except httpx.InvalidURL:
            raise ServiceError(f"{self.name}: its answer leads to no valid address.") from None
        raise ServiceError(f"{self.name}: its addresses lead from one to the next without end.")

    def _await_turn(self) -> None:
        wait = self.rate.wait(LONGEST_WAIT)
        if wait:
            raise ServiceError(
                f"{self.name}: it allows no more requests for now. Try again in {wait:.0f} seconds."
            )

    def _check(self, response: httpx.Response) -> None:
        """Raise what a status other than success means."""
        status = response.status_code
        if status in (404, 410):
            raise NotThere(f"{self.name}: there is nothing at {response.url}.")
        if status == 429:
            headers = response.headers
            pause = read_retry_after(headers.get("Retry-After", ""), headers.get("Date", ""))
            shown = "a while" if pause is None else f"{pause:.0f} seconds"
            raise _Again(f"it asks to wait before the next request. Try again in {shown}.", pause)
        if status >= 500:
            raise _Again(f"it has a fault (status {status}). Try again later.")
        if status != 200:
            raise ServiceError(
                f"{self.name}: it refuses the request (status {status}). Some museums do so for a "
                "while after many requests."
            )
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise ServiceError(f"{self.name}: its answer is compressed, which was not asked for.")

    def _write(self, response: httpx.Response, file: BinaryIO, most_bytes: int) -> None:
        file.seek(0)
        file.truncate()
        for piece in response.iter_raw():
            file.write(piece)
            if file.tell() > most_bytes:
                raise ServiceError(
                    f"{self.name}: its answer has more than {most_bytes // 2**20} MB, which "
                    "is the most that is read here."
                )


@contextmanager
def _ask(transport: httpx.BaseTransport, url: httpx.URL) -> Iterator[httpx.Response]:
    """The beginning of an answer, whose redirect is not followed."""
    request = httpx.Request("GET", url, headers=HEADERS, extensions={"timeout": TIMEOUT.as_dict()})
    response = transport.handle_request(request)
    response.request = request
    with closing(response):
        yield response


def is_allowed(address: str | httpx.URL, hosts: Hosts) -> bool:
    """Whether an address is one of a museum's own, by https and without anything unusual.

    Raises httpx.InvalidURL for a text that is no address.
    """
    if isinstance(address, str) and _PLAIN.fullmatch(address):
        # Nothing in it is read in two ways: lists have thousands, and to take one apart is slow.
        return address.startswith(hosts) and ".." not in address
    url = httpx.URL(address)
    return (
        url.scheme == "https"
        and url.port is None
        and not url.userinfo
        and f"https://{url.host}{url.path}".startswith(hosts)
        and ".." not in url.path
    )


def read_retry_after(text: str, sent: str = "") -> float | None:
    """Seconds to wait by a Retry-After header, a number or a date; None if it says neither.

    A date is by the museum's clock, as is the answer's own, when it was `sent`.
    """
    if text.isascii() and text.isdigit():
        return float(text[:9])
    then, now = _read_date(text), _read_date(sent) or datetime.now(UTC)
    return None if then is None else max(0.0, (then - now).total_seconds())


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
