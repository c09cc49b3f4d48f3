"""The walk on the easel: what is typed on Create, kept in the session until it is a WalkSpec.

Every value lives under the key of its widget, so that nothing typed is ever lost: not to a
mistake, not to another page. Call `begin` before anything else.
"""

import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st
from pydantic import ValidationError

from momalisa.errors import MomaLisaError
from momalisa.models.registry import ModelCard, available, find
from momalisa.settings import settings
from momalisa.spec import SEED_LIMIT, STOPS, Stop, WalkSpec, explain
from momalisa.ui.quality import QUALITIES, named

Stored = Mapping[str, Any]

DEFAULTS: dict[str, Any] = {
    name: field.default
    for name, field in WalkSpec.model_fields.items()
    if name not in ("stops", "model")
}


def key(field: str) -> str:
    """The session key of a field's widget: `frames`, or `stops.0.prompt` for a stop's."""
    place, _, part = field.removeprefix("stops.").partition(".")
    return f"{part}_{stop_ids()[int(place)]}" if part else f"walk_{field}"


def begin() -> None:
    """Make sure that there is a draft: two empty stops and the defaults of a WalkSpec."""
    if "stop_ids" in st.session_state:
        return
    st.session_state.stop_ids = []
    for field, value in {**DEFAULTS, "model": settings().model}.items():
        st.session_state[key(field)] = value
    choose_quality("Study")
    hang_stops([("", 7), ("", 8)])


def load(spec: Stored) -> None:
    """Put a stored walk's settings on the easel, all of them."""
    begin()
    for field in (*DEFAULTS, "model"):
        if field in spec:
            st.session_state[key(field)] = spec[field]
    hang_stops([(stop["prompt"], stop["seed"]) for stop in spec["stops"]])
    note_quality()


def hang_stops(stops: list[tuple[str, int]]) -> None:
    """Replace all stops by these prompts and seeds."""
    st.session_state.stop_ids = []
    for prompt, seed in stops:
        add_stop(prompt, seed)


def add_stop(prompt: str = "", seed: int | None = None) -> None:
    """One stop more, at the end, if a walk may have one more."""
    ids = stop_ids()
    if len(ids) == STOPS[1]:
        return
    # Ids only count up: a new stop must not inherit what was typed into a removed one.
    new = st.session_state["last_stop"] = st.session_state.get("last_stop", 0) + 1
    st.session_state.stop_ids = [*ids, new]
    st.session_state[f"prompt_{new}"] = prompt
    st.session_state[f"seed_{new}"] = str(7 + len(ids) if seed is None else seed)


def remove_stop(stop_id: int) -> None:
    """Take a stop away; two always remain."""
    if len(stop_ids()) > STOPS[0]:
        st.session_state.stop_ids = [each for each in stop_ids() if each != stop_id]


def turn_round() -> None:
    """Walk the other way: with two stops, swap them."""
    st.session_state.stop_ids = stop_ids()[::-1]


def stop_ids() -> list[int]:
    """The stops in walking order, each by the number in its widgets' keys."""
    return list(st.session_state.stop_ids)


def new_seeds() -> list[str]:
    """A fresh seed for every stop."""
    return [str(secrets.randbelow(SEED_LIMIT)) for _ in stop_ids()]


def use_prompts(prompts: tuple[str, ...]) -> None:
    """Replace the prompts and leave every setting as it is."""
    hang_stops([(prompt, 7 + place) for place, prompt in enumerate(prompts)])


def choose_quality(name: str | None) -> None:
    """Set steps and frames to a quality's."""
    if name in QUALITIES:
        st.session_state[key("steps")], st.session_state[key("frames")] = QUALITIES[name]
        st.session_state["quality"] = name


def note_quality() -> None:
    """Show the quality that steps and frames amount to, or none."""
    state = st.session_state
    state["quality"] = named(state[key("steps")], state[key("frames")])


def use_model(card: ModelCard) -> None:
    """Set what depends on the model: its native size, its steps, its guidance."""
    state = st.session_state
    state[key("size")], state[key("guidance")] = card.size, card.guidance
    state[key("steps")] = card.steps
    note_quality()


@st.cache_data(ttl=30, show_spinner=False)
def models() -> dict[str, ModelCard]:
    """The models that can be chosen, by name."""
    return {card.name: card for card in available()}


def check() -> tuple[WalkSpec | None, dict[str, str]]:
    """The finished spec, or the sentences that stand in its way by field."""
    try:
        spec = WalkSpec(stops=_stops(), **_settings())
        find(spec.model)
    except ValidationError as error:
        return None, explain(error)
    except MomaLisaError as error:
        return None, {"model": str(error)}
    return spec, {}


def _settings() -> dict[str, Any]:
    return {field: st.session_state[key(field)] for field in (*DEFAULTS, "model")}


def _stops() -> Any:
    # Plain dicts, not Stops: pydantic then reports every mistake at once, each at its place.
    fields = Stop.model_fields
    return [
        {field: st.session_state[f"{field}_{stop_id}"] for field in fields}
        for stop_id in stop_ids()
    ]
