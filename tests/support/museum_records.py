"""What museums answer, in the shapes of their documentation (read 2026-11-26)."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from PIL import Image

FOUND = 1000
"""Works that any search finds."""
LOCKED = 7
"""The number of a work that is not free."""
BARE = 8
"""The number of a work without a picture."""
UNLISTED = 9
"""The number of a work of the Rijksmuseum whose picture only its Linked Art record names."""

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

    def _serve(find: Callable[[str, dict[str, str]], Any]) -> Route:
        def _route(path: str, fields: dict[str, str]) -> Any:
            found = find(path, fields)
            return as_json(found) if found else answer(404, b'{"message":"not found"}')

        return _route

    pictures = ("www.artic.edu", "openaccess-cdn.clevelandart.org", "images.metmuseum.org")
    return {
        **dict.fromkeys((*pictures, "iip.smk.dk", "iiif.micr.io"), _picture),
        "api.artic.edu": _serve(chicago),
        "openaccess-api.clevelandart.org": _serve(cleveland),
        "collectionapi.metmuseum.org": _serve(met),
        "api.smk.dk": _serve(smk),
        "data.rijksmuseum.nl": _serve(rijksmuseum),
    }


def page_of(fields: dict[str, str], words: str, start: str, rows: str) -> tuple[range, int]:
    """The numbers of a page of a search, and how many it finds in all."""
    total = 0 if words == "nothing" else FOUND
    first, limit = int(fields.get(start, 0)), int(fields.get(rows, 10))
    return range(first + 1, min(first + limit, total) + 1), total


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
    total = 0 if fields.get("q") == "nothing" else FOUND
    numbers = range((page - 1) * limit + 1, min(page * limit, total) + 1)
    if image := fields.get("query[term][image_id]"):
        number = int(image.rpartition("-")[2], 16)
        total = int(1 <= number <= FOUND)
        numbers = range(number, number + total)
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


def cleveland(path: str, fields: dict[str, str]) -> dict[str, Any] | None:
    """https://openaccess-api.clevelandart.org/: artworks by search, by id or accession number."""
    one = path.removeprefix("/api/artworks/")
    if one:
        number = int(one.rpartition(".")[2])
        return {"data": cleveland_work(number)} if 1 <= number <= FOUND else None
    numbers, total = page_of(fields, fields["q"], "skip", "limit")
    info = {"total": total, "parameters": fields}
    return {"info": info, "data": [cleveland_work(number) for number in numbers]}


def cleveland_work(number: int) -> dict[str, Any]:
    cdn = f"https://openaccess-cdn.clevelandart.org/1947.{number}/1947.{number}"
    sizes = {"web": ("jpg", 893, 711), "print": ("jpg", 3400, 2707), "full": ("tif", 9000, 7166)}
    images = {
        size: {"url": f"{cdn}_{size}.{ending}", "width": str(width), "height": str(height)}
        for size, (ending, width, height) in sizes.items()
    }
    return {
        "id": number,
        "accession_number": f"1947.{number}",
        "share_license_status": "Copyrighted" if number == LOCKED else "CC0",
        "title": "The Large Plane Trees",
        "creation_date": "1889",
        "creators": [{"id": 1, "description": "Vincent van Gogh (Dutch, 1853–1890)"}],
        "technique": "oil on fabric",
        "url": f"https://clevelandart.org/art/1947.{number}",
        "creditline": "Gift of the Hanna Fund",
        "images": {} if number == BARE else images,
    }


