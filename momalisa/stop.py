"""A stop of a walk: a prompt, a picture, or a frame between two other stops; and its seed."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from momalisa.field_checks import check_text, integer_field, is_visible, number_field, refusal

_DIGEST = re.compile("[0-9a-f]{64}")

SEED_LIMIT = 2**32
ZOOM = (1.0, 16.0)
NESTING = 4
"""How deep a frame of a film may lie between frames of other films."""


def _credit_field(what: str) -> BeforeValidator:
    return BeforeValidator(lambda text: check_text(text, what=f"The credit's {what}"))


def _check_address(address: object) -> str:
    text = check_text(address, what="The credit's address")
    if text and not text.startswith(("https://", "http://")):
        raise refusal("An address in a credit begins with https://.")
    return text


Address = Annotated[str, BeforeValidator(_check_address)]


NO_LICENCE = "No licence is known"
"""Said in a credit line in place of one."""


class Credit(BaseModel):
    """What a wall label says of a work of art; texts of up to 500 characters, empty if unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    artist: Annotated[str, _credit_field("artist")] = ""
    title: Annotated[str, _credit_field("title")] = ""
    year: Annotated[str, _credit_field("year")] = ""
    """In the museum's words, such as "about 1906"."""
    museum: Annotated[str, _credit_field("museum")] = ""
    accession_number: Annotated[str, _credit_field("accession number")] = ""
    """The museum's, such as "1933.1157"."""
    licence: Annotated[str, _credit_field("licence")] = ""
    licence_address: Address = ""
    record_address: Address = ""
    """The museum's page about the work."""

    @property
    def name(self) -> str:
        """Title and artist, as part of a film's title."""
        return f"{self.title or 'Untitled'} ({self.artist or 'unknown artist'})"

    @property
    def line(self) -> str:
        """The credit line: artist, title, year. Museum, accession number. Licence."""
        work = (self.artist, self.title, self.year)
        licence = self.licence or NO_LICENCE
        sentences = (work, (self.museum, self.accession_number), (licence,))
        texts = (", ".join(filter(None, parts)) for parts in sentences)
        return ". ".join(filter(None, texts))


class Crop(BaseModel):
    """The part of a picture that a film shows, whatever the film's shape.

    Its centre is a fraction of the picture's width and height. With a zoom of 1 it is the largest
    part of the film's shape, with 2 half as wide and half as high.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    x: Annotated[float, number_field("The crop's centre", 0.0, 1.0)] = 0.5
    y: Annotated[float, number_field("The crop's centre", 0.0, 1.0)] = 0.5
    zoom: Annotated[float, number_field("The crop's zoom", *ZOOM)] = 1.0

    def box(
        self, picture: tuple[int, int], film: tuple[int, int]
    ) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in the picture's pixels; both sizes are (width, height).

        Where the centre is too near to an edge, the part is moved into the picture.
        """
        scale = min(picture[0] / film[0], picture[1] / film[1]) / self.zoom
        sides = (film[0] * scale, film[1] * scale)
        left, top = (
            min(max(centre * whole - side / 2, 0.0), max(whole - side, 0.0))
            for centre, whole, side in zip((self.x, self.y), picture, sides, strict=True)
        )
        return left, top, left + sides[0], top + sides[1]


def is_digest(text: str) -> bool:
    """Whether a text is the digest of a picture's file: 64 hex digits."""
    return bool(_DIGEST.fullmatch(text))


def _check_digest(digest: object) -> str:
    if not isinstance(digest, str) or not is_digest(digest):
        raise refusal("A picture is named by the 64 hex digits of its file's SHA-256.")
    return digest


