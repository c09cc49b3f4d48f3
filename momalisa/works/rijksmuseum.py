"""The Rijksmuseum's data services, in Linked Art: https://data.rijksmuseum.nl/docs/.

A search finds identifiers. Each leads to an object, which leads to what it shows (and its rights),
which leads to a digital object (and its picture). Lists take one request a work instead: the same
identifier leads to a short record in the Europeana Data Model, mostly with rights and picture.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice, zip_longest
from typing import Any

from momalisa.works.fetching import NotThere, Unreadable
from momalisa.works.fields import dict_of, dicts_of, text_of
from momalisa.works.museum import Museum
from momalisa.works.work import Work, free_licence

DATA = "https://data.rijksmuseum.nl"
SEARCH = f"{DATA}/search/collection"
SEARCHED = ("title", "creator", "description")
"""There is no search of all fields; these are searched one by one."""
MOST_PAGES = 100
AAT = "http://vocab.getty.edu/aat/"
"""The Art & Architecture Thesaurus, whose numbers say what a statement is."""
ENGLISH, PREFERRED, ATTRIBUTION = f"{AAT}300388277", f"{AAT}300404670", f"{AAT}300435416"
MATERIALS, CREDIT_LINE = f"{AAT}300435429", f"{AAT}300026687"
WHOLE, SHORT = "la-framed", "edm-framed"
"""Profiles of a record: in Linked Art, and in the Europeana Data Model."""
LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"

log = logging.getLogger(__name__)


class Rijksmuseum(Museum):
    """The Rijksmuseum. It states no rate; a work takes three requests, in a list mostly one."""

    key, name = "rijksmuseum", "Rijksmuseum"
    records = (f"{DATA}/",)
    pictures = ("https://iiif.micr.io/",)
    rate = (60, 3.0)

    def search(self, text: str, limit: int) -> Iterator[Work]:
        """Yield works with pictures, as `Museum.search` says, titles and makers in turn."""
        streams = [self._search({field: text, "imageAvailable": "true"}) for field in SEARCHED]
        turns = chain.from_iterable(zip_longest(*streams))
        numbers = list(islice(_each_once(turns), limit))
        yield from (work for work in self.each(self._list, numbers) if work is not None)

    def get(self, work_id: str) -> Work:
        """Return one work, by its identifier's number or its object number, such as SK-C-5."""
        if not re.fullmatch(r"[0-9]{1,15}", work_id):
            if not re.fullmatch(r"[A-Za-z][\w.()-]{1,60}", work_id):
                raise self.not_found(work_id)
            found = next(self._search({"objectNumber": work_id}), None)
            if found is None:
                raise self.not_found(work_id)
            return self._find(found)
        try:
            return self._find(work_id)
        except NotThere:
            raise self.not_found(work_id) from None

    def picture_addresses(self, work: Work, size: int) -> tuple[str, ...]:
        """As wide as asked."""
        return (f"{work.picture}/full/{size},/0/default.jpg",)

    def _search(self, fields: dict[str, str]) -> Iterator[str]:
        """The numbers of what a search finds, page by page as one is asked for."""
        address, query = SEARCH, fields
        for _ in range(MOST_PAGES):
            numbers, following = self.fetcher.read(address, query, self._read_page)
            yield from numbers
            if not following:
                return
            address, query = following, {}

    def _read_page(self, answer: Any) -> tuple[list[str], str]:
        if not isinstance(self.require_dict(answer).get("orderedItems"), list):
            raise self.unreadable()
        numbers = [number_in(item) for item in dicts_of(answer["orderedItems"])]
        following = dict_of(answer.get("next")).get("id")
        return [n for n in numbers if n], following if isinstance(following, str) else ""

    def _record(self, number: str, profile: str = WHOLE) -> dict[str, Any]:
        fields = {"_profile": profile, "_mediatype": "application/ld+json"}
        return self.fetcher.read(f"{DATA}/{number}", fields, self.require_dict)

    def _list(self, number: str) -> Work | None:
        """A work by its short record, or by the others where that lacks its rights or picture.

        None if its record was withdrawn meanwhile.
        """
        try:
            record = self._record(number, SHORT)
            picture = self._picture(dicts_of(record.get("isShownBy")))
            work = read_short_work(self.key, number, record, picture)
            if work.title and picture and record.get("edmRights"):
                return work
        except (NotThere, Unreadable) as error:
            log.info("another record is asked instead: %s", error)
        try:
            return self._find(number)
        except NotThere:
            return None

    def _find(self, number: str) -> Work:
        record = self._record(number)
        licence = picture = ""
        shown = next(filter(None, map(number_in, dicts_of(record.get("shows")))), "")
        if shown:
            visual = self._record(shown)
            # The rights of the picture are here; those in the object are its record's.
            licence = licence_of(visual)
            links = dicts_of(visual.get("digitally_shown_by"))
            digital = next(filter(None, map(number_in, links)), "")
            if digital and licence:
                record_of_picture = self._record(digital)
                picture = self._picture(dicts_of(record_of_picture.get("access_point")))
        return read_work(self.key, number, record, licence, picture)

    def _picture(self, links: list[dict[str, Any]]) -> str:
        for point in links:
            address = self.own_picture(point.get("id"))
            found = re.match(r"https://iiif\.micr\.io/[A-Za-z0-9]{2,32}(?=/|$)", address)
            if found:
                return found[0]
        return ""


