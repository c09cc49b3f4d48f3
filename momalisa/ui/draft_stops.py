"""The stops of the draft: prompts, seeds and pictures in walking order; see `ui.draft`.

A stop has an id, which is part of the keys of its values. What has no widget of its own, as its
picture, is only an initial value.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st
from pydantic import ValidationError

from momalisa.spec import SEED_LIMIT, STOPS, Stop
from momalisa.stop import Between, Credit, StopImage
from momalisa.ui.draft_values import initial_value, initial_values, widget_value

FIRST_SEED = 7
TYPED, CHOSEN = ("prompt", "seed"), ("image", "between")
"""The parts of a stop that are typed, and those that are chosen and may be missing (None)."""


def stop_ids() -> list[int]:
    """The ids of the stops in walking order; an id is part of the keys of the stop's widgets."""
    return list(st.session_state.stop_ids)


def stop_keys() -> list[str]:
    """The keys of all values of the stops."""
    return [f"{part}_{stop_id}" for part in (*TYPED, *CHOSEN) for stop_id in stop_ids()]


def read_stop(stop_id: int) -> dict[str, Any]:
    """The current values of a stop, not validated."""
    typed = {part: widget_value(f"{part}_{stop_id}") for part in TYPED}
    return typed | {part: initial_values().get(f"{part}_{stop_id}") for part in CHOSEN}


def read_stops() -> list[dict[str, Any]]:
    """The current values of all stops, not validated, in walking order."""
    return [read_stop(stop_id) for stop_id in stop_ids()]


def set_stops(stops: Sequence[Mapping[str, Any]]) -> None:
    """Replace all stops by these values."""
    st.session_state.stop_ids = []
    for stop in stops:
        add_stop(**stop)


def add_stop(prompt: str = "", seed: int | str | None = None, **chosen: Any) -> None:
    """Append a stop unless the walk has the maximum number."""
    ids = stop_ids()
    if len(ids) == STOPS[1]:
        return
    st.session_state.stop_ids = [*ids, _new_stop(prompt, seed, len(ids), chosen)]


def _new_stop(prompt: str, seed: int | str | None, place: int, chosen: Mapping[str, Any]) -> int:
    """Store the values of a new stop; returns its id."""
    # Ids are never reused: a new stop must not inherit what was typed into a removed one.
    new = st.session_state["last_stop"] = int(st.session_state.get("last_stop", 0)) + 1
    values = initial_values()
    values[f"prompt_{new}"] = prompt
    values[f"seed_{new}"] = str(FIRST_SEED + place if seed is None else seed)
    values.update({f"{part}_{new}": chosen.get(part) for part in CHOSEN})
    return new


def remove_stop(stop_id: int) -> None:
    """Remove a stop unless only the minimum of two is left."""
    if len(stop_ids()) > STOPS[0]:
        st.session_state.stop_ids = [each for each in stop_ids() if each != stop_id]


def reverse_stops() -> None:
    """Reverse the order of the stops."""
    st.session_state.stop_ids = stop_ids()[::-1]


def move_stop(stop_id: int, by: int) -> None:
    """Swap a stop with the one `by` positions later, if there is one."""
    ids = stop_ids()
    if stop_id not in ids:  # removed by a click just before
        return
    here, there = ids.index(stop_id), ids.index(stop_id) + by
    if 0 <= there < len(ids):
        ids[here], ids[there] = ids[there], ids[here]
        st.session_state.stop_ids = ids


def change_stop(stop_id: int, **changes: Any) -> None:
    """Replace a stop by a new one that has some other values, in the same place."""
    ids = stop_ids()
    if stop_id in ids:
        place = ids.index(stop_id)
        values = read_stop(stop_id) | changes
        ids[place] = _new_stop(values.pop("prompt"), values.pop("seed"), place, values)
        st.session_state.stop_ids = ids


