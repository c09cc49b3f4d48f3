"""The draft of a walk: what is typed in Create's form, in the session until it is a WalkSpec.

Every value is stored under the key of its widget, so that neither mistakes nor changes of page
lose what is typed. To set a value, the program gives the widget a new key with another initial
value: writing to the old key would race with what is being typed. Call `ensure_draft` first.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import streamlit as st
from pydantic import ValidationError

from momalisa.errors import BadInput, ModelBroken, ModelNotFound, MomaLisaError
from momalisa.models.cards import ModelCard
from momalisa.models.registry import available, find, find_for_visitor
from momalisa.picture_size import split_size
from momalisa.settings import settings
from momalisa.spec import LEFT_OUT, STOPS, WalkSpec, explain
from momalisa.ui import draft_loras, draft_stops
from momalisa.ui.create.presets import PLACEHOLDERS
from momalisa.ui.create.quality import QUALITIES, find_quality, steps_of
from momalisa.ui.draft_values import initial_values, widget_value
from momalisa.walk_cost import WalkTooLarge, check_cost

LOCAL, ENDPOINT = "on this machine", "at the endpoint"
FIELDS = tuple(name for name in WalkSpec.model_fields if name not in ("stops", "height", "loras"))
"""All settings of a walk; stops and LoRAs are stored separately. The size is text: "512x768"."""


def ensure_draft() -> None:
    """Create the session's draft if it has none: two empty stops and the default settings."""
    if "stop_ids" in st.session_state:
        return
    for field in FIELDS:
        set_field(field, WalkSpec.model_fields[field].default)
    set_field("loop", "boomerang")  # a GIF plays endlessly, so it should not jump at its end
    for field, value in default_fields().items():
        set_field(field, value)
    draft_stops.set_stops([{}, {}])


def default_fields() -> dict[str, Any]:
    """A new walk's fields that are the model's, of the gallery's model; fewer if it is not here."""
    with suppress(MomaLisaError):
        return find(settings().model).new_walk
    return {"model": settings().model, "without": LEFT_OUT}


def restore_from_browser() -> bool:
    """Keep the draft's shape in the browser; restore it in a new session and return whether so.

    After a restart of the server the browser sends what is typed, but not which fields there
    were. A hidden text field keeps that.
    """
    new = "stop_ids" not in st.session_state
    if not new:
        st.session_state.shape = json.dumps(_shape())
    shape = st.text_input("Shape of the draft", key="shape")
    if new and shape:
        with suppress(ValueError, TypeError, KeyError):  # it is no browser that sends others
            _restore_shape(json.loads(shape))
            return True
    return False


def _shape() -> dict[str, Any]:
    """The fields of the form: stops in order, versions of keys, initial values."""
    keys = [*map(widget_key, FIELDS), *draft_stops.stop_keys(), *draft_loras.keys()]
    return {
        "stop_ids": draft_stops.stop_ids(),
        "last_stop": st.session_state.last_stop,
        "versions": _versions(),
        "starts": {key: initial_values().get(key) for key in keys},
    }


def _restore_shape(shape: Mapping[str, Any]) -> None:
    ensure_draft()  # for fields that the earlier version of the app did not have
    _versions().update(shape["versions"])
    initial_values().update(shape["starts"])
    st.session_state.stop_ids = shape["stop_ids"][: STOPS[1]]
    st.session_state.last_stop = shape["last_stop"]


def load_spec(spec: Mapping[str, Any]) -> None:
    """Set the draft to a stored spec; what an older one does not say is what it meant.

    Fields of a damaged one keep their values. `undo_replace` restores the replaced stops.
    """
    ensure_draft()
    with suppress(ValidationError):
        valid = WalkSpec.from_stored(spec)
        said = {"size": valid.typed_size, "prompt_weights": valid.prompt_weights}
        spec = valid.model_dump(mode="json") | said
    for field in FIELDS:
        if field in spec:
            set_field(field, spec[field])
    draft_loras.set_loras(spec.get("loras", ()))
    if "stops" in spec:
        draft_stops.replace_stops(spec["stops"])


def widget_key(field: str) -> str:
    """The current key of a setting's widget."""
    return f"walk_{field}_{_versions().get(field, 0)}"


def field_value(field: str) -> Any:
    """The current value of a setting, not validated."""
    return widget_value(widget_key(field))


def film_shape() -> tuple[int, int]:
    """The width and height of the film, or their ratio; a square where the size is none."""
    size = str(field_value("size"))
    width, height = split_size(size) or (size, size)
    sides = [int(side) for side in (width, height) if side.isdecimal() and len(side) <= 9]
    return (sides[0], sides[1]) if len(sides) == 2 and all(sides) else (1, 1)


def set_field(field: str, value: Any) -> None:
    """Set a setting, by giving its widget a new key with this initial value."""
    versions = _versions()
    versions[field] = versions.get(field, 0) + 1
    initial_values()[widget_key(field)] = str(value) if field == "size" else value


