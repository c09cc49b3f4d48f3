"""The walk on the easel: what is typed on Create, kept in the session until it is a WalkSpec.

Every value lives under the key of its widget, so that nothing typed is ever lost: not to a
mistake, not to another page. What the program sets, it sets as the start value of a new key: to
write under the old one would race with what is being typed. Call `begin` before all else.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st
from pydantic import ValidationError

from momalisa.errors import MomaLisaError
from momalisa.models.registry import ModelCard, available, find
from momalisa.settings import settings
from momalisa.spec import SEED_LIMIT, STOPS, Stop, WalkSpec, explain
from momalisa.ui.create.quality import QUALITIES, named

FIRST_SEED = 7
HERE, THERE = "on this machine", "at the endpoint"
FIELDS = tuple(name for name in WalkSpec.model_fields if name != "stops")


def begin() -> None:
    """Make sure that there is a draft: two empty stops and the defaults of a WalkSpec."""
    if "stop_ids" in st.session_state:
        return
    for field in FIELDS:
        put(field, WalkSpec.model_fields[field].default)
    put("model", settings().model)
    put("loop", "boomerang")  # on a wall a film plays for ever, so it should not jump
    choose_quality("Study")
    with suppress(MomaLisaError):
        use_model(find(settings().model))
    hang_stops([("", FIRST_SEED), ("", FIRST_SEED + 1)])


def outlive_the_server() -> bool:
    """Let the browser keep the draft's shape; whether this new session has just got it back.

    To a server that begins anew the browser tells what is typed, but not into which fields. So it
    has one more of them, out of sight, that says so.
    """
    new = "stop_ids" not in st.session_state
    if not new:
        st.session_state.shape = json.dumps(_shape())
    kept = st.text_input("Shape of the draft", key="shape")
    if new and kept:
        _take_back(json.loads(kept))
        return True
    return False


def _shape() -> dict[str, Any]:
    """Which fields there are now, in which order, and what they showed at first."""
    fields = [*map(key, FIELDS), *(f"{part}_{n}" for part in Stop.model_fields for n in stop_ids())]
    return {
        "stop_ids": stop_ids(),
        "last_stop": st.session_state.last_stop,
        "versions": _versions(),
        "starts": {field: start(field) for field in fields},
    }


def _take_back(shape: Mapping[str, Any]) -> None:
    begin()  # for the fields that the server before did not have
    _versions().update(shape["versions"])
    _starts().update(shape["starts"])
    st.session_state.stop_ids = shape["stop_ids"][: STOPS[1]]
    st.session_state.last_stop = shape["last_stop"]


def load(spec: Mapping[str, Any]) -> None:
    """Put a stored walk's settings on the easel, as far as it has any.

    `put_back` brings the stops back that it replaces.
    """
    begin()
    for field in FIELDS:
        if field in spec:
            put(field, spec[field])
    if "stops" in spec:
        _exchange([(stop["prompt"], stop["seed"]) for stop in spec["stops"]])


def key(field: str) -> str:
    """The key of a setting's widget."""
    return f"walk_{field}_{_versions().get(field, 0)}"


def start(key: str) -> Any:
    """What a widget shows until somebody changes it."""
    return _starts()[key]


def typed(key: str) -> Any:
    """What a widget holds now, right or wrong."""
    return st.session_state.get(key, start(key))


def value(field: str) -> Any:
    """What a setting is now, right or wrong."""
    return typed(key(field))


def put(field: str, value: Any) -> None:
    """Set a setting; its widget is a new one from now on."""
    versions = _versions()
    versions[field] = versions.get(field, 0) + 1
    _starts()[key(field)] = value


def _versions() -> dict[str, int]:
    versions: dict[str, int] = st.session_state.setdefault("versions", {})
    return versions


def _starts() -> dict[str, Any]:
    starts: dict[str, Any] = st.session_state.setdefault("starts", {})
    return starts


def stop_ids() -> list[int]:
    """The stops in walking order, each by the number in its widgets' keys."""
    return list(st.session_state.stop_ids)


def hang_stops(stops: Sequence[tuple[str, int | str]]) -> None:
    """Replace all stops by these prompts and seeds."""
    st.session_state.stop_ids = []
    for prompt, seed in stops:
        add_stop(prompt, seed)


