"""A walk as one value: everything needed to render it again exactly."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    model_serializer,
    model_validator,
)

from momalisa.errors import BadInput
from momalisa.field_checks import check_text, explain, integer_field, number_field, refusal
from momalisa.loras import Lora, check_loras, digest_content
from momalisa.pacing import PACINGS, PacingName, spread
from momalisa.picture_size import check_height, check_side, show_size, split_size, write_size
from momalisa.prompt_weights import parse_prompt
from momalisa.stop import SEED_LIMIT, Stop

Interpolation = Literal["lerp", "slerp", "attention", "predictions"]
Loop = Literal["once", "boomerang", "closed"]
Mode = Literal["exact", "fast"]
Shortcut = Literal["solver", "interval", "trunk", "glide"]
SHORTCUTS: tuple[Shortcut, ...] = get_args(Shortcut)
"""Approximations of fast mode; momalisa/engine/shortcuts.py implements them."""
LEFT_OUT: tuple[Shortcut, ...] = ("trunk", "glide")
"""Shortcuts that new walks leave out: "trunk" costs more than it saves, "glide" shows two pictures
through each other."""

STOPS = (2, 12)
FRAMES = (2, 240)
STEPS = (1, 100)
GUIDANCE = (0.0, 30.0)
FPS = (1, 50)


def _check_height(value: object, info: ValidationInfo) -> int:
    """A picture's height; that of a square where none is given."""
    return check_height(value, info.data.get("size"))


def _check_model(value: object) -> str:
    words = check_text(value, what="The model's name")
    if not words:
        raise refusal("A walk needs a model. Leave the setting away for the one that ships here.")
    return words


def _check_loras(loras: tuple[Lora, ...], info: ValidationInfo) -> tuple[Lora, ...]:
    stops = info.data.get("stops")  # unless they are wrong
    return check_loras(loras, len(stops)) if stops else loras


def _check_middle(text: str, info: ValidationInfo) -> str:
    if text and info.data.get("interpolation", "attention") != "attention":
        raise refusal(
            "A prompt for the middle needs the interpolation attention. "
            "Please choose it, or clear the prompt."
        )
    return text


def _check_prompt_weights(weigh: bool, info: ValidationInfo) -> bool:
    """Refuse prompts whose signs mean nothing, where signs weigh words."""
    for number, stop in enumerate(info.data.get("stops", ()) if weigh else (), start=1):
        for prompt in stop.prompts:
            _check_signs(prompt, f"Prompt {number}")
    if weigh:
        _check_signs(info.data.get("negative", ""), "The negative prompt")
        _check_signs(info.data.get("middle", ""), "The prompt for the middle")
    return weigh


def _check_signs(prompt: str, name: str) -> None:
    try:
        parse_prompt(prompt)
    except BadInput as error:
        raise refusal(f"{name}: {error}") from error


