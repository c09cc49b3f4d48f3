"""Leads the keyboard's focus into popovers and films, and sends what is typed where it is lost."""

from momalisa.ui.components.assets import register_component

_FOCUS = register_component("focus")


def lead_focus() -> None:
    """Show nothing; from then on a popover or film that is opened by keyboard has the focus.

    And what is typed in a field is sent although the app goes away meanwhile.
    """
    _FOCUS(key="focus")
