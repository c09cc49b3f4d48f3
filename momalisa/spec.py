"""A walk as one value: everything needed to repeat it exactly."""

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

Interpolation = Literal["lerp", "slerp"]
Loop = Literal["once", "boomerang", "closed"]
Mode = Literal["exact", "fast"]
Shortcut = Literal["solver", "interval", "trunk", "glide"]
SHORTCUTS: tuple[Shortcut, ...] = get_args(Shortcut)
"""What fast mode does to save work; momalisa/engine/shortcuts.py says how each is done."""

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


def _wrong(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("walk", "{sentence}", {"sentence": sentence})


def _words(text: object, *, what: str) -> str:
    """Plain words: white space folded, nothing hidden or executable, of a bearable length."""
    if not isinstance(text, str):
        raise _wrong(f"{what} must be text.")
    if len(text) > PROMPT_LENGTH:
        raise _wrong(
            f"{what} has {len(text):,} characters; the model reads the first few dozen words. "
            f"Please keep it to {PROMPT_LENGTH}."
        )
    words = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI for c in words):
        raise _wrong(f"{what} holds invisible control characters. Please type it anew.")
    if _TAG.search(words):
        raise _wrong(f"{what} holds code such as <script>. Please describe a picture in words.")
    return words


def _prompt(text: object) -> str:
    words = _words(text, what="This prompt")
    if not words:
        raise _wrong("A stop needs a prompt. Please describe a picture in a few words.")
    return words


