"""A frame of a film as a stop of another walk: the film's latents there, not its pixels."""

from pydantic import ValidationError

from momalisa.field_checks import TEXT_LENGTH
from momalisa.spec import Place, WalkSpec
from momalisa.stop import Credit, Stop

_MIXES = ("lerp", "slerp")
_ON_THE_WAY = (", in a walk from it", ", in a walk from them")
"""What follows the title of a work, or of several, where a frame comes from it and is not it."""


def begin_at(spec: WalkSpec, place: Place) -> Stop | None:
    """The stop from which a walk begins with a film's very frame, painted by the model there.

    The frame is the same where the new walk has the film's model, size, steps, guidance and weights
    of words, and it need not be painted again. None where the frame is not made of texts and noise
    alone: on a leg with a picture, with LoRAs, with an interpolation or a shortcut by which frames
    depend on others, or too deep between frames of other films. Then its picture can be the stop.
    """
    start, end = spec.legs[place.leg]
    if place.t in (0.0, 1.0):
        return end if place.t else start
    depends = spec.shortcuts & {"trunk", "glide"} or spec.interpolation not in _MIXES
    if depends or spec.loras or start.image or end.image:
        return None
    try:
        return Stop.model_validate(
            {
                "prompt": "",
                "between": {
                    "start": start,
                    "end": end,
                    "t": place.t,
                    "interpolation": spec.interpolation,
                },
            }
        )
    except ValidationError:
        return None


def credit_frame(spec: WalkSpec, place: Place) -> Credit | None:
    """Whose work a film's frame shows or comes from: of a leg's two works, the nearer one's."""
    if place.t in (0.0, 1.0):
        stop = spec.legs[place.leg][int(place.t)]
        return next(stop.credits, None)
    ends = spec.legs[place.leg] if place.t < 0.5 else reversed(spec.legs[place.leg])
    credit = next((credit for stop in ends for credit in stop.credits), None)
    return None if credit is None else _come_from(credit)


def credit_any_frame(spec: WalkSpec) -> Credit | None:
    """The credit of a frame whose place in its film is not known: that of all works in the film."""
    credits = list(dict.fromkeys(credit for stop in spec.stops for credit in stop.credits))
    if len(credits) < 2:
        return _come_from(credits[0]) if credits else None
    texts = {
        name: "; ".join(dict.fromkeys(filter(None, (getattr(one, name) for one in credits))))
        for name in Credit.model_fields
        if not name.endswith("_address")
    }
    return _come_from(
        Credit(**{name: text[:TEXT_LENGTH] for name, text in texts.items()}), _ON_THE_WAY[1]
    )


def _come_from(credit: Credit, how: str = _ON_THE_WAY[0]) -> Credit:
    """The credit of a frame on the way from a work."""
    if credit.title.endswith(_ON_THE_WAY):
        return credit
    title = (credit.title or "Untitled")[: TEXT_LENGTH - len(how)] + how
    return credit.model_copy(update={"title": title})


def tell_settings(film: WalkSpec) -> str:
    """What a film's frames depend on besides their stops, as a list in words."""
    told = [film.model, film.typed_size, f"{film.steps} steps", film.mode]
    told += [f"guidance {film.guidance:g}"] if film.guided else ["no guidance"]
    told += [f"without “{film.negative}”"] if film.guided and film.negative else []
    told += ["weights of words"] if film.prompt_weights else []
    return ", ".join([*told, *(f"LoRA {lora.name}" for lora in film.loras)])


def find_place(spec: WalkSpec, number: int) -> Place | None:
    """The place of a film's frame by its number in the film's order; None if it is not known.

    A frame of a walk with even pacing lies where the leg changes: only its stops are known.
    """
    order = spec.film_order()
    if not 0 <= number < len(order):
        return None
    place = spec.places()[order[number]]
    return None if spec.pacing == "even" and place.t not in (0.0, 1.0) else place