def met(path: str, fields: dict[str, str]) -> dict[str, Any] | None:
    """https://metmuseum.github.io/: search (1.1) and objects (1)."""
    if path.endswith("/v1.1/search"):
        numbers, total = page_of(fields, fields["q"], "offset", "limit")
        return {"total": total, "objectIDs": list(numbers) or None}
    number = int(path.rpartition("/")[2])
    if not 1 <= number <= FOUND:
        return None
    images = "https://images.metmuseum.org/CRDImages/ep"
    has_image = number not in (LOCKED, BARE)
    return {
        "objectID": number,
        "accessionNumber": f"29.100.{number}",
        "isPublicDomain": number != LOCKED,
        "primaryImage": f"{images}/original/DT{number}.jpg" if has_image else "",
        "primaryImageSmall": f"{images}/web-large/DT{number}.jpg" if has_image else "",
        "title": "Bridge over a Pond of Water Lilies",
        "culture": "",
        "artistDisplayName": "Claude Monet",
        "objectDate": "1899",
        "medium": "Oil on canvas",
        "creditLine": "H. O. Havemeyer Collection, 1929",
        "objectURL": f"https://www.metmuseum.org/art/collection/search/{number}",
    }


def smk(path: str, fields: dict[str, str]) -> dict[str, Any] | None:
    """https://api.smk.dk/api/v1/docs/: search, and one object by its number."""
    if path.rstrip("/").endswith("/search"):
        numbers, total = page_of(fields, fields["keys"], "offset", "rows")
        items = [smk_work(number) for number in numbers]
        return {"offset": numbers.start - 1, "rows": len(items), "found": total, "items": items}
    digits = fields["object_number"].upper().removeprefix("KMS")
    number = int(digits) if digits.isdigit() else 0
    return {"items": [smk_work(number)] if 1 <= number <= FOUND else []}


def smk_work(number: int) -> dict[str, Any]:
    iiif = f"https://iip.smk.dk/iiif/jp2/z603r{number}_kms{number}.tif.reconstructed.tif.jp2"
    mark = "https://creativecommons.org/publicdomain/mark/1.0/"
    terms = "https://www.smk.dk/en/section/use-of-smk-material/"
    return {
        "id": f"{number}_object",
        "object_number": f"KMS{number}",
        "titles": [
            {"title": "Titanernes fald", "language": "dansk"},
            {"title": "The Fall of the Titans", "language": "English"},
        ],
        "artist": ["Cornelis van Haarlem"],
        "production_date": [{"start": "1588-01-01", "end": "1590-12-31", "period": "1588-1590"}],
        "techniques": ["Oil on canvas"],
        "public_domain": number != LOCKED,
        "rights": terms if number == LOCKED else mark,
        "has_image": number != BARE,
        "image_iiif_id": None if number == BARE else iiif,
        "image_thumbnail": None if number == BARE else f"{iiif}/full/!1024,/0/default.jpg",
        "image_width": 7174,
        "image_height": 5536,
    }


def rijksmuseum(path: str, fields: dict[str, str]) -> dict[str, Any] | None:
    """https://data.rijksmuseum.nl/docs/: search in Linked Art, and the resolver."""
    if path == "/search/collection":
        return rijksmuseum_page(fields)
    kind, number = int(path[1:]) // 10**6, int(path[1:]) % 10**6
    if not 1 <= number <= FOUND:
        return None
    if fields["_profile"] == "edm-framed":
        return rijksmuseum_aggregation(number)
    return {200: rijksmuseum_object, 202: rijksmuseum_visual, 500: rijksmuseum_digital}[kind](
        number
    )


def rijksmuseum_page(fields: dict[str, str]) -> dict[str, Any]:
    """Each field finds the same works; pages of 100 follow by `next`."""
    if "objectNumber" in fields:
        number = int(fields["objectNumber"].rpartition("-")[2])
        numbers, total, token = range(number, number + 1), 1, 0
    else:
        words = next(v for k, v in fields.items() if k in ("title", "creator", "description"))
        token = int(fields.get("pageToken", 0))
        numbers, total = page_of({"o": str(token), "r": "100"}, words, "o", "r")
    page: dict[str, Any] = {
        "@context": "https://linked.art/ns/v1/search.json",
        "type": "OrderedCollectionPage",
        "partOf": {"type": "OrderedCollection", "totalItems": total},
        "orderedItems": [
            {"id": f"https://id.rijksmuseum.nl/{200 * 10**6 + number}", "type": "HumanMadeObject"}
            for number in numbers
        ],
    }
    if token + 100 < total:
        query = urlencode({**fields, "pageToken": token + 100})
        following = f"https://data.rijksmuseum.nl/search/collection?{query}"
        page["next"] = {"id": following, "type": "OrderedCollectionPage"}
    return page


