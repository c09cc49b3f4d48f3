"""SMK, the National Gallery of Denmark: https://www.smk.dk/en/article/smk-api/."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from momalisa.errors import BadInput
from momalisa.works.fields import dicts_of, number_of, text_of
from momalisa.works.museum import Museum
from momalisa.works.work import Work, free_licence

API = "https://api.smk.dk/api/v1/art/"
THUMBNAILS = "https://api.smk.dk/api/v1/thumbnail/"
PAGE = 100
"""Works a page; the API gives up to 2,000, with whole biographies."""


class Smk(Museum):
    """SMK. It states no rate; this is what a hasty reader needs."""

    key, name = "smk", "SMK, National Gallery of Denmark"
    records = (API,)
    pictures = ("https://iip.smk.dk/iiif/jp2/", THUMBNAILS)
    rate = (30, 10.0)

    def search(self, text: str, limit: int) -> Iterator[Work]:
        """Yield works in the public domain, as `Museum.search` says."""
        # Its words are a query language; a curator's are not.
        words = " ".join(re.findall(r"[\w'-]+", text)) or "*"
        found = 0
        while found < limit:
            fields = {
                "keys": words,
                "filters": "[has_image:true],[public_domain:true]",
                "offset": found,
                "rows": min(PAGE, limit - found),
                "lang": "en",
            }
            works, total = self.fetcher.read(f"{API}search/", fields, self._read_page)
            yield from works[: limit - found]
            found += len(works)
            if not works or found >= total:
                return

    def get(self, work_id: str) -> Work:
        """Return one work, by its inventory number, such as KMS1."""
        if not re.fullmatch(r"[\w ./-]{1,60}", work_id):
            raise self.not_found(work_id)
        fields = {"object_number": work_id, "lang": "en"}
        works, _ = self.read_work(API, fields, work_id, self._read_page)
        for work in works:
            if work.id.casefold() == work_id.casefold():
                return work
        raise self.not_found(work_id)

    def guess_by_picture(self, address: str) -> Iterator[Work]:
        """Yield the work whose inventory number the file's name holds, as z603r155c_KMS1435.tif."""
        if found := re.match(r"https://iip\.smk\.dk/iiif/jp2/(?:[^/_]+_)?([\w-]+)\.", address):
            for number in dict.fromkeys((found[1], found[1].upper())):
                with suppress(BadInput):
                    yield self.get(number)

    def picture_addresses(self, work: Work, size: int) -> tuple[str, ...]:
        """As large as asked, or as there is; some works have a picture of one size only."""
        if work.picture.startswith(THUMBNAILS):
            return (work.picture,)
        longest = max(work.width, work.height) or size
        size = min(size, longest)
        return (f"{work.picture}/full/!{size},{size}/0/default.jpg",)

    def _read_page(self, answer: Any) -> tuple[list[Work], int]:
        if not isinstance(self.require_dict(answer).get("items"), list):
            raise self.unreadable()
        works = [self._read(record) for record in dicts_of(answer["items"])]
        return works, number_of(answer.get("found"))

    def _read(self, record: dict[str, Any]) -> Work:
        number = text_of(record.get("object_number"))
        if not number:
            raise self.unreadable()
        titles = dicts_of(record.get("titles"))
        english = [t for t in titles if str(t.get("language")).casefold() in ("english", "en")]
        free = record.get("public_domain") is True
        iiif = self.own_picture(record.get("image_iiif_id"))
        thumbnail = self.own_picture(record.get("image_thumbnail"))
        return Work(
            museum=self.key,
            id=number,
            title=text_of(next(iter(english + titles), {}).get("title")),
            artist=_join(record.get("artist")),
            date=text_of(next(iter(dicts_of(record.get("production_date"))), {}).get("period")),
            medium=_join(record.get("techniques")),
            accession_number=number,
            licence=free_licence([record.get("rights")]) if free else "",
            credit_line=_join(record.get("credit_line")),
            page=f"https://open.smk.dk/artwork/image/{quote(number)}",
            picture=iiif if record.get("has_image") is not False and iiif else thumbnail,
            width=number_of(record.get("image_width")),
            height=number_of(record.get("image_height")),
        )


def _join(values: Any) -> str:
    """A list's texts, or one text, in one line."""
    texts = map(text_of, values[:3] if isinstance(values, list) else [values])
    return "; ".join(text for text in texts if text)
