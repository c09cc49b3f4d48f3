"""The scrubber: the picture at any place of a walk."""

from collections.abc import Sequence

from momalisa.ui.components.assets import component

_SCRUBBER = component("scrubber")


def scrubber(
    *,
    walk_id: str,
    legs: Sequence[tuple[str, str]],
    frames: Sequence[tuple[float, str]],
    exact: str,
    said: str,
    key: str,
) -> None:
    """Show the nearest of `frames` (place on the way, address), then the place's own picture.

    A whole number on the way is a stop. To `exact`, an address, `&leg=` and `&t=` are added to ask
    for a picture; blank where nobody is to be asked. `said` stands below.
    """
    data = {"id": walk_id, "legs": legs, "frames": frames, "exact": exact, "said": said}
    _SCRUBBER(key=key, data=data)
