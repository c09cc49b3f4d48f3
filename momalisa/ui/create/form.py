"""The sections of Create's form, with each validation message beside its field."""

from collections.abc import Mapping

import streamlit as st

from momalisa.loras import MOST
from momalisa.models.cards import ModelCard
from momalisa.models.fit import Machine
from momalisa.pacing import PACINGS
from momalisa.picture_size import split_size
from momalisa.settings import settings
from momalisa.spec import STOPS
from momalisa.ui import draft, draft_stops
from momalisa.ui.create import pacing_curve
from momalisa.ui.create.interpolation_field import show_interpolation, show_middle
from momalisa.ui.create.lora_field import show_lora_field
from momalisa.ui.create.model_choice import describe, label, painting_machine
from momalisa.ui.create.quality import QUALITIES
from momalisa.ui.create.size_field import show_size_field
from momalisa.ui.draft_values import initial_value
from momalisa.ui.wall_label import LOOP_NAMES

Problems = Mapping[str, str]
FIELDS_IN_MORE = (
    "seed",
    "steps",
    "guidance",
    "fps",
    "negative",
    "size",
    "height",
    "loras",
    "weights",
    "model",
    "interpolation",
    "middle",
    "mode",
)


def show_quality(problems: Problems) -> None:
    """Show the choice of quality, and the field for the number of frames."""
    left, right = st.columns([3, 2])
    now = draft.current_quality()
    with left:
        st.segmented_control(
            "Quality",
            list(QUALITIES),
            default=now,
            key=f"quality_{now}",
            on_change=_use_quality,
            args=(now,),
        )
    with right:
        _show_number("Frames a leg", "frames")
    show_problem(problems, "frames")


def _use_quality(before: str | None) -> None:
    chosen = st.session_state.get(f"quality_{before}")
    # A late message from the browser also calls this, for a widget that was not changed.
    if chosen != before:
        draft.set_quality(chosen)


def show_pacing(problems: Problems) -> None:
    """Show the choice of pacing and its strength, with a drawing of the curve."""
    chosen = st.segmented_control(
        "Pacing",
        PACINGS,
        default=initial_value(draft.widget_key("pacing")),
        key=draft.widget_key("pacing"),
        required=True,
        persist_state="session",
    )
    left, right = st.columns([3, 2], vertical_alignment="top")
    with left:
        with st.container(key="quiet_pacing"):
            st.text(pacing_curve.describe(chosen))
        if chosen not in ("linear", "even"):
            strength = draft.widget_key("strength")
            st.slider(
                "Strength",
                0.0,
                1.0,
                float(initial_value(strength)),
                step=0.05,
                key=strength,
                persist_state="session",
            )
    with right, st.container(key="curve"):
        frames = min(max(int(draft.field_value("frames") or 2), 2), 60)
        drawn = pacing_curve.draw_curve(chosen, frames, float(draft.field_value("strength")))
        st.image(drawn, alt=f"The curve of the pacing: {pacing_curve.describe(chosen)}")
    show_problem(problems, "pacing", "strength")


def show_more(problems: Problems) -> None:
    """Show all other fields in an expander, which is open if one of them is invalid."""
    wrong = any(field.endswith(FIELDS_IN_MORE) for field in problems)
    with st.expander("More", expanded=wrong, key=f"more_{wrong}"):
        _show_seeds(problems)
        _show_numbers(problems)
        st.text_input(
            "Negative prompt",
            initial_value(draft.widget_key("negative")),
            key=draft.widget_key("negative"),
            persist_state="session",
            placeholder="what should not be in the picture",
        )
        show_problem(problems, "negative")
        _show_note("negative", draft.advice_on_negative())
        _show_prompt_weights(problems)
        _show_methods(problems)
        _show_model(problems)
        _show_location()


def _show_prompt_weights(problems: Problems) -> None:
    """Show the switch for weights of words, if the model can weigh them or the draft asks so."""
    card, key, place = draft.chosen_card(), draft.widget_key("prompt_weights"), st.empty()
    if (card and not card.refuse_weights()) or initial_value(key):
        place.toggle(
            "Weights of words",
            initial_value(key),
            key=key,
            persist_state="session",
            help=r"(red boat)1.4 counts more, fog- less; \\( is a plain parenthesis",
        )
    show_problem(problems, "prompt_weights")


