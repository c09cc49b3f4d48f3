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

    `still` and `live` are URLs that are completed with a place, for the slow and the direct way;
    `frames` are (position, URL) of finished ones, with whole numbers at the stops.
    """

    still: str = ""
    live: str = ""
    frames: Sequence[tuple[float, str]] = ()


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
) -> None:
    """Show the picture where the slider is, and that of a prompt that is being typed.

    `legs` are pairs of prompts; without them there is no slider. `hint` is shown below while there
    is no other message, `empty` in place of the first picture. `ratio` is a picture's width to its
    height.
    """
    data = {
        "id": walk_id,
        "legs": legs,
        "frames": sources.frames,
        "still_url": sources.still,
        "live_url": sources.live,
        "hint": hint,
        "ratio": ratio,
        "tracks": [asdict(track) for track in tracks],
        "stops": [asdict(stop) for stop in stops],
        "empty": empty,
    }
    _SCRUBBER(key=key, data=data)
