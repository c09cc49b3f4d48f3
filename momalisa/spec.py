"""A walk as one value: everything needed to render it again exactly."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from momalisa.errors import BadInput
from momalisa.pacing import PACINGS, PacingName, spread

Interpolation = Literal["lerp", "slerp", "attention", "predictions"]
Loop = Literal["once", "boomerang", "closed"]
Mode = Literal["exact", "fast"]
Shortcut = Literal["solver", "interval", "trunk", "glide"]
SHORTCUTS: tuple[Shortcut, ...] = get_args(Shortcut)
"""Approximations of fast mode; momalisa/engine/shortcuts.py implements them."""
LEFT_OUT: tuple[Shortcut, ...] = ("trunk", "glide")
"""Shortcuts that new walks leave out: "trunk" costs more than it saves, "glide" shows two pictures
through each other."""

PROMPT_LENGTH = 500
SEED_LIMIT = 2**32
STOPS = (2, 12)
FRAMES = (2, 240)
STEPS = (1, 100)
GUIDANCE = (0.0, 30.0)
SIZE = (64, 1024)
FPS = (1, 50)

_TAG = re.compile(r"<\s*[/!a-zA-Z]")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _error(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("walk", "{sentence}", {"sentence": sentence})


def _check_text(text: object, *, what: str) -> str:
    """Normalise white space; reject other types, control characters, markup and long texts."""
    if not isinstance(text, str):
        raise _error(f"{what} must be text.")
    if len(text) > PROMPT_LENGTH:
        raise _error(
            f"{what} has {len(text):,} characters; the model reads the first few dozen words. "
            f"Please keep it to {PROMPT_LENGTH}."
        )
    words = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI for c in words):
        raise _error(f"{what} holds invisible control characters. Please type it anew.")
    if _TAG.search(words):
        raise _error(f"{what} holds code such as <script>. Please describe a picture in words.")
    return words


def _check_prompt(text: object) -> str:
    words = _check_text(text, what="This prompt")
    if not words:
        raise _error("A stop needs a prompt. Please describe a picture in a few words.")
    return words


def _check_integer(value: object, *, what: str, low: int, high: int) -> int:
    """Convert to an integer; reject anything else than one from `low` to `high`."""
    sentence = f"{what} must be a whole number from {low:,} to {high:,}."
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _error(sentence)
    try:
        number = int(value)
    except (ValueError, OverflowError):
        raise _error(sentence) from None
    if not isinstance(value, str) and number != value:
        raise _error(sentence)
    if not low <= number <= high:
        raise _error(f"{sentence[:-1]}, not {_format_number(number)}.")
    return number


def _format_number(number: int) -> str:
    digits = len(str(abs(number)))
    return f"{number:,}" if digits <= 12 else f"a number of {digits} digits"


def _check_number(value: object, *, what: str, low: float, high: float) -> float:
    """Convert to a float; reject anything else than a number from `low` to `high`."""
    try:
        number = float("nan") if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not low <= number <= high:
        raise _error(f"{what} must be a number from {low:g} to {high:g}.")
    return number


def _check_size(value: object) -> int:
    pixels = _check_integer(value, what="The size", low=SIZE[0], high=SIZE[1])
    if pixels % 64:
        raise _error(f"The size must be a multiple of 64 pixels, such as {pixels // 64 * 64}.")
    return pixels


def _check_model(value: object) -> str:
    words = _check_text(value, what="The model's name")
    if not words:
        raise _error("A walk needs a model. Leave the setting away for the one that ships here.")
    return words


def _integer_field(what: str, low: int, high: int) -> BeforeValidator:
    return BeforeValidator(lambda value: _check_integer(value, what=what, low=low, high=high))


def _number_field(what: str, low: float, high: float) -> BeforeValidator:
    return BeforeValidator(lambda value: _check_number(value, what=what, low=low, high=high))


def _check_stop_count(stops: tuple["Stop", ...]) -> tuple["Stop", ...]:
    if not STOPS[0] <= len(stops) <= STOPS[1]:
        raise _error(f"A walk has {STOPS[0]} to {STOPS[1]} stops, not {len(stops)}.")
    return stops


class Stop(BaseModel):
    """A prompt and the seed of its noise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Annotated[str, BeforeValidator(_check_prompt)]
    seed: Annotated[int, _integer_field("A seed", 0, SEED_LIMIT - 1)] = 7


@dataclass(frozen=True)
class Place:
    """A point of a walk: `t` in [0, 1) on the leg of index `leg`, or the walk's end with t = 1."""

    leg: int
    t: float


