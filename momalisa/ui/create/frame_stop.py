"""A film's frame as a stop: Create opens with a walk that begins or ends with it."""

from typing import Any, NoReturn

from db.models import Walk
from momalisa import frame_stops, stop_pictures
from momalisa.engine.frame_cache import open_frame_cache
from momalisa.errors import BadInput
from momalisa.settings import settings
from momalisa.spec import Place, WalkSpec
from momalisa.stop import Stop, StopImage
from momalisa.ui import draft, draft_stops, film_detail, own_pictures, sign_in, submit

NEAR = 0.006
"""How near to a frame, as a part of its leg, a place counts as the frame's."""
NO_FRAME = (
    "There is no finished frame at this place, and from between this film's frames no walk can "
    "begin. Please choose a place where a frame is."
)


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


def find_stop(walk: Walk, spec: WalkSpec, position: float) -> Stop:
    """The stop that shows what the film shows at a position. Raises BadInput."""
    frames = _locate_frames(walk, spec)
    nearest = min(frames, key=lambda at: abs(at - position), default=None)
    is_frame = nearest is not None and abs(nearest - position) <= NEAR
    at = nearest if nearest is not None and is_frame else position
    leg = min(int(at), len(spec.legs) - 1)
    place = Place(leg, at - leg)
    stop = frame_stops.begin_at(spec, place)
    if stop is not None:
        return stop
    if nearest is None or not is_frame:
        raise BadInput(NO_FRAME)
    path = open_frame_cache(settings()).path(frames[nearest])
    if not path.exists():
        raise BadInput("The frame is no longer at hand here. Please make the walk again.")
    picture = stop_pictures.take_in(path)
    own_pictures.keep(picture, sign_in.current_visitor().maker)
    credit = frame_stops.credit_frame(spec, place)
    return Stop(prompt="", image=StopImage(digest=picture.digest, credit=credit))


def _locate_frames(walk: Walk, spec: WalkSpec) -> dict[float, str]:
    """The keys of the finished frames by their positions, in legs; see `scrub.located_frames`."""
    places = spec.places()
    return {
        places[index].leg + places[index].t: str(key)
        for index, key, *rough in walk.progress
        if not rough and (spec.pacing != "even" or places[index].t in (0.0, 1.0))
    }