def _whole(value: object, *, what: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`, or a sentence that says so."""
    sentence = f"{what} must be a whole number from {low:,} to {high:,}."
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong(sentence)
    try:
        number = int(value)
    except (ValueError, OverflowError):
        raise _wrong(sentence) from None
    if not isinstance(value, str) and number != value:
        raise _wrong(sentence)
    if not low <= number <= high:
        raise _wrong(f"{sentence[:-1]}, not {_shown(number)}.")
    return number


def _shown(number: int) -> str:
    digits = len(str(abs(number)))
    return f"{number:,}" if digits <= 12 else f"a number of {digits} digits"


def _real(value: object, *, what: str, low: float, high: float) -> float:
    """A number from `low` to `high`, or a sentence that says so."""
    try:
        number = float("nan") if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not low <= number <= high:
        raise _wrong(f"{what} must be a number from {low:g} to {high:g}.")
    return number


def _size(value: object) -> int:
    pixels = _whole(value, what="The size", low=SIZE[0], high=SIZE[1])
    if pixels % 64:
        raise _wrong(f"The size must be a multiple of 64 pixels, such as {pixels // 64 * 64}.")
    return pixels


def _model(value: object) -> str:
    words = _words(value, what="The model's name")
    if not words:
        raise _wrong("A walk needs a model. Leave the setting away for the one that ships here.")
    return words


def _whole_field(what: str, low: int, high: int) -> BeforeValidator:
    return BeforeValidator(lambda value: _whole(value, what=what, low=low, high=high))


def _real_field(what: str, low: float, high: float) -> BeforeValidator:
    return BeforeValidator(lambda value: _real(value, what=what, low=low, high=high))


def _enough(stops: tuple["Stop", ...]) -> tuple["Stop", ...]:
    if not STOPS[0] <= len(stops) <= STOPS[1]:
        raise _wrong(f"A walk has {STOPS[0]} to {STOPS[1]} stops, not {len(stops)}.")
    return stops


class Stop(BaseModel):
    """A prompt and the seed of its noise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Annotated[str, BeforeValidator(_prompt)]
    seed: Annotated[int, _whole_field("A seed", 0, SEED_LIMIT - 1)] = 7


@dataclass(frozen=True)
class Place:
    """A point of a walk: `t` in [0, 1) on leg number `leg`, or its very end with t = 1."""

    leg: int
    t: float


class WalkSpec(BaseModel):
    """A journey through latent space, two stops or more, and how to film it.

    Raises pydantic's ValidationError; `explain` turns it into sentences by field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stops: Annotated[tuple[Stop, ...], AfterValidator(_enough)]
    frames: Annotated[int, _whole_field("Frames a leg", *FRAMES)] = 24
    pacing: PacingName = "linear"
    strength: Annotated[float, _real_field("The pacing's strength", 0.0, 1.0)] = 0.8
    interpolation: Interpolation = "lerp"
    negative: Annotated[
        str, BeforeValidator(lambda text: _words(text, what="The negative prompt"))
    ] = ""
    steps: Annotated[int, _whole_field("Steps", *STEPS)] = 16
    guidance: Annotated[float, _real_field("Guidance", *GUIDANCE)] = 4.0
    size: Annotated[int, BeforeValidator(_size)] = 256
    model: Annotated[str, BeforeValidator(_model)] = "atelier"
    fps: Annotated[int, _whole_field("Frames per second", *FPS)] = 10
    loop: Loop = "once"
    mode: Mode = "fast"
    without: tuple[Shortcut, ...] = ("trunk",)
    """Shortcuts that fast mode leaves out: the trunk costs more than it saves beside the glide."""

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        """Neighbouring stops differ: from a prompt to itself nothing changes."""
        for number, (here, there) in enumerate(self.legs, start=1):
            if here.prompt.casefold() != there.prompt.casefold():
                continue
            if number == len(self.stops):
                raise _wrong(
                    "A closed walk returns to its first prompt by itself. "
                    "Please leave it off the end."
                )
            raise _wrong(
                f"Prompts {number} and {number + 1} are the same, so nothing would change. "
                "Please change one of them."
            )
        return self

    @classmethod
    def stored(cls, fields: object) -> Self:
        """A spec out of a history, a record or a film; one from before there were modes is exact.

        Raises ValidationError.
        """
        if isinstance(fields, dict) and "mode" not in fields:
            fields = {"mode": "exact", "without": [], **fields}
        return cls.model_validate(fields)

    @property
    def legs(self) -> tuple[tuple[Stop, Stop], ...]:
        """The pairs of neighbouring stops; a closed walk has one leg more, back to the start."""
        ends = self.stops + self.stops[:1] if self.loop == "closed" else self.stops
        return tuple(pairwise(ends))

    @property
    def shortcuts(self) -> frozenset[Shortcut]:
        """The approximations this walk is made with: none in exact mode."""
        taken = frozenset(SHORTCUTS if self.mode == "fast" else ())
        idle = () if self.guided else ("interval",)
        return taken.difference(self.without, idle)

    @property
    def guided(self) -> bool:
        """Whether a step needs the second, unconditional sample (guidance above 1)."""
        return self.guidance > 1.0

    def places(self) -> tuple[Place, ...]:
        """Where the distinct frames lie, in walking order; a joint of two legs stands once."""
        spread_of_leg = [float(t) for t in spread(self.pacing, self.frames, self.strength)]
        places = [Place(leg, t) for leg in range(len(self.legs)) for t in spread_of_leg[:-1]]
        if self.loop != "closed":
            places.append(Place(len(self.legs) - 1, 1.0))
        return tuple(places)

    def film_order(self) -> tuple[int, ...]:
        """Which of the `places` a film shows, one after another, in one round."""
        forth = range(len(self.places()))
        back = forth[-2:0:-1] if self.loop == "boomerang" else ()
        return (*forth, *back)

    def digest(self) -> str:
        """64 hex digits that change when, and only when, the film would.

        Values without effect are left out: a strength of a linear pacing, a negative prompt
        without guidance, the guidance's value where there is none.
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


def seeded(prompts: Sequence[str], seeds: Sequence[str]) -> list[dict[str, str]]:
    """Stops' fields from prompts and seeds: none means the usual one, and one serves all.

    Raises BadInput if there is another number of them.
    """
    seeds = seeds or [str(Stop.model_fields["seed"].default)]
    if len(seeds) == 1:
        seeds = [*seeds] * len(prompts)
    if len(seeds) != len(prompts):
        raise BadInput(f"There are {len(prompts)} prompts but {len(seeds)} seeds.")
    return [{"prompt": p, "seed": s} for p, s in zip(prompts, seeds, strict=True)]


def explain(error: ValidationError) -> dict[str, str]:
    """The sentences of a failed validation by field: `stops.0.prompt`, `frames`, or `stops`."""
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


__all__ = ["PACINGS", "Interpolation", "Loop", "Place", "Stop", "WalkSpec", "explain", "seeded"]
