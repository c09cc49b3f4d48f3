"""The stops in Create's form: prompts, pictures, and the buttons that change their order."""

import secrets
from collections.abc import Callable
from random import Random

import streamlit as st

from momalisa.spec import STOPS
from momalisa.ui import draft_stops, sign_in
from momalisa.ui.create import frame_stop, random_prompts, stop_pictures
from momalisa.ui.create.form import Problems, show_problem
from momalisa.ui.create.presets import PLACEHOLDERS, PRESETS
from momalisa.ui.draft_values import initial_value
from momalisa.ui.policy import Action


def show_presets() -> None:
    """Show the buttons that fill in a pair of prompts."""
    with st.container(horizontal=True, key="ideas", gap="xsmall"):
        for name, prompts in PRESETS.items():
            key = f"preset_{name}"
            st.button(name, key=key, on_click=draft_stops.replace_prompts, args=(prompts,))


def show_stops(problems: Problems) -> None:
    """Show the prompts in walking order, and the buttons that change the list."""
    for place, stop_id in enumerate(draft_stops.stop_ids()):
        _show_stop(place, stop_id)
        of_stop = [field for field in problems if field.startswith(f"stops.{place}.")]
        show_problem(problems, *(field for field in of_stop if not field.endswith(".seed")))
    show_problem(problems, "stops")
    swap = "Swap" if len(draft_stops.stop_ids()) == STOPS[0] else "Reverse"
    full = len(draft_stops.stop_ids()) == STOPS[1]
    with st.container(horizontal=True):
        _show_stop_button("Add a stop", "add", draft_stops.add_stop, disabled=full)
        _show_stop_button(swap, "swap_vert", draft_stops.reverse_stops)
        _show_stop_button("Surprise me", "auto_awesome", _use_random_prompts)
        _show_stop_button(
            "Put back",
            "undo",
            draft_stops.undo_replace,
            disabled=not draft_stops.can_undo_replace(),
        )


def _show_stop_button(
    label: str, icon: str, change: Callable[[], None], *, disabled: bool = False
) -> None:
    """Show a button that changes the list of stops."""
    st.button(
        label,
        key=f"change_{icon}",
        icon=f":material/{icon}:",
        type="tertiary",
        on_click=change,
        disabled=disabled,
    )


def _use_random_prompts() -> None:
    draft_stops.replace_prompts(random_prompts.random_pair(Random(secrets.randbits(64))))


def _show_stop(place: int, stop_id: int) -> None:
    last = len(draft_stops.stop_ids()) - 1
    label = "From" if place == 0 else "To" if place == last else f"Over {place}"
    is_frame = bool(draft_stops.name_of_frame(stop_id))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            label,
            initial_value(f"prompt_{stop_id}"),
            key=f"prompt_{stop_id}",
            persist_state="session",
            placeholder=_hint(place, stop_id),
            disabled=is_frame,
        )
        if len(draft_stops.stop_ids()) > STOPS[0]:
            _show_move_buttons(place, last, stop_id)
    if sign_in.may(Action.MAKE):
        stop_pictures.show_stop_picture(place, stop_id, label)
    if change := frame_stop.tell_change(stop_id):
        st.caption(change)


def _hint(place: int, stop_id: int) -> str:
    """What a prompt's field shows while it is empty."""
    if draft_stops.name_of_frame(stop_id):
        return "A frame of a film"
    if draft_stops.picture_of(stop_id):
        return "Words for the picture, if you like"
    return PLACEHOLDERS[min(place, len(PLACEHOLDERS) - 1)]


def _show_move_buttons(place: int, last: int, stop_id: int) -> None:
    """Show the buttons that move and remove a stop; their labels are for screen readers.

    Their keys belong to the place, not the stop, so that the keyboard's focus stays there.
    """
    with st.container(horizontal=True, key=f"order_{place}", width="content", gap=None):
        for what, by, end in (("up", -1, 0), ("down", 1, last)):
            st.button(
                f"Move stop {place + 1} {what}",
                key=f"{what}_{place}",
                icon=f":material/arrow_{what}ward:",
                type="tertiary",
                on_click=draft_stops.move_stop,
                args=(stop_id, by),
                disabled=place == end,
            )
        st.button(
            f"Remove stop {place + 1}",
            key=f"remove_{place}",
            icon=":material/close:",
            type="tertiary",
            on_click=draft_stops.remove_stop,
            args=(stop_id,),
        )
