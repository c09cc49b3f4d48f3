"""The filmstrip: the frames of a walk that is being rendered, as a rough film and a strip."""

from collections.abc import Sequence

from momalisa.ui.components.assets import register_component

_FILMSTRIP = register_component("filmstrip")


def filmstrip(
    *,
    walk_id: str,
    total: int,
    frames: Sequence[tuple[int, str, bool]],
    ratio: float,
    alt: str,
    key: str,
) -> None:
    """Show the finished ones of `total` frames, each as (index, URL, whether it is a preview).

    `ratio` is a frame's width to its height.
    """
    places = [list(each) for each in frames]
    data = {"id": walk_id, "total": total, "frames": places, "ratio": ratio, "alt": alt}
    _FILMSTRIP(key=key, data=data)
