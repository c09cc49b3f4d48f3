"""What museums answer, in the shapes of their documentation (read 2026-11-26)."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image

FOUND = 1000
"""Works that any search finds."""
LOCKED = 7
"""The number of a work that is not free."""
BARE = 8
"""The number of a work without a picture."""

Route = Callable[[str, dict[str, str]], Any]


@cache
def picture(width: int, height: int) -> bytes:
    """A JPEG with EXIF data."""
    file = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a secret description"
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(file, "JPEG", exif=exif)
    return file.getvalue()


def answers(as_json: Callable[[object], Any], answer: Callable[..., Any]) -> dict[str, Route]:
    """Every host's answers, by host name."""

    def _picture(path: str, fields: dict[str, str]) -> Any:
        return answer(body=picture(400, 300), headers={"Content-Type": "image/jpeg"})

    def _chicago(path: str, fields: dict[str, str]) -> Any:
        found = chicago(path, fields)
        return as_json(found) if found else answer(404, b'{"status":404}')

    return {"api.artic.edu": _chicago, "www.artic.edu": _picture}


def chicago(path: str, fields: dict[str, str]) -> dict[str, Any] | None:
    """https://api.artic.edu/docs/: search and detail."""
    info = {
        "license_text": "The `description` field in this response is licensed under CC-By.",
        "license_links": ["https://creativecommons.org/publicdomain/zero/1.0/"],
        "version": "1.13",
    }
    config = {"iiif_url": "https://www.artic.edu/iiif/2", "website_url": "https://www.artic.edu"}
    if path != "/api/v1/artworks/search":
        number = int(path.rpartition("/")[2])
        if not 1 <= number <= FOUND:
            return None
        return {"data": chicago_work(number), "info": info, "config": config}
    limit, page = min(int(fields.get("limit", 12)), 100), int(fields.get("page", 1))
    total = 0 if fields["q"] == "nothing" else FOUND
    numbers = range((page - 1) * limit + 1, min(page * limit, total) + 1)
    return {
        "preference": None,
        "pagination": {
            "total": total,
            "limit": limit,
            "offset": (page - 1) * limit,
            "total_pages": -(-total // limit),
            "current_page": page,
        },
        "data": [chicago_work(number) for number in numbers],
        "info": info,
        "config": config,
    }


def chicago_work(number: int) -> dict[str, Any]:
    return {
        "_score": 100.0,
        "id": number,
        "title": "Water Lilies",
        "thumbnail": {"width": 8808, "height": 8460, "alt_text": "Painting of a pond…"},
        "main_reference_number": f"1933.{number}",
        "date_display": "1906",
        "artist_display": "Claude Monet (French, 1840–1926)",
        "artist_title": "Claude Monet",
        "medium_display": "Oil on canvas",
        "credit_line": "Mr. and Mrs. Martin A. Ryerson Collection",
        "is_public_domain": number != LOCKED,
        "image_id": None if number == BARE else f"3c27b499-af56-f0d5-93b5-{number:012x}",
    }
