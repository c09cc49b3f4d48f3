"""The Metropolitan Museum of Art: https://metmuseum.github.io/."""

import re
from collections.abc import Iterator
from typing import Any

from momalisa.works.fetching import NotThere
from momalisa.works.fields import number_of, text_of
from momalisa.works.museum import Museum
from momalisa.works.work import Work

API = "https://collectionapi.metmuseum.org/public/collection"
PAGE, MOST_RESULTS = 100, 10_000
SMALL = 500
"""Pixels up to which the smaller picture is enough."""


class Met(Museum):
    """The Met. It allows 80 requests a second, but its firewall shuts such haste out."""

    key, name = "met", "The Met"
    records = (f"{API}/",)
    pictures = ("https://images.metmuseum.org/CRDImages/",)
    rate = (40, 4.0)

    def search(self, text: str, limit: int) -> Iterator[Work]:
        """Yield works, as `Museum.search` says. It finds numbers; records come one by one."""
        found, limit = 0, min(limit, MOST_RESULTS)
        while found < limit:
            fields = {
                "q": text,
                "hasImages": "true",
                "isPublicDomain": "true",
                "offset": found,
                "limit": min(PAGE, limit - found),
            }
            numbers, total = self.fetcher.read(f"{API}/v1.1/search", fields, self._read_page)
            numbers = numbers[: limit - found]
            yield from (work for work in self.each(self._find, numbers) if work is not None)
            found += len(numbers)
            if not numbers or found >= total:
                return

    def get(self, work_id: str) -> Work:
        """Return one work, by its object ID."""
        if not re.fullmatch(r"[0-9]{1,9}", work_id):
            raise self.not_found(work_id)
        return self.read_work(f"{API}/v1/objects/{work_id}", {}, work_id, self._read)

    def picture_addresses(self, work: Work, size: int) -> tuple[str, ...]:
        """The original, or its smaller copy where that is enough or the original is too large."""
        found = [address for address in (work.picture, work.small_picture) if address]
        return tuple(reversed(found) if size <= SMALL else found)

    def _find(self, number: str) -> Work | None:
        """A work of a search; None if its record was withdrawn meanwhile."""
        try:
            return self.fetcher.read(f"{API}/v1/objects/{number}", {}, self._read)
        except NotThere:
            return None

    def _read_page(self, answer: Any) -> tuple[list[str], int]:
        numbers = self.require_dict(answer).get("objectIDs") or []
        if not isinstance(numbers, list) or not all(map(number_of, numbers)):
            raise self.unreadable()
        return [str(number_of(number)) for number in numbers], number_of(answer.get("total"))

    def _read(self, answer: Any) -> Work:
        work_id = number_of(self.require_dict(answer).get("objectID"))
        if not work_id:
            raise self.unreadable()
        small = self.own_picture(answer.get("primaryImageSmall"))
        return Work(
            museum=self.key,
            id=str(work_id),
            title=text_of(answer.get("title")),
            artist=text_of(answer.get("artistDisplayName")) or text_of(answer.get("culture")),
            date=text_of(answer.get("objectDate")),
            medium=text_of(answer.get("medium")),
            accession_number=text_of(answer.get("accessionNumber")),
            licence="CC0" if answer.get("isPublicDomain") is True else "",
            credit_line=text_of(answer.get("creditLine")),
            page=f"https://www.metmuseum.org/art/collection/search/{work_id}",
            picture=self.own_picture(answer.get("primaryImage")) or small,
            small_picture=small,
        )
