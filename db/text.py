"""Texts of rows: ids, words for searching, keys for sorting, clean lines for titles and tags."""

import re
import secrets
import unicodedata
from collections.abc import Iterable
from typing import Any

# Chinese and Japanese are written without spaces: each character counts as a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]{1,64}")
_MAX_LENGTH = 20_000
SEARCHED_OF_WORKS = ("artist", "title", "year", "museum", "accession_number")
"""The fields of a work's credit that one may search for."""
# Lower case only: ids name folders, and some file systems ignore case.
_ID_CHARACTERS = "23456789abcdefghijkmnpqrstuvwxyz"


def normalize_words(texts: Iterable[str]) -> str:
    """Return the words of the texts as full-text search compares them, separated by spaces.

    Case, accents and punctuation are removed. Each Chinese or Japanese character is a word, and a
    word of more than 64 characters is split. Only the first 20,000 characters count.
    """
    decomposed = unicodedata.normalize("NFKD", " ".join(texts)[:_MAX_LENGTH].casefold())
    unaccented = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(_WORD.findall(unicodedata.normalize("NFC", unaccented)))


def spec_texts(spec: dict[str, Any]) -> list[str]:
    """Return the texts of a stored spec that one may search for: prompts, and works of art."""
    stops = spec.get("stops", [])
    credits = [(stop.get("image") or {}).get("credit") or {} for stop in stops]
    works = [credit[name] for credit in credits for name in SEARCHED_OF_WORKS if name in credit]
    return [str(text) for text in (*(stop["prompt"] for stop in stops), *works)]


def clean_line(text: str, max_length: int) -> str:
    """Collapse white space, remove unprintable characters and cut to `max_length` characters."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:max_length].strip()


def accession_to_int(accession: str) -> int:
    """Convert an accession number to an integer of the same order.

    "ML.2026.0042" becomes 2026 000 000 042.
    """
    _, year, last = accession.split(".")
    return int(year) * 10**9 + int(last)


def generate_id() -> str:
    """Return a random id of 16 characters (80 bits), safe in URLs and as a folder name."""
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(16))