def read_work(museum: str, number: str, record: dict[str, Any], licence: str, picture: str) -> Work:
    """A work by the record of its object, and what its picture's records said."""
    production = dict_of(next(iter(dicts_of(record.get("produced_by"))), {}))
    statements = dicts_of(record.get("referred_to_by"))
    names = [n for n in dicts_of(record.get("identified_by")) if n.get("type") == "Name"]
    numbers = [n for n in dicts_of(record.get("identified_by")) if n.get("type") == "Identifier"]
    return Work(
        museum=museum,
        id=number,
        title=best_text(names, PREFERRED) or best_text(names),
        artist=_makers(production),
        date=best_text(dicts_of(dict_of(production.get("timespan")).get("identified_by"))),
        medium=best_text(statements, MATERIALS, only=True),
        accession_number=text_of(next(iter(numbers), {}).get("content")),
        licence=licence,
        credit_line=best_text(statements, CREDIT_LINE, only=True),
        page=f"https://id.rijksmuseum.nl/{number}",
        picture=picture,
    )


def read_short_work(museum: str, number: str, record: dict[str, Any], picture: str) -> Work:
    """A work by its record in the Europeana Data Model, in English as far as it is."""
    thing = dict_of(record.get("aggregatedCHO"))
    makers = [text_in(one.get(LABEL)) for one in dicts_of(thing.get("creator"))]
    return Work(
        museum=museum,
        id=number,
        title=text_in(thing.get("title")),
        artist="; ".join(list(filter(None, makers))[:3]),
        date=text_in(thing.get("created")),
        medium=text_in(thing.get("medium")),
        accession_number=text_in(thing.get("identifier")),
        licence=free_licence(_addresses(record.get("edmRights"))),
        credit_line="",
        page=f"https://id.rijksmuseum.nl/{number}",
        picture=picture,
        is_short=True,
    )


def text_in(value: Any) -> str:
    """A text as JSON-LD may write it: by itself, with its language, by language, or in a list."""
    texts = list(_texts(value))
    english = [text for language, text in texts if language == "en"]
    return next(filter(None, [*english, *(text for _, text in texts)]), "")


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """The texts of such a value with their languages, which may be unknown."""
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict):
            yield "", text_of(one)
        elif "@value" in one:
            yield str(one.get("@language")), text_of(one["@value"])
        else:
            for language, some in one.items():
                texts = some if isinstance(some, list) else [some]
                yield from ((language, text_of(text)) for text in texts)


def _addresses(value: Any) -> list[Any]:
    """The addresses in a statement, which may be one, a link, or a list of either."""
    values = value if isinstance(value, list) else [value]
    return [one.get("id") if isinstance(one, dict) else one for one in values]


def _each_once(numbers: Iterable[str | None]) -> Iterator[str]:
    """Those that are numbers, each the first time, without a look at those that follow."""
    seen: set[str] = set()
    for number in numbers:
        if number and number not in seen:
            seen.add(number)
            yield number


def number_in(link: dict[str, Any]) -> str:
    """The number of a Rijksmuseum identifier; empty for any other address."""
    found = re.fullmatch(r"https://id\.rijksmuseum\.nl/([0-9]{1,15})", str(link.get("id")))
    return found[1] if found else ""


def licence_of(visual: dict[str, Any]) -> str:
    """`CC0` or `Public domain` if that is all that the rights of a picture say; else empty."""
    rights = dicts_of(visual.get("subject_to"))
    kinds = [kind for right in rights for kind in dicts_of(right.get("classified_as"))]
    return free_licence([kind.get("id") for kind in kinds])


def best_text(statements: list[dict[str, Any]], kind: str = "", *, only: bool = False) -> str:
    """The English statement of a kind, else one in any language, else (unless `only`) any."""

    def _has(statement: dict[str, Any], field: str, wanted: str) -> bool:
        return any(one.get("id") == wanted for one in dicts_of(statement.get(field)))

    of_kind = [s for s in statements if not kind or _has(s, "classified_as", kind)]
    if not of_kind and not only:
        of_kind = statements
    english = [s for s in of_kind if _has(s, "language", ENGLISH)]
    contents = [s.get("content") for s in english + of_kind]
    # Few records have a list of texts.
    texts = [text_of(c[0] if isinstance(c, list) and c else c) for c in contents]
    return next(filter(None, texts), "")


def _makers(production: dict[str, Any]) -> str:
    """The makers' names, or the museum's statement of them."""
    names: dict[str, None] = {}
    for part in [production, *dicts_of(production.get("part"))]:
        for actor in dicts_of(part.get("carried_out_by")):
            notations = dicts_of(actor.get("notation"))
            english = [n for n in notations if n.get("@language") == "en"]
            values = [n.get("@value") for n in english + notations]
            name = next(filter(None, map(text_of, [*values, actor.get("_label")])), "")
            names.setdefault(name)
    stated = best_text(dicts_of(production.get("referred_to_by")), ATTRIBUTION)
    return "; ".join(filter(None, list(names)[:3])) or stated
