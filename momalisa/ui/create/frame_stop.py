"""A film's frame as a stop: Create opens with a walk that begins or ends with it."""

from contextlib import suppress
from typing import Any, NoReturn

import streamlit as st
from pydantic import ValidationError

from db.models import Walk
from momalisa import frame_stops, stop_pictures
from momalisa.engine.frame_cache import frame_key, open_frame_cache
from momalisa.engine.shortcuts import fit_to_checkpoint
from momalisa.errors import BadInput, MomaLisaError
from momalisa.models.registry import find
from momalisa.settings import settings
from momalisa.spec import Place, WalkSpec
from momalisa.stop import Stop, StopImage
from momalisa.ui import draft, draft_stops, film_detail, own_pictures, sign_in, submit

NEAR = 0.006
"""How near to a frame, as a part of its leg, a place counts as the frame's."""
NO_FRAME = (
    "There is no finished frame at this place, and no picture that was painted between the frames. "
    "Please wait for it, or choose a place where a frame is."
)
GONE = "The frame is no longer at hand here. Please make the walk again."
_CHANGED = (
    "This is a frame of a film that was made with other settings: {}. It is painted anew with the "
    "settings of this walk, and will look different from the film."
)
_FILMS = "films_of_frames"
"""The films and places of the frames that were chosen as stops in this session, by stop."""


def open_with_frame(walk: Walk, position: float, *, as_end: bool) -> NoReturn:
    """Open Create with the frame at a position, in legs, as the first or last stop of a new walk.

    The settings are the film's. A picture or frame that is the draft's other end stays, so that two
    films can be joined. Raises BadInput where that place cannot be a stop.
    """
    spec = submit.spec_again(walk)
    frame = find_stop(walk, spec, position).model_dump(mode="json")
    draft.ensure_draft()
    other = draft_stops.read_stops()[0 if as_end else -1]
    kept: dict[str, Any] = other if draft_stops.has_picture(other) else {}
    draft.load_spec(submit.fields_again(walk))
    draft_stops.set_stops([kept, frame] if as_end else [frame, kept])
    film_detail.open_create_form()


def _note_film(stop: Stop, film: WalkSpec, place: Place) -> None:
    """Remember which film's frame a stop is, for `tell_change`."""
    if stop.image is None:
        films: dict[str, tuple[WalkSpec, Place]] = st.session_state.setdefault(_FILMS, {})
        films[stop.model_dump_json()] = film, place


def tell_change(stop_id: int) -> str:
    """A sentence if a stop was a film's frame and this walk's settings paint it otherwise; or "".

    Two films that are joined may have been made with different settings, and a walk has one set.
    """
    films: dict[str, tuple[WalkSpec, Place]] = st.session_state.get(_FILMS, {})
    settings_now = draft.settings_to_paint()
    if not films or settings_now is None:
        return ""
    with suppress(ValidationError):
        stop = Stop.model_validate(draft_stops.read_stop(stop_id))
        if noted := films.get(stop.model_dump_json()):
            film, place = noted
            spec = settings_now.model_copy(update={"stops": (stop, *settings_now.stops[1:])})
            now = frame_key(spec, Place(0, 0.0), spec.model)
            if now != frame_key(film, place, film.model):
                return _CHANGED.format(frame_stops.tell_settings(film))
    return ""


def find_stop(walk: Walk, spec: WalkSpec, position: float) -> Stop:
    """The stop that shows what the film shows at a position. Raises BadInput."""
    frames = locate_frames(walk, spec)
    nearest = min(frames, key=lambda at: abs(at - position), default=None)
    is_frame = nearest is not None and abs(nearest - position) <= NEAR
    at = nearest if nearest is not None and is_frame else position
    leg = min(int(at), len(spec.legs) - 1)
    place = Place(leg, at - leg)
    stop = frame_stops.begin_at(spec, place)
    if stop is not None:
        _note_film(stop, spec, place)
        return stop
    frame = frames[nearest] if nearest is not None and is_frame else ""
    path = open_frame_cache(settings()).path(frame or _key_between(walk, spec, place))
    if not path.exists():
        raise BadInput(GONE if frame else NO_FRAME)
    picture = stop_pictures.take_in(path)
    own_pictures.keep(picture, sign_in.current_visitor().maker)
    credit = frame_stops.credit_frame(spec, place)
    return Stop(prompt="", image=StopImage(digest=picture.digest, credit=credit))


def _key_between(walk: Walk, spec: WalkSpec, place: Place) -> str:
    """The key of the picture that is painted at a place between a film's frames."""
    with suppress(MomaLisaError):
        spec = fit_to_checkpoint(spec, distilled=find(spec.model).distilled)
    return frame_key(spec, Place(place.leg, round(place.t, 2)), walk.model_digest)


def locate_frames(walk: Walk, spec: WalkSpec) -> dict[float, str]:
    """The keys of the finished frames with a known position, by that position, in legs.

    With even pacing only the frames at the stops are known, since the other positions are not
    stored.
    """
    places = spec.places()
    return {
        places[index].leg + places[index].t: str(key)
        for index, key, *rough in walk.progress
        if not rough and (spec.pacing != "even" or places[index].t in (0.0, 1.0))
    }