def rijksmuseum_object(number: int) -> dict[str, Any]:
    aat = "http://vocab.getty.edu/aat/"
    english, dutch = [{"id": f"{aat}300388277"}], [{"id": f"{aat}300388256"}]

    def _said(content: str, kind: str, language: list[dict[str, str]] = english) -> dict[str, Any]:
        return {"content": content, "classified_as": [{"id": aat + kind}], "language": language}

    shown = {"id": f"https://id.rijksmuseum.nl/{202 * 10**6 + number}", "type": "VisualItem"}
    cc0 = "https://creativecommons.org/publicdomain/zero/1.0/"
    return {
        "id": f"https://id.rijksmuseum.nl/{200 * 10**6 + number}",
        "type": "HumanMadeObject",
        "identified_by": [
            {"type": "Identifier", "content": f"SK-A-{number}"},
            {"type": "Name", **_said("Het melkmeisje", "300404670", dutch)},
            {"type": "Name", **_said("The Milkmaid", "300404670")},
        ],
        "produced_by": {
            "type": "Production",
            "part": {
                "carried_out_by": {
                    "id": "https://id.rijksmuseum.nl/2101",
                    "notation": [
                        {"@language": "nl", "@value": "Johannes Vermeer"},
                        {"@language": "en", "@value": "Johannes Vermeer"},
                    ],
                }
            },
            "timespan": {"identified_by": [{"content": "c. 1660", "language": english}]},
        },
        "referred_to_by": [
            _said("oil on canvas", "300435429"),
            _said("Purchased with the support of the Vereniging Rembrandt", "300026687"),
        ],
        # The rights of this record, not of the picture.
        "subject_of": [{"subject_to": [{"classified_as": [{"id": cc0}]}]}],
        "shows": [shown] if number != BARE else [],
    }


def rijksmuseum_aggregation(number: int) -> dict[str, Any]:
    """The same object in the Europeana Data Model, whose texts come in three forms."""
    licence = "licenses/by/4.0" if number == LOCKED else "publicdomain/mark/1.0"
    label = "http://www.w3.org/2004/02/skos/core#prefLabel"
    record = {
        "aggregatedCHO": {
            "id": f"https://id.rijksmuseum.nl/{200 * 10**6 + number}",
            "title": {"nl": "Het melkmeisje", "en": ["The Milkmaid"]},
            "creator": [{label: [{"@language": "nl", "@value": "Johannes Vermeer"}]}],
            "identifier": [f"SK-A-{number}"],
            "created": [{"@language": "nl", "@value": "ca. 1660"}],
            "medium": "olieverf op doek",
        },
        "isShownAt": {"id": f"https://www.rijksmuseum.nl/nl/collectie/SK-A-{number}"},
        "edmRights": f"http://creativecommons.org/{licence}/",
    }
    shown = {"id": f"https://iiif.micr.io/A{number}/full/max/0/default.jpg"}
    return record if number in (BARE, UNLISTED) else {**record, "isShownBy": shown}


def rijksmuseum_visual(number: int) -> dict[str, Any]:
    licence = "licenses/by/4.0" if number == LOCKED else "publicdomain/mark/1.0"
    right = {"type": "Right", "classified_as": [{"id": f"https://creativecommons.org/{licence}/"}]}
    shown = f"https://id.rijksmuseum.nl/{500 * 10**6 + number}"
    return {
        "id": f"https://id.rijksmuseum.nl/{202 * 10**6 + number}",
        "type": "VisualItem",
        "subject_to": [right],
        "digitally_shown_by": [{"id": shown, "type": "DigitalObject"}],
    }


def rijksmuseum_digital(number: int) -> dict[str, Any]:
    point = {
        "id": f"https://iiif.micr.io/A{number}/full/max/0/default.jpg",
        "type": "DigitalObject",
    }
    return {"type": "DigitalObject", "format": "image/jpeg", "access_point": [point]}
