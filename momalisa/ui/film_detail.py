"""A finished film on the wall: the player, its label, and what can be done with it."""

from contextlib import suppress
from typing import NoReturn
from urllib.parse import urlsplit

import streamlit as st

from db import walks
from db.models import Walk
from momalisa.settings import settings
from momalisa.storage import open_storage
from momalisa.storage.outbox import open_outbox
from momalisa.ui import draft, error_display, history, page_paths, submit
from momalisa.ui.components.player import Film, player
from momalisa.ui.http import downloads
from momalisa.worker.courier import delete_walk

UNMEASURED = 256
"""Pixels of a frame of another program's film, until the player has looked into it."""
HURRY = 3.0
"""Seconds to try to reach the storage for files that the outbox can delete later."""


def film(walk: Walk, *, title: str = "") -> Film:
    """A done walk's film, as the player takes it."""
    return Film(
        url=history.address(walk, "gif"),
        poster=history.address(walk, "poster"),
        alt=described(walk),
        size=walk.size or UNMEASURED,
        title=title,
    )


def described(walk: Walk) -> str:
    """What is seen, for those who do not see it."""
    return f"Film that turns {' into '.join(walk.prompts)}" if walk.prompts else walk.title


def show(walk: Walk) -> None:
    """Play the film."""
    player(film(walk), key=f"player_{walk.id}")


def take_away(walk: Walk) -> None:
    """Download and share."""
    name = f"{walk.accession}.gif"
    st.link_button(
        "Download GIF",
        history.address(walk, "gif", download=name),
        icon=":material/download:",
    )
    with st.popover("Other formats", icon=":material/download:"):
        for kind, address in downloads.offers(walk).items():
            st.link_button(kind, address, type="tertiary")
    with st.popover("Share", icon=":material/link:"):
        st.write("Whoever opens this link sees the film and its label.")
        st.code(_link(walk), language=None, wrap_lines=True)


def _link(walk: Walk) -> str:
    here = urlsplit(st.context.url or "")
    return f"{here.scheme}://{here.netloc}/gallery?walk={walk.id}"


def use(walk: Walk) -> None:
    """The ways to Create: with all settings of the film, or with its prompts only."""
    if not submit.repeatable(walk):
        return
    st.page_link(page_paths.CREATE, label="Use all settings", query_params={"use": walk.id})
    if st.button("Use prompts", key=f"prompts_{walk.id}", help="With the settings on Create"):
        draft.begin()
        draft.use_prompts(tuple(walk.prompts))
        to_easel()


def to_easel() -> NoReturn:
    """To Create, where the draft stands and no film."""
    st.session_state.pop("on_show", None)
    st.switch_page(page_paths.CREATE, query_params={})


def carry_on(walk: Walk) -> None:
    """What comes after a film: the same from new noise, or in another pacing beside it."""
    if not submit.repeatable(walk):
        return
    pacing = submit.other_pacing(walk)
    if st.button(
        "Remix",
        key=f"remix_{walk.id}",
        icon=":material/casino:",
        help="The same prompts from new seeds",
    ):
        st.switch_page(page_paths.CREATE, query_params={"walk": submit.order_remix(walk)})
    if st.button(f"Compare with {pacing}", key=f"paced_{walk.id}", icon=":material/compare:"):
        other = submit.order_paced(walk, pacing)
        st.switch_page(page_paths.COMPARE, query_params={"a": walk.id, "b": other})


def beside(walk: Walk) -> None:
    """The way to Compare, where the other film is chosen."""
    st.page_link(page_paths.COMPARE, label="Compare with another film", query_params={"a": walk.id})


def annotate(walk: Walk) -> None:
    """Star, title, tags and notes, kept as they are changed."""
    star, name, tags, notes = (f"{what}_{walk.id}" for what in ("star", "name", "tags", "notes"))
    _follow(star, walk.star)
    _follow(notes, walk.notes)
    st.toggle("Star", key=star, on_change=_star, args=(walk.id, star))
    # As they were kept, which may differ from what was typed: in lower case, for example.
    st.session_state[name], st.session_state[tags] = walk.title, walk.tags
    st.text_input("Title", key=name, on_change=_rename, args=(walk.id, name))
    st.multiselect(
        "Tags",
        sorted({*history.tags(), *walk.tags}),
        key=tags,
        accept_new_options=True,
        placeholder="Choose, or type a new one",
        on_change=_keep_tags,
        args=(walk.id, tags),
    )
    st.text_area("Notes", key=notes, height=90, on_change=_note, args=(walk.id, notes))


def _follow(key: str, kept: object) -> None:
    """Show in a widget what the history keeps, whenever that has changed; else what is typed."""
    if st.session_state.get(_base(key)) != kept or key not in st.session_state:
        st.session_state[key] = st.session_state[_base(key)] = kept


def _base(key: str) -> str:
    """Where the session remembers what a widget began with."""
    return f"kept_{key}"


@error_display.beside
def _star(walk_id: str, key: str) -> None:
    with history.writing() as session:
        walk = walks.get(session=session, walk_id=walk_id)
        if walk is not None:
            walk.star = st.session_state[key]


@error_display.beside
def _note(walk_id: str, key: str) -> None:
    """Keep a note; beside what another curator has written since this one was begun."""
    mine = st.session_state[key]
    with history.writing() as session:
        walk = walks.get(session=session, walk_id=walk_id)
        if walk is None:
            return
        if walk.notes in (mine, st.session_state[_base(key)]):
            walk.notes = mine
        else:
            walk.notes = f"{walk.notes}\n{mine}".strip()
            st.toast("Somebody else wrote a note here meanwhile. Both are kept.")


@error_display.beside
def _rename(walk_id: str, key: str) -> None:
    with history.writing() as session, suppress(KeyError):
        walks.set_title(session=session, walk_id=walk_id, title=st.session_state[key])


@error_display.beside
def _keep_tags(walk_id: str, key: str) -> None:
    with history.writing() as session, suppress(KeyError):
        walks.set_tags(session=session, walk_id=walk_id, tags=st.session_state[key])


def take_down(walk: Walk) -> None:
    """Delete, asked twice, for those who may."""
    if not submit.may_change(walk):
        return
    with st.popover("Delete", icon=":material/delete:"):
        st.write(f"{walk.accession} and its files will be gone for good.")
        if st.button("Yes, delete it", key=f"delete_{walk.id}", type="primary"):
            storage = open_storage(settings().store_root, retry_seconds=HURRY)
            delete_walk(walk.id, storage, open_outbox(settings()), settings().database)
            _leave()
            st.rerun()


def way_back() -> None:
    """Back to the posters, as they were."""
    st.button(
        "All films",
        key="way_back",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=_leave,
    )


def _leave() -> None:
    st.query_params.pop("walk", None)


def not_here(walk: Walk | None) -> None:
    """What a link finds that leads to no film."""
    if walk is None:
        st.text("There is no film under this link. It may have been deleted.")
        return
    over = walk.state.over
    st.text("This walk did not become a film." if over else "This walk is no film yet.")
    what = "See what became of it" if over else "Watch it being made"
    st.page_link(page_paths.CREATE, label=what, query_params={"walk": walk.id})