def picture_of(stop_id: int) -> StopImage | None:
    """The picture of a stop; None if it has none, or a browser sent what is none."""
    with suppress(ValidationError):
        return StopImage.model_validate(initial_values().get(f"image_{stop_id}"))
    return None


def has_own_prompt(stop_id: int) -> bool:
    """Whether the prompt was typed, and did not come with a picture."""
    key = f"prompt_{stop_id}"
    came_along = picture_of(stop_id) is not None and widget_value(key) == initial_value(key)
    return bool(widget_value(key)) and not came_along


def set_crop(stop_id: int, crop: Any) -> None:
    """Show another part of a stop's picture. Raises ValidationError."""
    picture = picture_of(stop_id)
    if picture is not None:
        fields = picture.model_dump(mode="json") | {"crop": crop}
        valid = StopImage.model_validate(fields).model_dump(mode="json")
        initial_values()[f"image_{stop_id}"] = valid


def set_credit(stop_id: int, typed: Mapping[str, Any]) -> None:
    """Say whose work a stop's picture is, unless a museum's record does. Raises ValidationError."""
    picture = picture_of(stop_id)
    credit = (picture.credit if picture else None) or Credit()
    if picture is None or credit.record_address:
        return
    valid = Credit.model_validate(credit.model_dump() | dict(typed))
    picture = picture.model_copy(update={"credit": None if valid == Credit() else valid})
    initial_values()[f"image_{stop_id}"] = picture.model_dump(mode="json")


def are_blank() -> bool:
    """Whether nothing was typed or chosen yet."""
    return not any(_holds_something(stop) for stop in read_stops())


def has_picture(stop: Mapping[str, Any]) -> bool:
    """Whether a stop is a picture or a film's frame."""
    return any(stop.get(part) for part in CHOSEN)


def name_of_frame(stop_id: int) -> str:
    """What is said of a stop that is a film's frame; empty for others."""
    with suppress(ValidationError):
        frame = Between.model_validate(initial_values().get(f"between_{stop_id}"))
        ends = f"“{frame.start.name}” to “{frame.end.name}”"
        return f"A film's frame, {100 * frame.t:.0f} % of the way from {ends}"
    return ""


def _holds_something(stop: Mapping[str, Any]) -> bool:
    return any(stop.get(part) for part in ("prompt", *CHOSEN))


def replace_prompts(prompts: tuple[str, ...]) -> None:
    """Replace the stops by these prompts with default seeds; `undo_replace` restores them."""
    replace_stops([{"prompt": prompt} for prompt in prompts])


def replace_stops(stops: Sequence[Mapping[str, Any]]) -> None:
    """Replace all stops and remember them for `undo_replace`."""
    st.session_state.replaced = read_stops()
    set_stops(stops)


def undo_replace() -> None:
    """Swap the stops with those that were replaced last; a second call swaps them back."""
    replace_stops(_replaced_stops())


def can_undo_replace() -> bool:
    """Whether stops with prompts or pictures were replaced."""
    return any(map(_holds_something, _replaced_stops()))


def _replaced_stops() -> list[dict[str, Any]]:
    """The stops before the last replacement, for `undo_replace`."""
    stops: list[dict[str, Any]] = st.session_state.get("replaced", [])
    return stops


def randomize_seeds() -> None:
    """Give every stop a random seed."""
    set_stops([stop | {"seed": secrets.randbelow(SEED_LIMIT)} for stop in read_stops()])


def typed_stops() -> list[tuple[str, str, int]]:
    """The key, the text and the seed of each prompt's field; without those of a wrong seed.

    Without key and text for a picture, whose prompt alone says little of the film.
    """
    stops = []
    for stop_id in stop_ids():
        with suppress(ValidationError):
            seed = Stop.model_validate(
                {"prompt": "any", "seed": widget_value(f"seed_{stop_id}")}
            ).seed
            key = f"prompt_{stop_id}"
            is_picture = has_picture(read_stop(stop_id))
            stops.append(("", "", seed) if is_picture else (key, str(widget_value(key)), seed))
    return stops
