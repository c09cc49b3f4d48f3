"""Titles and tags: what curators write on a finished walk."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from db.models import Tag, Walk
from db.text import clean_line

_TITLE_LENGTH = 500
_TAG_LENGTH = 64


def set_title(*, session: Session, walk_id: str, title: str) -> str:
    """Set a walk's title, cleaned by `clean_title`, and return it; a blank one changes nothing.

    Raises KeyError when there is no such walk.
    """
    walk = _get_walk(session, walk_id)
    walk.title = clean_title(title) or walk.title
    session.flush()
    return walk.title


def clean_title(title: str) -> str:
    """Return a title as one printable line of at most 500 characters; it may become blank."""
    return clean_line(title, _TITLE_LENGTH)


def set_tags(*, session: Session, walk_id: str, tags: Iterable[str]) -> list[str]:
    """Replace a walk's tags and return the new ones, cleaned and sorted.

    Tags are lower case, at most 64 characters, with single spaces; blanks and duplicates are
    dropped. Raises KeyError when there is no such walk.
    """
    walk = _get_walk(session, walk_id)
    existing = {tag.name: tag for tag in walk.tagged}
    walk.tagged = [existing.get(tag.name, tag) for tag in create_tags(tags)]
    session.flush()
    return walk.tags


def create_tags(names: Iterable[str]) -> list[Tag]:
    """Return new rows for the tags, cleaned as `set_tags` says."""
    clean = {clean_line(name.lower(), _TAG_LENGTH) for name in names}
    return [Tag(name=name) for name in sorted(clean - {""})]


def _get_walk(session: Session, walk_id: str) -> Walk:
    walk = session.get(Walk, walk_id)
    if walk is None:
        raise KeyError(walk_id)
    return walk