class StopImage(BaseModel):
    """A picture as a stop; the file itself is kept by its digest, see `stop_pictures`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: Annotated[str, BeforeValidator(_check_digest)]
    """SHA-256 of the stored file."""
    crop: Crop = Crop()
    credit: Credit | None = None
    """Whose work it is; without effect on the film."""

    @property
    def credit_line(self) -> str:
        """What a wall label says of the picture."""
        return self.credit.line if self.credit else f"An uploaded picture. {NO_LICENCE}"


class Between(BaseModel):
    """A frame of another walk: `t` of the way from one stop to another.

    The frame is that walk's own where both walks have the same model, size, steps and guidance, and
    both weigh words or neither.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: "Stop"
    end: "Stop"
    t: Annotated[float, number_field("A frame's place", 0.0, 1.0)]
    interpolation: Literal["lerp", "slerp"] = "lerp"

    @model_validator(mode="after")
    def _check_ends(self) -> Self:
        if self.start.image or self.end.image:
            raise refusal(
                "A frame of a leg from or to a picture cannot be walked from by its latents. "
                "Please take its picture instead."
            )
        if self.depth > NESTING:
            raise refusal(
                f"A frame can lie between frames of other films up to {NESTING} times. "
                "Please take its picture instead."
            )
        return self

    @property
    def depth(self) -> int:
        """1 for a frame between two prompts, 2 where an end is such a frame, and so on."""
        inner = (stop.between.depth for stop in (self.start, self.end) if stop.between)
        return 1 + max(inner, default=0)


class Stop(BaseModel):
    """A prompt and the seed of its noise; or a picture, which may have a prompt besides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Before the prompt, whose check asks for them; they are written after it.
    image: StopImage | None = None
    between: Between | None = None
    """In place of a prompt and a seed, which have no effect then."""
    prompt: str
    seed: Annotated[int, integer_field("A seed", 0, SEED_LIMIT - 1)] = 7

    @field_validator("prompt", mode="before")
    @classmethod
    def _check_prompt(cls, text: object, info: ValidationInfo) -> str:
        words = check_text(text, what="This prompt")
        # What is stored stays readable: films were made of such prompts.
        is_new = not (info.context or {}).get("stored")
        return _check_prompt("" if is_new and not is_visible(words) else words, info.data)

    @model_validator(mode="before")
    @classmethod
    def _say_prompt(cls, fields: Any) -> Any:
        """Check a prompt that is missing like an empty one, if there is a picture."""
        if isinstance(fields, dict) and (fields.get("image") or fields.get("between")):
            return {"prompt": "", **fields}
        return fields

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.image is not None and self.between is not None:
            raise refusal("A stop is a picture or a film's frame, not both.")
        return self

    @model_serializer(mode="wrap")
    def _write(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not there: stops without a picture are stored as they always were."""
        fields = write(self)
        order = ("prompt", "seed", "image", "between")
        return {name: fields[name] for name in order if fields.get(name) is not None}

    @property
    def content(self) -> dict[str, Any]:
        """All of it that has an effect on a film, for digests: no credit."""
        if self.between is not None:
            ends = {"start": self.between.start.content, "end": self.between.end.content}
            return {"between": {**self.between.model_dump(exclude={"start", "end"}), **ends}}
        image = None if self.image is None else self.image.model_copy(update={"credit": None})
        fields = self.model_copy(update={"image": image}).model_dump()
        if image is not None:
            fields["image"] = image.model_dump(exclude={"credit"})
        return fields

    @property
    def name(self) -> str:
        """How it is called in a film's title."""
        if self.between is not None:
            return f"between {self.between.start.name} and {self.between.end.name}"
        if self.image is None:
            return self.prompt
        return self.image.credit.name if self.image.credit else self.prompt or "a picture"

    @property
    def prompts(self) -> Iterator[str]:
        """Its prompt; of a frame of another walk those of the stops around it."""
        if self.between is None:
            yield self.prompt
            return
        for stop in (self.between.start, self.between.end):
            yield from stop.prompts

    @property
    def credits(self) -> Iterator[Credit]:
        """The credit of its picture, if it has any."""
        if self.image is not None and self.image.credit is not None:
            yield self.image.credit


def _check_prompt(words: str, others: dict[str, Any]) -> str:
    """A prompt; empty only beside a picture, and always for a frame of another walk."""
    if others.get("between") is not None and words:
        raise refusal("A frame of another walk has no prompt of its own. Please clear it.")
    has_picture = any(others.get(name, True) is not None for name in ("image", "between"))
    if not words and not has_picture:
        raise refusal("A stop needs a prompt. Please describe a picture in a few words.")
    return words
