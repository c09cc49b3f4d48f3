"""The pictures among the stops of a request: read from it, then taken in or fetched.

In a request a picture has no digest, as it was not looked at yet: it comes along as `data`,
in base64, or is a museum's `work`.
"""

import base64
import hashlib
from binascii import Error as NotBase64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from momalisa.errors import BadInput
from momalisa.spec import STOPS, WalkSpec
from momalisa.stop_pictures import take_in_bytes
from momalisa.works.named_picture import FoundPicture, find_named, is_named

MOST = STOPS[1]
"""Pictures in one request."""
LONGEST_NAME = 2000
"""Characters of a work's id or of an address."""
FIELDS = {"data", "work", "crop", "credit"}


class Source(NamedTuple):
    """Where the picture of a stop comes from."""

    where: str
    """Its place in the request, such as "instances.0.stops.1.image"."""
    data: bytes
    """A picture's file; empty for a museum's work."""
    work: str
    """A museum's work, such as "cleveland:1958.31", or the address of its picture."""

    @property
    def digest(self) -> str:
        """64 hex digits that stand for the picture until it is at hand."""
        return hashlib.sha256(self.data or self.work.encode("utf-8", "replace")).hexdigest()


def read_sources(stops: Any, where: str) -> tuple[Any, dict[str, Source]]:
    """A walk's stops with digests in place of pictures, and by these where the pictures come from.

    Raises BadInput with a message that starts with the field.
    """
    if not isinstance(stops, list):
        return stops, {}
    named, sources = [], {}
    for number, stop in enumerate(stops):
        if isinstance(stop, dict) and stop.get("between", stop) is None:
            raise BadInput(f"{where}.stops.{number}.between must be a JSON object.")
        if isinstance(stop, dict) and "image" in stop:
            source = _read_source(stop["image"], f"{where}.stops.{number}.image")
            fields = {n: v for n, v in stop["image"].items() if n in ("crop", "credit")}
            stop = {**stop, "image": fields | {"digest": source.digest}}
            sources[source.digest] = source
        named.append(stop)
    return named, sources


def _read_source(image: Any, where: str) -> Source:
    if not isinstance(image, dict) or image.get("credit", image) is None:
        raise BadInput(f"{where} must be a JSON object.")
    if unknown := set(image) - FIELDS:
        raise BadInput(f"{where} has no setting named “{min(unknown)[:40]}”.")
    given = {name: image[name] for name in ("data", "work") if name in image}
    if len(given) != 1 or not all(isinstance(text, str) and text for text in given.values()):
        raise BadInput(
            f"{where}: a picture is either “data”, a JPEG, PNG or WebP in base64, "
            "or “work”, such as cleveland:1958.31 or the address of a museum's IIIF image."
        )
    if len(given.get("work", "")) > LONGEST_NAME:
        raise BadInput(f"{where}.work has more than {LONGEST_NAME} characters.")
    try:
        data = base64.b64decode(given.get("data", ""), validate=True)
    except (NotBase64, ValueError):
        raise BadInput(f"{where}.data is not base64.") from None
    return Source(where, data, given.get("work", ""))


def take_in(sources: Mapping[str, Source], home: Path) -> dict[str, FoundPicture]:
    """Check what came along, and fetch museums' works; pictures by their source's digest.

    Raises BadInput with a message that starts with the field, or ServiceError.
    """
    found = {}
    for digest, source in sources.items():
        try:
            found[digest] = _take_in(source, home)
        except BadInput as error:
            raise BadInput(f"{source.where}: {error}") from None
    return found


def _take_in(source: Source, home: Path) -> FoundPicture:
    if source.data:
        return FoundPicture(take_in_bytes(source.data))
    if not is_named(source.work, home):
        raise BadInput(
            "It is no work of a museum that is asked here, such as cleveland:1958.31, "
            "nor the address of its picture."
        )
    return find_named(source.work, home)


def name_pictures(spec: WalkSpec, found: Mapping[str, FoundPicture]) -> WalkSpec:
    """The walk with its pictures' own digests, and with the credits of museums' records."""
    stops = []
    for stop in spec.stops:
        if stop.image is not None:
            picture, credit = found[stop.image.digest]
            recorded = credit if credit and credit.record_address else None
            credit = recorded or stop.image.credit or credit
            changes = {"digest": picture.digest, "credit": credit}
            stop = stop.model_copy(update={"image": stop.image.model_copy(update=changes)})
        stops.append(stop)
    return spec.model_copy(update={"stops": tuple(stops)})
