"""The scrubber: a slider over a walk that shows the picture at each place."""

from collections.abc import Sequence

from momalisa.ui.components.assets import register_component

_SCRUBBER = register_component("scrubber")


def scrubber(
    *,
    walk_id: str,
    legs: Sequence[tuple[str, str]],
    frames: Sequence[tuple[float, str]],
    still_url: str,
    hint: str,
    key: str,
) -> None:
    """Show the nearest finished frame at once, then the exact picture from the server.

    `legs` are pairs of prompts, `frames` are (position, URL) with whole numbers at the stops.
    `&leg=` and `&t=` are added to `still_url`; blank shows finished frames only. `hint` is shown
    below while there is no other message.
    """
    data = {"id": walk_id, "legs": legs, "frames": frames, "still_url": still_url, "hint": hint}
    _SCRUBBER(key=key, data=data)
