"""What curators write on a finished film: title, tags, star and notes.

Every change is an edit of that field (`db.edits`), after which the film's record is stored anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db import edits, votes
from db.models import State, Tag, Walk
from db.text import clean_line

TITLE_LENGTH, TAG_LENGTH, NOTES_LENGTH = 500, 64, 20_000
"""Most characters: a record of more than 2 MB could not be read back."""
MOST_TAGS = 1_000
"""Most tags of a film."""


class NotesTooLong(ValueError):
    """The notes have more than NOTES_LENGTH characters; the message is a sentence for curators."""


def set_title(*, session: Session, walk_id: str, title: str) -> str:
    """Set a walk's title, cleaned by `clean_title`, and return it; a blank one changes nothing.

    Raises KeyError when there is no such walk.
    """
    walk = _get_walk(session, walk_id)
    _change(session, walk, "title", clean_title(title) or walk.title)
    return walk.title


def clean_title(title: str) -> str:
    """Return a title as one printable line of at most 500 characters; it may become blank."""
    return clean_line(title, TITLE_LENGTH)


def set_tags(
    *, session: Session, walk_id: str, tags: Iterable[str], known: Iterable[str] | None = None
) -> list[str]:
    """Replace a walk's tags and return the new ones, cleaned and sorted.

    Tags are lower case, at most 64 characters, with single spaces; blanks and duplicates are
    dropped, and all after the first MOST_TAGS. `known` are the tags that the writer saw: what
    others added or removed since stays so. Raises KeyError when there is no such walk.
    """
    walk = _get_walk(session, walk_id)
    before = walk.tags
    seen = set(before if known is None else known)
    mine = [name for name in tags if name not in seen.difference(before)]
    _set_tags(walk, [*mine, *set(before).difference(seen)])
    if walk.tags != before:
        edits.mark_edited(session, walk, "tags")
    session.flush()
    return walk.tags


def set_star(*, session: Session, walk_id: str, star: bool) -> None:
    """Set or remove a walk's star. Raises KeyError when there is no such walk."""
    _change(session, _get_walk(session, walk_id), "star", star)


def set_notes(*, session: Session, walk_id: str, notes: str, known: str | None) -> bool:
    """Set a walk's notes; True if others were kept above them.

    That is so if the stored ones are not those that the writer knew: another curator wrote them
    meanwhile. Raises NotesTooLong, KeyError when there is no such walk.
    """
    walk = _get_walk(session, walk_id)
    others = walk.notes not in (notes, known)
    new = f"{walk.notes}\n{notes}".strip() if others else notes
    # Longer notes from before there was a limit may be shortened step by step.
    if len(new) > max(NOTES_LENGTH, 0 if others else len(walk.notes)):
        above = "With what another curator wrote here meanwhile, the" if others else "The"
        raise NotesTooLong(
            f"{above} notes have {len(new):,} characters, and {NOTES_LENGTH:,} are kept at most. "
            "Please shorten yours; nothing was saved yet."
        )
    _change(session, walk, "notes", new)
    return others


def take_in(
    *,
    session: Session,
    walk_id: str,
    fields: Mapping[str, Any],
    edit_times: Mapping[str, datetime],
    edited_at: datetime | None,
    parent: str | None,
    recorded_votes: Sequence[Mapping[str, Any]],
    record_stored_at: datetime | None,
) -> bool:
    """Take what a stored record says into a film's row; True if a field of it won.

    The later edit of each of `edits.FIELDS` wins; where that is the row's, the record is written
    anew. Votes are added to those of the row; a parent is set if there was none. False, and
    nothing done, if there is no such film.
    """
    if recorded_votes:
        votes.lock_intake(session)  # before the film's lock, which a cast vote takes alone
    walk = edits.lock(session, walk_id)
    if walk is None or walk.state is not State.DONE:
        return False
    was_stale = walk.record_is_stale
    times = edits.believe(session, edit_times, walk.edit_times)
    won, lost = _take_in_fields(walk, fields, times)
    if parent != walk_id and walk.parent is None and parent and session.get(Walk, parent):
        walk.parent = parent
    complete = votes.take_in(session=session, walk_id=walk_id, votes=recorded_votes)
    if complete and walk.parent == parent:
        # Else it is read again, once the films that it names may be there.
        walk.record_stored_at = record_stored_at
    # Later than every edit in the row, so that the next one is later still.
    known = edits.believe(session, {"title": edited_at} if edited_at else {})
    changes = (*known.values(), *edits.read_times(walk).values(), walk.edited_at)
    walk.edited_at = max((time for time in changes if time), default=None)
    if lost or votes.count_of(session=session, walk_id=walk_id) > len(recorded_votes):
        edits.mark_stale(session, walk)  # the record lacks what this history has
    elif not was_stale:
        walk.recorded_at = walk.edited_at
    session.flush()
    return won


def _take_in_fields(
    walk: Walk, fields: Mapping[str, Any], edit_times: Mapping[str, datetime]
) -> tuple[bool, bool]:
    """Set the fields that another history edited later; whether there are such, and others."""
    theirs = {**fields, "title": clean_title(fields["title"]) or walk.title}
    theirs["tags"] = sorted(tag.name for tag in create_tags(fields["tags"]))
    own_times, results = edits.read_times(walk), set()
    for name in edits.FIELDS:
        value, time = theirs[name], edit_times.get(name)
        result = edits.compare(name, getattr(walk, name), value, own_times.get(name), time)
        results.add(result)
        if result > 0 and name == "tags":
            _set_tags(walk, value)
        elif result > 0:
            setattr(walk, name, value)
        if result >= 0 and time:
            own_times[name] = max(time, own_times.get(name, time))
    walk.edit_times = edits.write_times(own_times)
    return 1 in results, -1 in results


def _set_tags(walk: Walk, names: Iterable[str]) -> None:
    existing = {tag.name: tag for tag in walk.tagged}
    walk.tagged = [existing.get(tag.name, tag) for tag in create_tags(names)]


def _change(session: Session, walk: Walk, field: str, value: object) -> None:
    """Set a field, which is an edit if its value is another one."""
    if getattr(walk, field) != value:
        setattr(walk, field, value)
        edits.mark_edited(session, walk, field)
    session.flush()


def create_tags(names: Iterable[str]) -> list[Tag]:
    """Return new rows for the tags, cleaned as `set_tags` says."""
    clean = {clean_line(name.lower(), TAG_LENGTH) for name in names}
    return [Tag(name=name) for name in sorted(clean - {""})[:MOST_TAGS]]


def _get_walk(session: Session, walk_id: str) -> Walk:
    walk = edits.lock(session, walk_id)
    if walk is None:
        raise KeyError(walk_id)
    return walk
