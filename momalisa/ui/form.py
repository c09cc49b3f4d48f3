"""The sections of Create's form. Each sentence about a mistake stands beside its field."""

from collections.abc import Mapping

import streamlit as st

from momalisa.pacing import PACINGS
from momalisa.spec import STOPS, WalkSpec
from momalisa.ui import clock, curve, draft, history
from momalisa.ui.label import LOOPS
from momalisa.ui.presets import PLACEHOLDERS, PRESETS
from momalisa.ui.quality import QUALITIES

Problems = Mapping[str, str]
SIZES = (128, 192, 256, 320, 384, 448, 512, 640, 768, 1024)
OUT_OF_SIGHT = ("seed", "steps", "guidance", "fps", "negative", "size", "model", "interpolation")


def stops(problems: Problems) -> None:
    """The prompts in walking order, and the ways to have more, fewer, or others."""
    st.pills("Begin with", list(PRESETS), key="preset", on_change=_use_preset, wrap=True)
    for place, stop_id in enumerate(draft.stop_ids()):
        _stop(place, stop_id)
        problem(problems, f"stops.{place}.prompt")
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
            "Swap" if len(draft.stop_ids()) == STOPS[0] else "Reverse",
            key="swap",
            icon=":material/swap_vert:",
            type="tertiary",
            on_click=draft.turn_round,
        )


def _use_preset() -> None:
    name = st.session_state.preset
    if name in PRESETS:
        draft.use_prompts(PRESETS[name])


def _stop(place: int, stop_id: int) -> None:
    last = len(draft.stop_ids()) - 1
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "From" if place == 0 else "To" if place == last else f"Over {place}",
            key=f"prompt_{stop_id}",
            persist_state="session",
            placeholder=PLACEHOLDERS[min(place, len(PLACEHOLDERS) - 1)],
        )
        if len(draft.stop_ids()) > STOPS[0]:
            st.button(
                "Remove",
                key=f"remove_{stop_id}",
                icon=":material/close:",
                type="tertiary",
                on_click=draft.remove_stop,
                args=(stop_id,),
            )


def quality(problems: Problems) -> None:
    """Sketch, Study or Exhibition; and the number of frames for itself."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    now = draft.quality()
    # Its key changes with what it shows: it sets other fields, so a late message from the
    # browser must find nobody who still listens.
    key = f"quality_{now}"
    with left:
        st.segmented_control(
            "Quality", list(QUALITIES), default=now, key=key, on_change=_use_quality, args=(key,)
        )
    with right:
        st.number_input("Frames a leg", key=draft.key("frames"), step=1, persist_state="session")
    problem(problems, "frames")


def _use_quality(key: str) -> None:
    draft.choose_quality(st.session_state[key])


def pacing(problems: Problems) -> None:
    """How the frames are spread, with the curve beside the choice."""
    left, right = st.columns([3, 2], vertical_alignment="top")
    with left:
        chosen = st.segmented_control(
            "Pacing", PACINGS, key=draft.key("pacing"), required=True, persist_state="session"
        )
        assert chosen is not None  # one is always chosen: `required`
        with st.container(key="quiet_pacing"):
            st.text(curve.described(chosen))
        if chosen != "linear":
            st.slider(
                "Strength", 0.0, 1.0, step=0.05, key=draft.key("strength"), persist_state="session"
            )
    with right, st.container(key="curve"):
        frames = min(max(int(draft.value("frames") or 2), 2), 60)
        drawn = curve.drawn(chosen, frames, float(draft.value("strength")))
        st.image(drawn, alt=f"The curve of the pacing: {curve.described(chosen)}")
    problem(problems, "pacing", "strength")


def more(problems: Problems) -> None:
    """Everything else, out of the way until it is wanted, or wrong."""
    wrong = any(field.endswith(OUT_OF_SIGHT) for field in problems)
    with st.expander("More", expanded=wrong, key=f"more_{wrong}"):
        _seeds(problems)
        _numbers(problems)
        st.text_input(
            "Negative prompt",
            key=draft.key("negative"),
            persist_state="session",
            placeholder="what should not be in the picture",
        )
        problem(problems, "negative")
        _ways(problems)
        _model(problems)


def _seeds(problems: Problems) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for place, stop_id in enumerate(draft.stop_ids()):
            # Text, so that even 2^70 still stands there beside the sentence about it.
            st.text_input(
                f"Seed {place + 1}", key=f"seed_{stop_id}", persist_state="session", width=120
            )
        st.button("New seeds", key="seeds", icon=":material/casino:", on_click=draft.use_new_seeds)
    problem(problems, *(f"stops.{place}.seed" for place in range(STOPS[1])))


def _numbers(problems: Problems) -> None:
    steps, guidance, fps = st.columns(3)
    steps.number_input("Steps", key=draft.key("steps"), step=1, persist_state="session")
    guidance.number_input("Guidance", key=draft.key("guidance"), step=0.5, persist_state="session")
    fps.number_input("Frames a second", key=draft.key("fps"), step=1, persist_state="session")
    problem(problems, "steps", "guidance", "fps")


def _ways(problems: Problems) -> None:
    with st.container(horizontal=True):
        st.segmented_control(
            "Interpolation",
            ["lerp", "slerp"],
            key=draft.key("interpolation"),
            required=True,
            persist_state="session",
        )
        st.segmented_control(
            "Loop",
            list(LOOPS),
            key=draft.key("loop"),
            format_func=LOOPS.__getitem__,
            required=True,
            persist_state="session",
        )
    problem(problems, "interpolation", "loop")


def _model(problems: Problems) -> None:
    cards, chosen = draft.models(), draft.value("model")
    model, size = st.columns([3, 2])
    model.selectbox(
        "Model",
        list(dict.fromkeys([*cards, chosen])),
        key=draft.key("model"),
        persist_state="session",
        format_func=lambda name: cards[name].title if name in cards else name,
        on_change=_use_model,
    )
    size.selectbox(
        "Size",
        sorted({*SIZES, draft.value("size")}),
        key=draft.key("size"),
        persist_state="session",
        format_func=lambda pixels: f"{pixels} × {pixels}",
    )
    problem(problems, "model", "size")


def _use_model() -> None:
    card = draft.models().get(draft.value("model"))
    if card is not None:
        draft.use_model(card)


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
