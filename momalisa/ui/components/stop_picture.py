"""A stop's picture in a frame of the film's shape, and the dialog in which one is chosen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from momalisa.ui.components.assets import register_component

_STOP_PICTURE = register_component("stop_picture")


@dataclass(frozen=True)
class Picture:
    """A picture that was chosen; `page` is the address of its record, blank without one.

    `typed` is what can be typed of its credit where it has no record.
    """

    url: str
    alt: str
    credit: str
    page: str
    typed: Mapping[str, str]
    crop: Mapping[str, float]


@dataclass(frozen=True)
class Paths:
    """Where the component asks: to search, and to take in an upload or a museum's work."""

    search: str
    upload: str
    work: str


def stop_picture(
    *,
    stop: int,
    label: str,
    picture: Picture | None,
    frame: str,
    shape: tuple[int, int],
    museums: Sequence[tuple[str, str]],
    paths: Paths,
    key: str,
    on_change: Callable[[Any], None],
) -> None:
    """Show the picture of the stop with that id, or a button that opens the dialog.

    Of a stop that is a film's frame, `frame` is what is said of it; else it is blank.
    `shape` is the film's width and height, `museums` are keys and names. `on_change` is called with
    what the browser sends: the `stop`, and its "answer", "crop",
    "credit" or "removed".
    """
    data = {
        "stop": stop,
        "label": label,
        "picture": asdict(picture) if picture else None,
        "frame": frame,
        "shape": shape,
        "museums": museums,
        "paths": asdict(paths),
    }
    _STOP_PICTURE(key=key, data=data, on_sent_change=lambda: on_change(st.session_state[key].sent))
