"""The Art Institute of Chicago, by its public API: https://api.artic.edu/docs/."""

import re
from collections.abc import Iterator
from typing import Any

from momalisa.works.fields import dict_of, dicts_of, number_of, text_of
from momalisa.works.museum import Museum
from momalisa.works.work import Work

API = "https://api.artic.edu/api/v1/artworks"
IIIF = "https://www.artic.edu/iiif/2"
FIELDS = (
    "id,title,artist_title,artist_display,date_display,medium_display,main_reference_number,"
    "credit_line,is_public_domain,image_id,thumbnail"
)
PAGE, MOST_RESULTS = 100, 10_000
"""Works a page and a search: what the API allows."""
WIDTHS = (200, 400, 600, 843, 1686)
"""What its picture server keeps ready."""


class ArtInstitute(Museum):
    """The Art Institute of Chicago."""

    key, name = "chicago", "Art Institute of Chicago"
    records = ("https://api.artic.edu/api/v1/",)
    pictures = ("https://www.artic.edu/iiif/2/",)
    rate = (60, 60.0)

    def search(self, text: str, limit: int) -> Iterator[Work]:
        """Yield works marked as public domain, as `Museum.search` says."""
        found, limit = 0, min(limit, MOST_RESULTS)
        for page in range(1, MOST_RESULTS // PAGE + 1):
            fields = {
                "q": text,
                "query[term][is_public_domain]": "true",
                "fields": FIELDS,
                "limit": min(limit, PAGE),
                "page": page,
            }
            works, pages = self.fetcher.read(f"{API}/search", fields, self._read_page)
            yield from works[: limit - found]
            found += len(works)
            if found >= limit or page >= pages or not works:
                return

    def get(self, work_id: str) -> Work:
        """Return one work, by its number in the API."""
        if not re.fullmatch(r"[0-9]{1,9}", work_id):
            raise self.not_found(work_id)
        return self.read_work(f"{API}/{work_id}", {"fields": FIELDS}, work_id, self._read_detail)

    def guess_by_picture(self, address: str) -> Iterator[Work]:
        """Yield the work that has the image of that IIIF address."""
        if found := re.match(rf"{re.escape(IIIF)}/([0-9a-fA-F-]{{8,64}})(?=/|$)", address):
            fields = {"query[term][image_id]": found[1], "fields": FIELDS, "limit": 1}
            works, _ = self.fetcher.read(f"{API}/search", fields, self._read_page)
            yield from works

    def picture_addresses(self, work: Work, size: int) -> tuple[str, ...]:
        """The smallest width that is kept ready and large enough."""
        wide = [w for w in WIDTHS if not work.width or w <= work.width]
        if not wide:
            return (f"{work.picture}/full/full/0/default.jpg",)
        width = next((w for w in wide if w >= size), wide[-1])
        return (f"{work.picture}/full/{width},/0/default.jpg",)

    def _read_page(self, answer: Any) -> tuple[list[Work], int]:
        pagination = dict_of(self.require_dict(answer).get("pagination"))
        if not isinstance(answer.get("data"), list):
            raise self.unreadable()
        works = [self._read(record) for record in dicts_of(answer["data"])]
        return works, number_of(pagination.get("total_pages"))

    def _read_detail(self, answer: Any) -> Work:
        return self._read(dict_of(self.require_dict(answer).get("data")))

    def _read(self, record: dict[str, Any]) -> Work:
        work_id = number_of(record.get("id"))
        if not work_id:
            raise self.unreadable()
        image = text_of(record.get("image_id"))
        thumbnail = dict_of(record.get("thumbnail"))
        artist = text_of(record.get("artist_title"))
        return Work(
            museum=self.key,
            id=str(work_id),
            title=text_of(record.get("title")),
            artist=artist or text_of(record.get("artist_display")),
            date=text_of(record.get("date_display")),
            medium=text_of(record.get("medium_display")),
            accession_number=text_of(record.get("main_reference_number")),
            licence="Public domain" if record.get("is_public_domain") is True else "",
            credit_line=text_of(record.get("credit_line")),
            page=f"https://www.artic.edu/artworks/{work_id}",
            picture=f"{IIIF}/{image}" if re.fullmatch(r"[0-9a-fA-F-]{8,64}", image) else "",
            width=number_of(thumbnail.get("width")),
            height=number_of(thumbnail.get("height")),
        )
