"""The fields for what curators write on a film: star, title, tags and notes."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import streamlit as st
from sqlalchemy.orm import Session

from db import curation, edits
from db.models import Walk
from momalisa.errors import BadInput
from momalisa.ui import error_display, history, sign_in, unsaved
from momalisa.ui.policy import Action


def show_annotation_fields(walk: Walk) -> None:
    """Show the fields for star, title, tags and notes, to be changed only by those who may.

    Each change is saved at once.
    """
    fixed = not sign_in.may(Action.ANNOTATE, walk)
    star, name, tags, notes = (f"{what}_{walk.id}" for what in ("star", "name", "tags", "notes"))
    _refresh_field(star, walk.star)
    st.toggle("Star", key=star, on_change=_save_star, args=(walk.id, star), disabled=fixed)
    _show_title(walk, name, fixed=fixed)
    # Always as stored, which may differ from what was typed: in lower case, for example.
    st.session_state[tags] = st.session_state[_baseline_key(tags)] = walk.tags
    st.multiselect(
        "Tags",
        sorted({*history.usual_tags(), *walk.tags}),
        key=tags,
        accept_new_options=True,
        placeholder="Choose, or type a new one",
        on_change=_save_tags,
        args=(walk.id, tags),
        disabled=fixed,
    )
    _show_notes(walk, notes, fixed=fixed)
    if fixed:
        sign_in.show_invitation(Action.ANNOTATE)


def _show_title(walk: Walk, key: str, *, fixed: bool) -> None:
    """Show the field for the title, with a hidden one that does what that of the notes does."""
    is_new = _baseline_key(key) not in st.session_state
    if not is_new:
        # Always as stored, which may differ from what was typed.
        st.session_state[key] = st.session_state[_baseline_key(key)] = walk.title
    start = walk.title if is_new else ""
    typed = st.text_input(
        "Title",
        start,
        key=key,
        max_chars=max(curation.TITLE_LENGTH, len(walk.title)),
        on_change=_save_title,
        args=(walk.id, key),
        disabled=fixed,
    )
    known = st.text_input("Title stored before", start, key=_baseline_key(key))
    if is_new and not typed == known == walk.title:
        if typed != known:
            _save_title(walk.id, key)
        st.rerun()


def _show_notes(walk: Walk, key: str, *, fixed: bool) -> None:
    """Show the field for notes.

    A hidden field keeps in the browser what they were typed on. So what was typed while the app
    was away is known in the session that follows, and is saved.
    """
    is_new = _baseline_key(key) not in st.session_state
    if not (is_new or st.session_state.get(_refused_key(key))):
        _refresh_field(key, walk.notes)
    start = walk.notes if is_new else ""
    typed = st.text_area(
        "Notes",
        start,
        key=key,
        height=90,
        max_chars=max(curation.NOTES_LENGTH, len(walk.notes)),
        on_change=_save_notes,
        args=(walk.id, key),
        disabled=fixed,
    )
    known = st.text_area("Stored before", start, key=_baseline_key(key))
    if is_new and not typed == known == walk.notes:
        if typed != known:
            _save_notes(walk.id, key)
        st.rerun()


def _refresh_field(key: str, stored: object) -> None:
    """Set a widget to the stored value if that has changed since; keep what is typed otherwise."""
    if st.session_state.get(_baseline_key(key)) != stored or key not in st.session_state:
        st.session_state[key] = st.session_state[_baseline_key(key)] = stored


def _baseline_key(key: str) -> str:
    """The session key of the stored value that a widget was last set to."""
    return f"baseline_{key}"


def _refused_key(key: str) -> str:
    """The session key that says that what is typed in a widget was refused, so it is kept."""
    return f"refused_{key}"


@contextmanager
def _annotating(walk_id: str, written: str = "") -> Iterator[tuple[Session, Walk]]:
    """Open a transaction with a walk that the visitor may annotate.

    Raises NotAllowed, and BadInput with what was `written` if the walk was deleted meanwhile.
    """
    with history.writing() as session:
        walk = edits.lock(session, walk_id)
        if walk is None:
            kept = f" You wrote: {written}" if written else ""
            raise BadInput(f"This film was deleted meanwhile, so nothing was stored.{kept}")
        sign_in.require(Action.ANNOTATE, walk)
        yield session, walk


@error_display.toast_errors
def _save_star(walk_id: str, key: str) -> None:
    star = st.session_state[key]

    def write() -> None:
        with _annotating(walk_id) as (session, _walk):
            curation.set_star(session=session, walk_id=walk_id, star=star)

    unsaved.store(key, write)


@error_display.toast_errors
def _save_notes(walk_id: str, key: str) -> None:
    """Save the notes; append them if another curator has changed the stored ones meanwhile."""
    mine, known = st.session_state[key], st.session_state[_baseline_key(key)]

    def write() -> None:
        others, st.session_state[_refused_key(key)] = False, False
        try:
            with _annotating(walk_id, mine) as (session, _walk):
                others = curation.set_notes(
                    session=session, walk_id=walk_id, notes=mine, known=known
                )
        except curation.NotesTooLong as error:
            st.session_state[_refused_key(key)] = True
            raise BadInput(str(error)) from error
        if others:
            st.toast("Somebody else wrote a note here meanwhile. Both are kept.")

    unsaved.store(key, write)


@error_display.toast_errors
def _save_title(walk_id: str, key: str) -> None:
    title = st.session_state[key]

    def write() -> None:
        with _annotating(walk_id, title) as (session, _walk):
            curation.set_title(session=session, walk_id=walk_id, title=title)

    unsaved.store(key, write)


@error_display.toast_errors
def _save_tags(walk_id: str, key: str) -> None:
    chosen, seen = st.session_state[key], st.session_state[_baseline_key(key)]

    def write() -> None:
        with _annotating(walk_id, ", ".join(chosen)) as (session, walk):
            options = {*history.usual_tags(), *seen, *walk.tags}
            tags = split_tags(chosen, options)
            curation.set_tags(session=session, walk_id=walk_id, tags=tags, known=seen)
        if any(len(tag) > curation.TAG_LENGTH for tag in tags):
            st.toast(
                f"A tag has at most {curation.TAG_LENGTH} characters, so a longer one was cut."
            )

    unsaved.store(key, write)


def split_tags(tags: Iterable[str], known: Collection[str]) -> list[str]:
    """Tags as they are typed: a new one with commas is several."""
    split = [[tag] if tag in known else tag.split(",") for tag in tags]
    return [part.strip() for parts in split for part in parts]
