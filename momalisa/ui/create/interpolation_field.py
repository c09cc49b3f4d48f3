"""Create's choice of interpolation: what each one does, in a sentence and a strip of frames."""

import streamlit as st

from momalisa.engine.picture_settings import describe_interpolation
from momalisa.models.cards import ModelCard
from momalisa.ui import draft, draft_stops, interpolations
from momalisa.ui.components.strips import strips
from momalisa.ui.draft_values import initial_value

LABEL, MIDDLE = "Interpolation", "In the middle"


def show_interpolation() -> None:
    """Show the interpolations that the draft's model can be walked by, and why not the others."""
    card = draft.chosen_card()
    key = draft.widget_key("interpolation")
    # One that the draft holds is shown although the model refuses it: the problem says so.
    held = {initial_value(key), draft.field_value("interpolation")}
    offered = interpolations.offered_by(card)
    chosen = st.segmented_control(
        LABEL,
        [name for name in interpolations.ALL if name in offered or name in held],
        default=initial_value(key),
        key=key,
        required=True,
        persist_state="session",
        help="How the way between two stops is mixed",
    )
    if chosen in interpolations.ALL:
        strips([interpolations.strip_of(chosen)], key="interpolation_strip")
    _show_others(card)
    has_picture = any(stop["image"] for stop in draft_stops.read_stops())
    if told := describe_interpolation(str(chosen), has_picture=has_picture):
        with st.container(key="quiet_note_pictures"):
            st.text(told)


def show_middle() -> None:
    """Show the field for a prompt in the middle, if the draft's walk is by attention or has one."""
    key = draft.widget_key("middle")
    held = initial_value(key), draft.field_value("middle")
    place = st.empty()  # always, so that no field below moves
    if draft.field_value("interpolation") == "attention" or any(held):
        with place.container(key="middle"):
            st.text_input(
                MIDDLE,
                initial_value(key),
                key=key,
                placeholder="may stay empty; or a prompt for half way, such as a hill in the mist",
                persist_state="session",
                help="What pictures half way between two stops are painted for",
            )


def _show_others(card: ModelCard | None) -> None:
    """Show all strips in a popover, and what the model refuses."""
    with st.popover("See what each does", icon=":material/compare:"):
        strips([interpolations.strip_of(name) for name in interpolations.ALL], key="all_strips")
    refusals = [card.refuse(name) for name in interpolations.ALL] if card else []
    place = st.empty()
    if any(refusals):
        with place.container(key="quiet_note_interpolation"):
            st.text(" ".join(f"{refusal}" for refusal in refusals if refusal))
