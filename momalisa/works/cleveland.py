"""The Cleveland Museum of Art: https://openaccess-api.clevelandart.org/."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from momalisa.errors import BadInput
from momalisa.works.fields import dict_of, dicts_of, number_of, text_of
from momalisa.works.museum import Museum
from momalisa.works.work import Work

API = "https://openaccess-api.clevelandart.org/api/artworks/"
PAGE = 100
"""Works a page; the API gives up to 1,000, which are many megabytes."""
SMALL = 800
"""Pixels up to which the picture for the web is enough; it has about 900."""


class Cleveland(Museum):
    """The Cleveland Museum of Art. It states no rate; this is what a hasty reader needs."""

    key, name = "cleveland", "Cleveland Museum of Art"
    records = (API,)
    pictures = ("https://openaccess-cdn.clevelandart.org/",)
    rate = (30, 10.0)

    def search(self, text: str, limit: int) -> Iterator[Work]:
        """Yield works marked as CC0, as `Museum.search` says."""
        found = 0
        while found < limit:
            page = min(PAGE, limit - found)
            fields = {"q": text, "cc0": 1, "has_image": 1, "limit": page, "skip": found}
            works, total = self.fetcher.read(API, fields, self._read_page)
            yield from works[:page]
            found += len(works)
            if not works or found >= total:
                return

    def get(self, work_id: str) -> Work:
        """Return one work, by its number in the API or its accession number."""
        if not re.fullmatch(r"[0-9][0-9A-Za-z.-]{0,40}", work_id):
            raise self.not_found(work_id)
        return self.read_work(f"{API}{work_id}", {}, work_id, self._read_detail)

    def guess_by_picture(self, address: str) -> Iterator[Work]:
        """Yield the work whose accession number is the picture's folder."""
        number = address.removeprefix(self.pictures[0]).partition("/")[0]
        with suppress(BadInput):
            yield self.get(number)

    def picture_addresses(self, work: Work, size: int) -> tuple[str, ...]:
        """The picture for print or the one for the web; never the TIFF of full size."""
        both = [work.picture, work.small_picture]
        found = [address for address in both if address]
        return tuple(reversed(found) if size <= SMALL else found)

    def _read_page(self, answer: Any) -> tuple[list[Work], int]:
        if not isinstance(self.require_dict(answer).get("data"), list):
            raise self.unreadable()
        total = number_of(dict_of(answer.get("info")).get("total"))
        return [self._read(record) for record in dicts_of(answer["data"])], total

    def _read_detail(self, answer: Any) -> Work:
        return self._read(dict_of(self.require_dict(answer).get("data")))

    def _read(self, record: dict[str, Any]) -> Work:
        work_id = number_of(record.get("id"))
        if not work_id:
            raise self.unreadable()
        images = dict_of(record.get("images"))
        web, large = dict_of(images.get("web")), dict_of(images.get("print"))
        web_picture = self.own_picture(web.get("url"))
        artists = [text_of(one.get("description")) for one in dicts_of(record.get("creators"))]
        number = text_of(record.get("accession_number"))
        return Work(
            museum=self.key,
            id=str(work_id),
            title=text_of(record.get("title")),
            artist="; ".join(artist for artist in artists[:3] if artist),
            date=text_of(record.get("creation_date")),
            medium=text_of(record.get("technique")),
            accession_number=number,
            licence="CC0" if record.get("share_license_status") == "CC0" else "",
            credit_line=text_of(record.get("creditline")),
            page=f"https://www.clevelandart.org/art/{number or work_id}",
            picture=self.own_picture(large.get("url")) or web_picture,
            small_picture=web_picture,
            width=number_of(large.get("width")),
            height=number_of(large.get("height")),
        )
