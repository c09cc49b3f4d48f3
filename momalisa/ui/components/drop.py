"""A place to choose a film's file, or to drop it anywhere on the page."""

from momalisa.ui.components.assets import component

_DROP = component("drop")


def drop(address: str, *, key: str) -> str | None:
    """What the server answered to a file that was sent to `address` just now, if it was read.

    What it says of a file that cannot be read, the visitor sees.
    """
    shown = _DROP(key=key, data={"address": address}, on_answer_change=lambda: None)
    return str(shown.answer) if shown.answer else None
