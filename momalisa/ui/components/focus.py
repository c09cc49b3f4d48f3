"""Leads the keyboard's focus into popovers and films, and sends what is typed where it is lost."""

from momalisa.ui.components.assets import register_component

_FOCUS = register_component("focus")


def lead_focus() -> None:
    """Make a popover or a film that is opened by keyboard take the focus; shows nothing.

    What is being typed while the app cannot be reached is sent when it is back.
    """
    _FOCUS(key="focus")