def _versions() -> dict[str, int]:
    """How often each setting was set by the program; part of its widget's key."""
    versions: dict[str, int] = st.session_state.setdefault("versions", {})
    return versions


def runs_locally() -> bool:
    """Whether this machine is chosen to render the walk although an endpoint is configured."""
    return st.session_state.get("made") == LOCAL


def is_made_here() -> bool:
    """Whether this machine's own worker renders the walk, as far as the draft decides it."""
    return not settings().endpoint or runs_locally()


def current_quality() -> str | None:
    """The name of the quality with the draft's steps and frames, if there is one."""
    card = chosen_card()
    return find_quality(field_value("steps"), field_value("frames"), card) if card else None


def set_quality(name: str | None) -> None:
    """Set steps and frames to those of a quality; ignores unknown names."""
    if name in QUALITIES:
        set_field("frames", QUALITIES[name].frames)
        if card := chosen_card():
            set_field("steps", steps_of(name, card))


def chosen_card() -> ModelCard | None:
    """The card of the draft's model; None if there is no such model here."""
    name = str(field_value("model") or "")
    with suppress(MomaLisaError):
        # Not in the list are folders and hub ids that were typed.
        return model_cards().get(name) or find_for_visitor(name)
    return None


def explain_broken(card: ModelCard) -> str:
    """Why a model that is here would not be loaded, as a sentence; "" if nothing is known."""
    try:
        with suppress(ModelNotFound):  # which its card says
            find_for_visitor(card.name)
    except ModelBroken as error:
        return str(error)
    return ""


def advice_on_steps() -> str:
    """A sentence if the model is asked for other steps or guidance than its own few; else ""."""
    card, steps, guidance = chosen_card(), field_value("steps"), field_value("guidance")
    if card is None or steps is None or guidance is None:
        return ""
    return card.warn(steps, guidance)


def advice_on_negative() -> str:
    """A sentence if a negative prompt has no effect; else ""."""
    card, guidance = chosen_card(), field_value("guidance")
    return "" if card is None or guidance is None else card.warn_of_negative(guidance)


def apply_model_defaults(card: ModelCard) -> None:
    """Set what `ModelCard.new_walk` names to the model's defaults.

    Weights of words give way to none where it has none.
    """
    if card.refuse_weights():
        set_field("prompt_weights", False)
    for field, default in card.new_walk.items():
        if field != "model":  # it may still be being typed
            set_field(field, default)


@st.cache_data(ttl=30, show_spinner=False)
def model_cards() -> dict[str, ModelCard]:
    """The known models by name, those on this machine first; cached for 30 seconds."""
    return {card.name: card for card in sorted(available(), key=lambda card: not card.ready)}


def validate() -> tuple[WalkSpec | None, dict[str, str]]:
    """The draft as a spec and no errors, or None and the error messages by field."""
    try:
        loras = draft_loras.read_loras()
    except BadInput as error:
        return None, {"loras": str(error)}
    fields = {"loras": loras, **{field: field_value(field) for field in FIELDS}}
    try:
        spec = WalkSpec(stops=draft_stops.read_stops(), **fields)
        card = find_for_visitor(spec.model)
        check_cost(spec, settings().largest_walk)
    except ValidationError as error:
        return None, explain(error)
    except WalkTooLarge as error:
        return None, {"frames": str(error)}
    except MomaLisaError as error:
        return None, {"model": _explain_model(spec.model, error)}
    if refusal := card.refuse(spec.interpolation):
        return None, {"interpolation": refusal}
    if refusal := card.refuse_steps(spec.steps):
        return None, {"steps": refusal}
    if spec.prompt_weights and (refusal := card.refuse_weights()):
        return None, {"prompt_weights": refusal}
    return spec, {}


def settings_to_paint() -> WalkSpec | None:
    """The draft's settings with any two stops, to paint one of its own; None if they are wrong."""
    left_out = ("frames", "pacing", "strength", "fps", "loop")
    names = [name for name in FIELDS if name not in left_out]
    stops = [{"prompt": prompt} for prompt in PLACEHOLDERS[:2]]
    with suppress(ValidationError, MomaLisaError):
        loras = [{**lora, "weights": lora["weights"][:1]} for lora in draft_loras.read_loras()]
        fields = {"loras": loras, **{name: field_value(name) for name in names}}
        spec = WalkSpec(stops=stops, **fields)
        find_for_visitor(spec.model)
        return spec
    return None


def _explain_model(name: str, error: MomaLisaError) -> str:
    """The error's sentence; for the settings' own model, one for those who did not choose it."""
    if name != settings().model or not isinstance(error, ModelNotFound):
        return str(error)
    return (
        f"The model that this gallery starts with, “{name}”, is not here. Please choose another "
        "one, and tell those who run the gallery: MOMALISA_MODEL names it."
    )