def _check_stop_count(stops: tuple[Stop, ...]) -> tuple[Stop, ...]:
    if not STOPS[0] <= len(stops) <= STOPS[1]:
        raise refusal(f"A walk has {STOPS[0]} to {STOPS[1]} stops, not {len(stops)}.")
    return stops


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
    frames: Annotated[int, integer_field("Frames a leg", *FRAMES)] = 24
    pacing: PacingName = "linear"
    strength: Annotated[float, number_field("The pacing's strength", 0.0, 1.0)] = 0.8
    interpolation: Interpolation = "lerp"
    middle: Annotated[
        str,
        BeforeValidator(lambda text: check_text(text, what="The prompt for the middle")),
        AfterValidator(_check_middle),
    ] = ""
    """What frames in the middle of each leg are painted for, by attention; empty for none."""
    negative: Annotated[
        str, BeforeValidator(lambda text: check_text(text, what="The negative prompt"))
    ] = ""
    steps: Annotated[int, integer_field("Steps", *STEPS)] = 16
    guidance: Annotated[float, number_field("Guidance", *GUIDANCE)] = 4.0
    size: Annotated[int, BeforeValidator(lambda side: check_side(side, what="The size"))] = 256
    """Pixels of the width, and of the height unless that is given; "512x768" gives both."""
    height: Annotated[int, BeforeValidator(_check_height)] = Field(None, validate_default=True)
    """That of a square is left out of what is stored and of the digest."""
    model: Annotated[str, BeforeValidator(_check_model)] = "atelier"
    loras: Annotated[tuple[Lora, ...], AfterValidator(_check_loras)] = ()
    fps: Annotated[int, integer_field("Frames per second", *FPS)] = 10
    loop: Loop = "once"
    mode: Mode = "fast"
    without: tuple[Shortcut, ...] = ("trunk",)
    """Shortcuts that fast mode leaves out. A spec that does not say means this; the default of a
    new walk is that of its model's card, as for the steps, the guidance and the size."""
    prompt_weights: Annotated[bool, AfterValidator(_check_prompt_weights)] = False
    """Whether signs in the prompts weigh words, as `prompt_weights` reads them."""

    @model_validator(mode="before")
    @classmethod
    def _split_size(cls, fields: Any) -> Any:
        """Read a size such as "512x768" as a width and a height."""
        sides = split_size(fields.get("size")) if isinstance(fields, dict) else None
        return fields if sides is None else {**fields, "size": sides[0], "height": sides[1]}

    @model_serializer(mode="wrap")
    def _leave_out_what_is_usual(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Say no height of a square, no empty list of LoRAs, and no weights of words and prompt for
        the middle where there are none, as specs did before these."""
        fields: dict[str, Any] = dump(self)
        if self.height == self.size:
            fields.pop("height", None)
        for name in ("loras", "prompt_weights", "middle"):
            if not getattr(self, name):
                fields.pop(name, None)
        return fields

    @model_validator(mode="after")
    def _check_neighbours(self) -> Self:
        """Reject neighbouring stops that show the same, between which nothing would change."""
        for number, (here, there) in enumerate(self.legs, start=1):
            shown = _show_other_pictures(here, there, weigh=self.prompt_weights)
            if shown or self._weights_differ(number - 1):
                continue
            if number == len(self.stops):
                raise refusal(
                    "A closed walk returns to its first prompt by itself. "
                    "Please leave it off the end."
                )
            if here.image or here.between:
                raise refusal(
                    f"Pictures {number} and {number + 1} are the same, so nothing would change. "
                    "Please change one of them, or give one a prompt."
                )
            raise refusal(
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
        return cls.model_validate(fields, context={"stored": True})

    @property
    def width(self) -> int:
        """Pixels of a picture's width."""
        return self.size

    @property
    def pixels(self) -> int:
        """Pixels of a picture."""
        return self.width * self.height

    @property
    def ratio(self) -> float:
        """A picture's width to its height."""
        return self.width / self.height

    @property
    def shown_size(self) -> str:
        """The size as it is shown: "512 × 768"."""
        return show_size(self.width, self.height)

    @property
    def typed_size(self) -> str:
        """The size as it may be typed: "512" or "512x768"."""
        return write_size(self.width, self.height)

    @property
    def legs(self) -> tuple[tuple[Stop, Stop], ...]:
        """The pairs of neighbouring stops; a closed walk has one more, back to the first stop."""
        ends = self.stops + self.stops[:1] if self.loop == "closed" else self.stops
        return tuple(pairwise(ends))

    def lora_weights(self, leg: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The weights of the LoRAs at both ends of a leg."""
        start, end = leg, (leg + 1) % len(self.stops)
        return tuple(lora.at(start) for lora in self.loras), tuple(
            lora.at(end) for lora in self.loras
        )

    def _weights_differ(self, leg: int) -> bool:
        start, end = self.lora_weights(leg)
        return start != end

    @property
    def shortcuts(self) -> frozenset[Shortcut]:
        """The approximations in use; empty in exact mode.

        From pictures, and from frames of other walks, each frame goes its own way.
        """
        taken = frozenset(SHORTCUTS if self.mode == "fast" else ())
        plain = not any(stop.image or stop.between for stop in self.stops)
        idle = () if self.guided else ("interval",)
        return taken.difference(self.without, idle, () if plain else ("trunk", "glide"))

    @property
    def guided(self) -> bool:
        """Whether each step needs a second, negative sample (guidance above 1)."""
        return self.guidance > 1.0

    @property
    def pictures(self) -> dict[str, str]:
        """By the digest of each picture among the stops the kind of its file, such as "stop-1".

        A picture that is a stop twice is one file, called by the first.
        """
        found: dict[str, str] = {}
        for number, stop in enumerate(self.stops, start=1):
            if stop.image is not None:
                found.setdefault(stop.image.digest, f"stop-{number}")
        return found

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
        content["stops"] = [stop.content for stop in self.stops]
        content["shortcuts"] = sorted(self.shortcuts)
        content.pop("loras", None)
        if loras := digest_content(self.loras):
            content["loras"] = loras
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
        return " → ".join(stop.name for stop in self.stops)


def _show_other_pictures(here: Stop, there: Stop, *, weigh: bool) -> bool:
    """Whether two stops differ in more than seeds, case, and signs without effect."""
    read = parse_prompt if weigh else str
    contents = ({**stop.content, "prompt": read(stop.prompt.casefold())} for stop in (here, there))
    one, other = ({k: v for k, v in fields.items() if k != "seed"} for fields in contents)
    return one != other


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


__all__ = [
    "PACINGS",
    "SEED_LIMIT",
    "Interpolation",
    "Loop",
    "Place",
    "Stop",
    "WalkSpec",
    "explain",
    "pair_with_seeds",
]
