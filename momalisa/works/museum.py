"""What all museums have in common: the protocol that each one's client follows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import httpx

from momalisa.errors import BadInput
from momalisa.works.fetching import Fetcher, Hosts, NotThere, Unreadable, is_allowed
from momalisa.works.file_cache import FileCache
from momalisa.works.rate_limit import RateLimit
from momalisa.works.work import Work

T = TypeVar("T")

ANSWER_SECONDS = 86400.0
"""How long answers are kept: a museum corrects its records, licences included."""
ANSWER_BYTES = 64 * 2**20
AT_ONCE = 8
"""Requests to one museum at a time."""
LONGEST_ADDRESS = 2000
PICTURE_SECONDS, PICTURE_BYTES = 30 * 86400.0, 512 * 2**20


class Museum(ABC):
    """A museum's open collection. All methods raise ServiceError with a sentence."""

    key: ClassVar[str]
    """A short name for the command line."""
    name: ClassVar[str]
    records: ClassVar[Hosts]
    """Where its records may come from."""
    pictures: ClassVar[Hosts]
    """Where its pictures may come from."""
    rate: ClassVar[tuple[int, float]]
    """Requests in seconds: what the museum asks for, or less."""

    def __init__(self, home: Path) -> None:
        folder = home / "museums" / self.key
        self.kept_pictures = FileCache(folder / "pictures", PICTURE_BYTES, PICTURE_SECONDS)
        answers = FileCache(folder / "answers", ANSWER_BYTES, ANSWER_SECONDS)
        self.fetcher = Fetcher(
            self.name, self.records, self.pictures, RateLimit(*self.rate), answers
        )

    @abstractmethod
    def search(self, text: str, limit: int) -> Iterator[Work]:
        """Yield up to `limit` works that the museum finds, the best first."""

    @abstractmethod
    def get(self, work_id: str) -> Work:
        """Return one work. Raises BadInput if the museum has none of this id."""

    @abstractmethod
    def picture_addresses(self, work: Work, size: int) -> tuple[str, ...]:
        """Where its picture is, with about `size` pixels or more; then what may do instead."""

    def find_by_picture(self, address: str) -> Work | None:
        """Return the work whose picture, or part of it, is at one of the museum's addresses.

        None where the museum cannot be asked that, or does not know.
        """
        for work in self.guess_by_picture(address):
            own = (work.picture, work.small_picture)
            if any(address == one or address.startswith(f"{one}/") for one in own if one):
                return work
        return None

    def guess_by_picture(self, address: str) -> Iterator[Work]:
        """Yield works whose picture may be at an address; none where nothing tells which."""
        yield from ()

    def each(self, function: Callable[[str], T], items: Sequence[str]) -> Iterator[T]:
        """Call a function for every item, several at a time; yield the results in order."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(function, items)

    def own_picture(self, address: Any) -> str:
        """A picture's address if it is one of the museum's own; otherwise empty."""
        if not isinstance(address, str) or len(address) > LONGEST_ADDRESS:
            return ""
        try:
            return address if is_allowed(address, self.pictures) else ""
        except httpx.InvalidURL:
            return ""

    def not_found(self, work_id: str) -> BadInput:
        """The error for an id that the museum does not know."""
        return BadInput(f"{self.name}: there is no work {work_id[:60]!r} in its collection.")

    def unreadable(self) -> Unreadable:
        """The error for an answer of another form than the museum documents."""
        return Unreadable(f"{self.name}: its answer is not in the form that it documents.")

    def read_work(
        self, address: str, fields: dict[str, Any], work_id: str, parse: Callable[[Any], T]
    ) -> T:
        """What `parse` makes of the answer about one work. Raises BadInput if there is none."""
        try:
            return self.fetcher.read(address, fields, parse)
        except NotThere:
            raise self.not_found(work_id) from None

    def require_dict(self, answer: Any) -> dict[str, Any]:
        """An answer that is an object. Raises ServiceError for any other."""
        if not isinstance(answer, dict):
            raise self.unreadable()
        return answer
