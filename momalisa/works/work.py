"""A work of art as a museum describes it, in one form for all museums."""

import re
from dataclasses import dataclass
from typing import Any

NOT_FREE = "it is not marked as public domain or CC0"
NO_PICTURE = "the museum offers no picture of it"

_STATEMENT = re.compile(r"https?://((?:creativecommons|rightsstatements)\.org/.*?)/?")
_FREE = {
    "creativecommons.org/publicdomain/mark/1.0": "Public domain",
    "creativecommons.org/publicdomain/zero/1.0": "CC0",
}


@dataclass(frozen=True)
class Work:
    """What a museum says of a work; empty where it says nothing."""

    museum: str
    """The museum's key, such as `chicago`."""
    id: str
    """How the museum's interface calls it."""
    title: str
    artist: str
    date: str
    """In the museum's words, such as "about 1906"."""
    medium: str
    accession_number: str
    licence: str
    """`CC0` or `Public domain`; empty for all others."""
    credit_line: str
    page: str
    """The museum's page about it."""
    picture: str
    """An IIIF image's base, or a picture's address; empty without one."""
    small_picture: str = ""
    """A smaller copy's address, where the museum keeps one."""
    width: int = 0
    """Of the largest picture, in pixels; 0 if it is not known."""
    height: int = 0
    is_short: bool = False
    """Whether it came in a list, of a museum whose lists say less than the work's own record."""

    @property
    def withheld(self) -> str:
        """Why it is not offered, as part of a sentence; empty if it is."""
        if not self.licence:
            return NOT_FREE
        return "" if self.picture else NO_PICTURE

    @property
    def caption(self) -> str:
        """Artist, title and date, as on a wall label."""
        parts = (self.artist or "Unknown artist", self.title or "Untitled", self.date)
        return ", ".join(part for part in parts if part)


def free_licence(statements: list[Any]) -> str:
    """`CC0` or `Public domain` if that is all that some rights statements' URLs say; else empty."""
    stated = [found[1] for one in statements if (found := _STATEMENT.fullmatch(str(one)))]
    licences = {_FREE.get(one, "") for one in stated}
    return licences.pop() if len(licences) == 1 else ""
