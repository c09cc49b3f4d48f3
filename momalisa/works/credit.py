"""What a wall label says of a museum's work, and a prompt that describes it."""

import re
import unicodedata

from pydantic import ValidationError

from momalisa.field_checks import TEXT_LENGTH
from momalisa.stop import Credit
from momalisa.works.work import Work

LICENCES = {
    "CC0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "Public domain": "https://creativecommons.org/publicdomain/mark/1.0/",
}
"""Where a licence's text is, by its name in `Work.licence`."""
_MARKS = re.compile(r"[<>\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def credit_work(work: Work, museum: str) -> Credit:
    """The credit of a work; `museum` is the museum's name, such as `Museum.name`."""
    fields = {
        "artist": work.artist,
        "title": work.title,
        "year": work.date,
        "museum": museum,
        "accession_number": work.accession_number,
        "licence": work.licence,
        "licence_address": LICENCES.get(work.licence, ""),
        "record_address": work.page,
    }
    clean = {name: clean_text(text) for name, text in fields.items()}
    try:
        return Credit(**clean)
    except ValidationError:  # an address of another kind
        return Credit(**clean | {"record_address": "", "licence_address": ""})


def suggest_prompt(work: Work) -> str:
    """Describe a work for a model, from its title, artist, date and medium; may be empty."""
    by = f"by {work.artist}" if work.artist else ""
    first = " ".join(part for part in (work.title, by) if part)
    return clean_text(", ".join(part for part in (first, work.date, work.medium.lower()) if part))


def clean_text(text: str) -> str:
    """A text without control characters and markup, as long as a credit may be."""
    words = " ".join(unicodedata.normalize("NFC", _MARKS.sub(" ", text)).split())
    return words if len(words) <= TEXT_LENGTH else words[: TEXT_LENGTH - 1] + "…"