class WalkSpec(BaseModel):
    """A walk through latent space between two or more stops, and how to film it.

    Raises pydantic's ValidationError; `explain` turns it into sentences by field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stops: Annotated[tuple[Stop, ...], AfterValidator(_check_stop_count)]
    frames: Annotated[int, _integer_field("Frames a leg", *FRAMES)] = 24
    pacing: PacingName = "linear"
    strength: Annotated[float, _number_field("The pacing's strength", 0.0, 1.0)] = 0.8
    interpolation: Interpolation = "lerp"
    negative: Annotated[
        str, BeforeValidator(lambda text: _check_text(text, what="The negative prompt"))
    ] = ""
    steps: Annotated[int, _integer_field("Steps", *STEPS)] = 16
    guidance: Annotated[float, _number_field("Guidance", *GUIDANCE)] = 4.0
    size: Annotated[int, BeforeValidator(_check_size)] = 256
    model: Annotated[str, BeforeValidator(_check_model)] = "atelier"
    fps: Annotated[int, _integer_field("Frames per second", *FPS)] = 10
    loop: Loop = "once"
    mode: Mode = "fast"
    without: tuple[Shortcut, ...] = ("trunk",)
    """Shortcuts that fast mode leaves out. A spec that does not say means this; the default of a
    new walk is that of its model's card, as for the steps, the guidance and the size."""

    @model_validator(mode="after")
    def _check_neighbours(self) -> Self:
        """Reject neighbouring stops of the same prompt, between which nothing would change."""
        for number, (here, there) in enumerate(self.legs, start=1):
            if here.prompt.casefold() != there.prompt.casefold():
                continue
            if number == len(self.stops):
                raise _error(
                    "A closed walk returns to its first prompt by itself. "
                    "Please leave it off the end."
                )
            raise _error(
                f"Prompts {number} and {number + 1} are the same, so nothing would change. "
                "Please change one of them."
            )
        return self

    @classmethod
    def from_stored(cls, fields: object) -> Self:
        """Validate a spec from the database, a record or a film; older ones have no mode: exact.

        Raises ValidationError.
        """
        if isinstance(fields, dict) and "mode" not in fields:
            fields = {"mode": "exact", "without": [], **fields}
        return cls.model_validate(fields)

    @property
    def legs(self) -> tuple[tuple[Stop, Stop], ...]:
        """The pairs of neighbouring stops; a closed walk has one more, back to the first stop."""
        ends = self.stops + self.stops[:1] if self.loop == "closed" else self.stops
        return tuple(pairwise(ends))

    @property
    def shortcuts(self) -> frozenset[Shortcut]:
        """The approximations in use; empty in exact mode."""
        taken = frozenset(SHORTCUTS if self.mode == "fast" else ())
        idle = () if self.guided else ("interval",)
        return taken.difference(self.without, idle)

    @property
    def guided(self) -> bool:
        """Whether each step needs a second, negative sample (guidance above 1)."""
        return self.guidance > 1.0

    def places(self) -> tuple[Place, ...]:
        """The places of the distinct frames in walking order; inner stops count once."""
        spread_of_leg = [float(t) for t in spread(self.pacing, self.frames, self.strength)]
        places = [Place(leg, t) for leg in range(len(self.legs)) for t in spread_of_leg[:-1]]
        if self.loop != "closed":
            places.append(Place(len(self.legs) - 1, 1.0))
        return tuple(places)

    def film_order(self) -> tuple[int, ...]:
        """The indices into `places` that a film shows in one cycle."""
        forth = range(len(self.places()))
        back = forth[-2:0:-1] if self.loop == "boomerang" else ()
        return (*forth, *back)

    def digest(self) -> str:
        """SHA-256 (64 hex digits) of all that affects the film.

        Values without effect are left out: the strength of linear pacing, and without guidance
        its value and the negative prompt.
        """
        content = self.model_dump(mode="json", exclude={"mode", "without"})
        content["shortcuts"] = sorted(self.shortcuts)
        if self.pacing == "even":
            content.update(strength=0.0)
        elif self.pacing == "linear" or self.strength == 0.0:
            content.update(pacing="linear", strength=0.0)
        if not self.guided:
            content.update(guidance=1.0, negative="")
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def title(self) -> str:
        """The wall label's first line: "A → B"."""
        return " → ".join(stop.prompt for stop in self.stops)


def pair_with_seeds(prompts: Sequence[str], seeds: Sequence[str]) -> list[dict[str, str]]:
    """Return the fields of stops from prompts and seeds: one per prompt, one for all, or none.

    Without seeds all stops have the default one. Raises BadInput for any other number of seeds.
    """
    seeds = seeds or [str(Stop.model_fields["seed"].default)]
    if len(seeds) == 1:
        seeds = [*seeds] * len(prompts)
    if len(seeds) != len(prompts):
        raise BadInput(f"There are {len(prompts)} prompts but {len(seeds)} seeds.")
    return [{"prompt": p, "seed": s} for p, s in zip(prompts, seeds, strict=True)]


def explain(error: ValidationError) -> dict[str, str]:
    """Return a failed validation's sentences by field, such as `stops.0.prompt` or `frames`."""
    return {_field(problem["loc"]): _sentence(problem) for problem in error.errors()}


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "stops"


def _sentence(problem: Any) -> str:
    name = str(problem["loc"][-1]) if problem["loc"] else "walk"
    match problem["type"]:
        case "walk":
            return str(problem["msg"])
        case "literal_error":
            return f"{name.capitalize()} must be one of {problem['ctx']['expected']}."
        case "extra_forbidden":
            return f"A walk has no setting named “{name[:40]}”."
        case "missing":
            return f"The walk lacks its {name}."
        case _:
            return f"{name.capitalize()}: {problem['msg']}."


__all__ = [
    "PACINGS",
    "Interpolation",
    "Loop",
    "Place",
    "Stop",
    "WalkSpec",
    "explain",
    "pair_with_seeds",
]
