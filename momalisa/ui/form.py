"""The sections of Create's form. Each sentence about a mistake stands beside its field."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from momalisa.pacing import PACINGS
from momalisa.spec import STOPS, WalkSpec
from momalisa.ui import clock, curve, draft, history
from momalisa.ui.label import LOOPS
from momalisa.ui.presets import PLACEHOLDERS, PRESETS
from momalisa.ui.quality import QUALITIES

Problems = dict[str, str]
SIZES = (128, 192, 256, 320, 384, 448, 512, 640, 768, 1024)


def stops(problems: Problems) -> None:
    """The prompts in walking order, and the ways to have more, fewer, or others."""
    st.pills("Begin with", list(PRESETS), key="preset", on_change=_use_preset)
    for place, stop_id in enumerate(draft.stop_ids()):
        _stop(place, stop_id, problems)
    problem(problems, "stops")
    with st.container(horizontal=True):
        st.button(
            "Add a stop",
            key="add_stop",
            icon=":material/add:",
            type="tertiary",
            on_click=draft.add_stop,
            disabled=len(draft.stop_ids()) == STOPS[1],
        )
        st.button(
            "Swap" if len(draft.stop_ids()) == 2 else "Reverse",
            key="swap",
            icon=":material/swap_vert:",
            type="tertiary",
            on_click=draft.turn_round,
        )


def _stop(place: int, stop_id: int, problems: Problems) -> None:
    removable = len(draft.stop_ids()) > STOPS[0]
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"stop_{stop_id}"):
        st.text_input(
            _stop_name(place),
            key=f"prompt_{stop_id}",
            persist_state="session",
            placeholder=PLACEHOLDERS[min(place, 2)],
        )
        if removable:
            st.button(
                "Remove",
                key=f"remove_{stop_id}",
                icon=":material/close:",
                on_click=draft.remove_stop,
                args=(stop_id,),
                type="tertiary",
            )
    problem(problems, f"stops.{place}.prompt")


def _stop_name(place: int) -> str:
    return "From" if place == 0 else "To" if place == len(draft.stop_ids()) - 1 else "Over"


def _use_preset() -> None:
    name = st.session_state.preset
    if name in PRESETS:
        draft.use_prompts(PRESETS[name])


def quality(problems: Problems) -> None:
    """Sketch, Study or Exhibition; and the number of frames for itself."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        st.segmented_control(
            "Quality",
            list(QUALITIES),
            key="quality",
            persist_state="session",
            on_change=lambda: draft.choose_quality(st.session_state.quality),
        )
    with right:
        st.number_input(
            "Frames a leg",
            key=draft.key("frames"),
            step=1,
            persist_state="session",
            on_change=draft.note_quality,
        )
        problem(problems, "frames")


def pacing(problems: Problems) -> None:
    """How the frames are spread, with the curve beside the choice."""
    left, right = st.columns([3, 2], vertical_alignment="top")
    with left:
        chosen = st.segmented_control(
            "Pacing", PACINGS, key=draft.key("pacing"), required=True, persist_state="session"
        )
        assert chosen is not None  # one is always chosen: `required`
        if chosen != "linear":
            st.slider(
                "Strength", 0.0, 1.0, step=0.05, key=draft.key("strength"), persist_state="session"
            )
        problem(problems, "pacing", "strength")
        st.text(curve.described(chosen))
    with right:
        strength = float(st.session_state[draft.key("strength")])
        st.image(curve.drawn(chosen, _drawable_frames(), strength), alt=curve.described(chosen))


def _drawable_frames() -> int:
    frames = st.session_state[draft.key("frames")]
    return min(max(int(frames or 2), 2), 60)


def more(problems: Problems) -> None:
    """Everything else, out of the way until it is wanted."""
    hidden = {"steps", "guidance", "negative", "interpolation", "loop", "fps", "size", "model"}
    wrong = any(field in hidden or field.endswith("seed") for field in problems)
    with st.expander("More", expanded=wrong, key="more_open" if wrong else "more"):
        _seeds(problems)
        with st.container(horizontal=True):
            _number("Steps", "steps", problems, step=1, on_change=draft.note_quality)
            _number("Guidance", "guidance", problems, step=0.5)
            _number("Frames a second", "fps", problems, step=1)
        st.text_input(
            "Negative prompt",
            key=draft.key("negative"),
            persist_state="session",
            placeholder="what should not be in the picture",
        )
        problem(problems, "negative")
        with st.container(horizontal=True):
            _choice("Interpolation", "interpolation", ["lerp", "slerp"])
            _choice("Loop", "loop", list(LOOPS), names=LOOPS)
        problem(problems, "interpolation", "loop")
        _model(problems)


def _seeds(problems: Problems) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for place, stop_id in enumerate(draft.stop_ids()):
            with st.container(width=130):
                # Text, so that even 2^70 is still there after the sentence about it.
                st.text_input(f"Seed {place + 1}", key=f"seed_{stop_id}", persist_state="session")
                problem(problems, f"stops.{place}.seed")
        st.button("New seeds", key="new_seeds", icon=":material/casino:", on_click=_new_seeds)


def _new_seeds() -> None:
    for stop_id, seed in zip(draft.stop_ids(), draft.new_seeds(), strict=True):
        st.session_state[f"seed_{stop_id}"] = seed


def _model(problems: Problems) -> None:
    cards = draft.models()
    chosen = st.session_state[draft.key("model")]
    names = list(cards) if chosen in cards else [*cards, chosen]
    sizes = sorted({*SIZES, st.session_state[draft.key("size")]})
    with st.container(horizontal=True):
        st.selectbox(
            "Model",
            names,
            key=draft.key("model"),
            persist_state="session",
            format_func=lambda name: cards[name].title if name in cards else name,
            on_change=_use_model,
        )
        st.selectbox(
            "Size",
            sizes,
            key=draft.key("size"),
            persist_state="session",
            format_func=lambda pixels: f"{pixels} × {pixels}",
        )
    problem(problems, "model", "size")


def _use_model() -> None:
    card = draft.models().get(st.session_state[draft.key("model")])
    if card is not None:
        draft.use_model(card)


def _number(
    label: str,
    field: str,
    problems: Problems,
    *,
    step: Any,
    on_change: Callable[[], None] | None = None,
) -> None:
    with st.container(width=150):
        st.number_input(
            label, key=draft.key(field), step=step, on_change=on_change, persist_state="session"
        )
        problem(problems, field)


def _choice(
    label: str, field: str, options: list[str], names: dict[str, str] | None = None
) -> None:
    st.segmented_control(
        label,
        options,
        key=draft.key(field),
        required=True,
        persist_state="session",
        format_func=lambda option: (names or {}).get(option, option),
    )


def problem(problems: Problems, *fields: str) -> None:
    """The sentences about these fields, if there are any."""
    for field in fields:
        if field in problems:
            with st.container(key=f"problem_{field.replace('.', '_')}"):
                st.text(problems[field])


def estimate(spec: WalkSpec) -> str:
    """What pressing the button will cost, as far as this machine's past tells."""
    frames = f"{len(spec.places())} frames"
    seconds = clock.expected(spec, history.recent())
    return frames if seconds is None else f"{frames}, {clock.about(seconds)}"
