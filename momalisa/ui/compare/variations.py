"""One click from a film to the same walk by another interpolation or in another pacing."""

from typing import Any

import streamlit as st

from db.models import State, Walk
from momalisa.pacing import PACINGS
from momalisa.ui import error_display, interpolations, navigation, page_paths, sign_in, submit
from momalisa.ui.create import estimate
from momalisa.ui.policy import Action

Change = dict[str, Any]


def show_variations(walk: Walk) -> None:
    """Show a button for each other interpolation and pacing, with what it costs to make."""
    if not (submit.has_spec(walk) and sign_in.may(Action.MAKE)):
        return
    changes = find_changes(walk)
    specs = {name: submit.vary(walk, **change) for name, change in changes.items()}
    found = submit.find_walks(list(specs.values()))
    costs = estimate.describe_each(list(specs.values()))
    pressed = ""
    with st.expander("Set the left film beside itself in another way"):
        for name, there, cost in zip(specs, found, costs, strict=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.button(f"Compare with {name}", key=f"beside_{name}"):
                    pressed = name
                is_there = there is not None and there.state is State.DONE
                st.text("it is there" if is_there else cost)
    if pressed:
        with error_display.errors_as_toasts():
            other = submit.submit_varied(walk, **changes[pressed])
            navigation.open_page(page_paths.COMPARE, {"a": walk.id, "b": other})


def find_changes(walk: Walk) -> dict[str, Change]:
    """The settings that a walk may be varied by, one at a time."""
    spec = submit.spec_again(walk)
    offered = interpolations.offered_for(spec.model)
    mixed = {name: {"interpolation": name} for name in offered if name != spec.interpolation}
    return mixed | {name: {"pacing": name} for name in PACINGS if name != spec.pacing}
