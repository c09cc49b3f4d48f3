"""A file field that also accepts files dropped anywhere on the page."""

from momalisa.ui.components.assets import register_component

_DROP = register_component("drop")


def file_drop(url: str, *, key: str) -> str | None:
    """Show the field; returns the server's response once a chosen file was posted to `url`.

    None otherwise. Error responses are shown by the component itself.
    """
    state = _DROP(key=key, data={"url": url}, on_answer_change=lambda: None)
    return str(state.answer) if state.answer else None
