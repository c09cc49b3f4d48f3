"""Which cached frames only one walk refers to; walks that share a stop may share frames."""

from collections.abc import Iterable

from sqlalchemy import delete, or_, select, true
from sqlalchemy.orm import Session

from db.gallery_query import match_words
from db.models import Still, Walk
from db.text import normalize_words

_BATCH = 500


def find_own_frames(*, session: Session, walk: Walk) -> set[str]:
    """Return the keys of a walk's frames that no other walk refers to; the walk may be deleted.

    Only walks with a prompt in common are read: frames are shared through equal stops.
    """
    own = _keys(walk.progress)
    if not own:
        return own
    prompts = [normalize_words([prompt]).split() for prompt in walk.prompts]
    related = [match_words(session, words) if words else true() for words in prompts]
    others = select(Walk.progress).where(
        Walk.id != walk.id,
        Walk.model == walk.model,
        Walk.size == walk.size,
        Walk.steps == walk.steps,
        or_(*related),
    )
    for progress in session.scalars(others.execution_options(yield_per=_BATCH)):
        own -= _keys(progress)
    return own


def forget_stills(*, session: Session, keys: Iterable[str]) -> None:
    """Delete the answers of stills whose frames are dropped, so that they are painted again."""
    dropped = sorted(keys)
    for start in range(0, len(dropped), _BATCH):
        session.execute(delete(Still).where(Still.key.in_(dropped[start : start + _BATCH])))


def _keys(progress: list[list[str]]) -> set[str]:
    return {str(entry[1]) for entry in progress}
