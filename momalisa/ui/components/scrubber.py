"""The scrubber: a slider over a walk, or two at once, that shows the picture at each place."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from momalisa.ui.components.assets import register_component

_SCRUBBER = register_component("scrubber")


@dataclass(frozen=True)
class Track:
    """One of the pictures above the slider: its title, and the places it shows along a leg.

    `curve` has the place at each of equal steps of the slider; empty where both are the same.
    """

    title: str = ""
    curve: Sequence[float] = ()


@dataclass(frozen=True)
class TypedStop:
    """A stop that is being typed: the key of its field, the text as the page knows it, its seed."""

    field: str
    prompt: str
    seed: int


@dataclass(frozen=True)
class Sources:
    """Where the pictures come from; each may be blank or empty.

    `still` and `live` are URLs that are completed with a place, for the slow and the direct way.
    Where the worker `explores` a leg before it paints the first place on it, it is asked to do so
    before one drags. `frames` are (position, URL) of finished ones, with whole numbers at the
    stops. Those `ahead` are places, as (leg, t), that are painted while nothing else is asked for.
    """

    still: str = ""
    live: str = ""
    explores: bool = False
    frames: Sequence[tuple[float, str]] = ()
    ahead: Sequence[tuple[int, float]] = ()


@dataclass(frozen=True)
class Chosen:
    """The place from which a walk is to begin, or at which it is to end; counted in legs."""

    position: float
    as_end: bool


def scrubber(
    *,
    walk_id: str,
    legs: Sequence[tuple[str, str]],
    sources: Sources,
    hint: str,
    key: str,
    ratio: float = 1.0,
    tracks: Sequence[Track] = (Track(),),
    stops: Sequence[TypedStop] = (),
    empty: str = "",
    begins: bool = False,
) -> Chosen | None:
    """Show the picture where the slider is, and that of a prompt that is being typed.

    `legs` are pairs of prompts; without them there is no slider. `hint` is shown below while there
    is no other message, `empty` in place of the first picture. `ratio` is a picture's width to its
    height. Where a walk `begins` from any place, the one that was just chosen is returned.
    """
    data = {
        "id": walk_id,
        "legs": legs,
        "frames": sources.frames,
        "still_url": sources.still,
        "live_url": sources.live,
        "explores": sources.explores,
        "ahead": sources.ahead,
        "hint": hint,
        "ratio": ratio,
        "tracks": [asdict(track) for track in tracks],
        "stops": [asdict(stop) for stop in stops],
        "empty": empty,
        "begins": begins,
    }
    state = _SCRUBBER(key=key, data=data, on_chosen_change=lambda: None)
    return _read_choice(state.chosen, len(legs)) if begins else None


def _read_choice(sent: object, legs: int) -> Chosen | None:
    """What a browser sent, if it is a position on the way."""
    if not isinstance(sent, dict) or not isinstance(sent.get("position"), int | float):
        return None
    position = float(sent["position"])
    return Chosen(position, sent.get("as_end") is True) if 0.0 <= position <= legs else None