def _show_seeds(problems: Problems) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for place, stop_id in enumerate(draft_stops.stop_ids()):
            # A text field, which keeps even 2^70 beside the message about it.
            seed = f"seed_{stop_id}"
            st.text_input(
                f"Seed {place + 1}",
                initial_value(seed),
                key=seed,
                persist_state="session",
                width=120,
            )
        st.button(
            "New seeds", key="seeds", icon=":material/casino:", on_click=draft_stops.randomize_seeds
        )
    show_problem(problems, *(f"stops.{place}.seed" for place in range(STOPS[1])))


def _show_numbers(problems: Problems) -> None:
    steps, guidance, fps = st.columns(3)
    with steps:
        _show_number("Steps", "steps")
    with guidance:
        _show_number("Guidance", "guidance", step=0.5)
    with fps:
        _show_number("Frames a second", "fps")
    show_problem(problems, "steps", "guidance", "fps")
    _show_note("steps", draft.advice_on_steps())


def _show_number(label: str, field: str, step: float = 1) -> None:
    # Without limits, so that WalkSpec's message appears and not the browser's.
    key = draft.widget_key(field)
    as_step = type(step)
    st.number_input(
        label, value=as_step(initial_value(key)), step=step, key=key, persist_state="session"
    )


def _show_methods(problems: Problems) -> None:
    show_interpolation()
    show_problem(problems, "interpolation")
    show_middle()
    show_problem(problems, "middle")
    with st.container(horizontal=True):
        st.segmented_control(
            "Loop",
            list(LOOP_NAMES),
            default=initial_value(draft.widget_key("loop")),
            key=draft.widget_key("loop"),
            format_func=LOOP_NAMES.__getitem__,
            required=True,
            persist_state="session",
        )
        st.segmented_control(
            "Mode",
            ["fast", "exact"],
            default=initial_value(draft.widget_key("mode")),
            key=draft.widget_key("mode"),
            required=True,
            persist_state="session",
            help="Fast takes shortcuts where they hardly show; exact takes none",
        )
    show_problem(problems, "loop", "mode", "without")


def _show_model(problems: Problems) -> None:
    cards, chosen = draft.model_cards(), draft.field_value("model")
    names = list(dict.fromkeys([*cards, initial_value(draft.widget_key("model")), chosen]))
    machine = painting_machine(here=draft.is_made_here())
    model, size = st.columns([3, 2])
    model.selectbox(
        "Model",
        names,
        names.index(initial_value(draft.widget_key("model"))),
        key=draft.widget_key("model"),
        persist_state="session",
        format_func=lambda name: label(cards[name], machine) if name in cards else name,
        accept_new_options=True,
        help="Type to search the list, or the hub id of another one that is on this machine",
        on_change=_use_model,
    )
    with size:
        show_size_field()
    show_problem(problems, "model", "size", "height")
    show_lora_field()
    show_problem(problems, "loras", *(f"loras.{number}.weights" for number in range(MOST)))
    _show_card(cards.get(str(chosen)), machine, problems)


def _show_card(card: ModelCard | None, machine: Machine | None, problems: Problems) -> None:
    """Show what is to be known of the chosen model, unless its problem says so."""
    typed = str(draft.field_value("size") or "")
    width, height = (
        int(side) if side.isdecimal() else 0 for side in split_size(typed) or (typed, typed)
    )
    known = card if "model" not in problems else None
    broken = draft.explain_broken(known) if known else ""
    said = broken or (describe(known, machine, width * height) if known else "")
    _show_note("model", said)
    _show_note("shape", known.warn_of_shape(width, height) if known else "")


def _show_location() -> None:
    """Show the choice between this machine and the endpoint, if one is configured."""
    if settings().endpoint:
        st.segmented_control(
            "Made",
            [draft.ENDPOINT, draft.LOCAL],
            default=draft.ENDPOINT,
            key="made",
            required=True,
            persist_state="session",
        )


def _use_model() -> None:
    if card := draft.chosen_card():  # else an error is shown beside the field
        draft.apply_model_defaults(card)


def _show_note(field: str, text: str) -> None:
    """Show a sentence about a field, in a placeholder that always exists (see `show_problem`)."""
    place = st.empty()
    if text:
        with place.container(key=f"quiet_note_{field}"):
            st.text(text)


def show_problem(problems: Problems, *fields: str) -> None:
    """Show the messages about these fields in a placeholder that always exists.

    Without the placeholder a message would move all fields below, and Streamlit remounts a field
    that has moved: what is being typed into it would be lost.
    """
    place = st.empty()
    found = [field for field in fields if field in problems]
    if found:
        with place.container(key=f"problem_{found[0].replace('.', '_')}"):
            for field in found:
                st.text(problems[field])