def add_stop(prompt: str = "", seed: int | str | None = None) -> None:
    """One stop more, at the end, if a walk may have one more."""
    ids = stop_ids()
    if len(ids) == STOPS[1]:
        return
    # Ids only count up: a new stop must not inherit what was typed into a removed one.
    new = st.session_state["last_stop"] = st.session_state.get("last_stop", 0) + 1
    st.session_state.stop_ids = [*ids, new]
    _starts()[f"prompt_{new}"] = prompt
    _starts()[f"seed_{new}"] = str(FIRST_SEED + len(ids) if seed is None else seed)


def remove_stop(stop_id: int) -> None:
    """Take a stop away; two always remain."""
    if len(stop_ids()) > STOPS[0]:
        st.session_state.stop_ids = [each for each in stop_ids() if each != stop_id]


def turn_round() -> None:
    """Walk the other way: with two stops, swap them."""
    st.session_state.stop_ids = stop_ids()[::-1]


def move_stop(stop_id: int, by: int) -> None:
    """Let a stop, with its seed, change places with the one `by` places on, if there is one."""
    ids = stop_ids()
    here, there = ids.index(stop_id), ids.index(stop_id) + by
    if 0 <= there < len(ids):
        ids[here], ids[there] = ids[there], ids[here]
        st.session_state.stop_ids = ids


def prompts() -> list[str]:
    """The prompts as they are typed."""
    return [str(typed(f"prompt_{stop_id}")) for stop_id in stop_ids()]


def use_prompts(prompts: tuple[str, ...]) -> None:
    """Replace the prompts and leave every setting as it is; `put_back` undoes it."""
    _exchange([(prompt, FIRST_SEED + place) for place, prompt in enumerate(prompts)])


def put_back() -> None:
    """The stops as they were before others took their place; the next call brings those back."""
    _exchange(_replaced())


def replaced() -> bool:
    """Whether there are prompts to put back."""
    return any(prompt for prompt, _ in _replaced())


def _replaced() -> list[tuple[str, int | str]]:
    stops: list[tuple[str, int | str]] = st.session_state.get("replaced", [])
    return stops


def _exchange(stops: Sequence[tuple[str, int | str]]) -> None:
    seeds = [str(typed(f"seed_{stop_id}")) for stop_id in stop_ids()]
    st.session_state.replaced = list(zip(prompts(), seeds, strict=True))
    hang_stops(stops)


def use_new_seeds() -> None:
    """Fresh noise for every stop."""
    hang_stops([(prompt, secrets.randbelow(SEED_LIMIT)) for prompt in prompts()])


def made_here() -> bool:
    """Whether the walk shall be made on this machine although there is an endpoint."""
    return st.session_state.get("made") == HERE


def quality() -> str | None:
    """The quality that steps and frames amount to, if they do."""
    return named(value("steps"), value("frames"))


def choose_quality(name: str | None) -> None:
    """Set steps and frames to a quality's."""
    if name in QUALITIES:
        put("steps", QUALITIES[name].steps)
        put("frames", QUALITIES[name].frames)


def use_model(card: ModelCard) -> None:
    """Set what depends on the model: its native size, its steps, its guidance."""
    for field, native in (("size", card.size), ("steps", card.steps), ("guidance", card.guidance)):
        put(field, native)


@st.cache_data(ttl=30, show_spinner=False)
def models() -> dict[str, ModelCard]:
    """The models that can be chosen, by name."""
    return {card.name: card for card in available()}


def check() -> tuple[WalkSpec | None, dict[str, str]]:
    """The finished spec, or the sentences that stand in its way by field."""
    try:
        spec = WalkSpec(stops=_stops(), **{field: value(field) for field in FIELDS})
        find(spec.model)
    except ValidationError as error:
        return None, explain(error)
    except MomaLisaError as error:
        return None, {"model": str(error)}
    return spec, {}


def _stops() -> Any:
    # Plain dicts, not Stops: pydantic then reports every mistake at once, each at its place.
    return [
        {part: typed(f"{part}_{stop_id}") for part in Stop.model_fields} for stop_id in stop_ids()
    ]
