"""Leads the keyboard's focus into popovers."""

from momalisa.ui.components.assets import register_component

_FOCUS = register_component("focus")


def lead_focus() -> None:
    """Show nothing; from then on a popover that is opened by keyboard has the focus."""
    _FOCUS(key="focus")
