"""The parts of a finished film's page: player, downloads, follow-up walks, deletion."""

from typing import NoReturn
from urllib.parse import urlsplit

import streamlit as st

from db.models import Walk
from momalisa.deletion import delete_walk
from momalisa.engine.frame_cache import open_frame_cache
from momalisa.settings import settings
from momalisa.storage import open_storage
from momalisa.storage.outbox import open_outbox
from momalisa.ui import (
    draft,
    draft_stops,
    error_display,
    history,
    navigation,
    page_paths,
    sign_in,
    submit,
)
from momalisa.ui.components.player import Film, player
from momalisa.ui.http import downloads
from momalisa.ui.policy import Action

DEFAULT_SIZE = 256
"""Pixels of a side assumed for a film of another program, until the player has decoded it."""
DELETE_PATIENCE = 3.0
"""Seconds to retry a deletion in the storage before it is left to the courier."""


def player_film(walk: Walk, *, title: str = "") -> Film:
    """A finished walk as the player's input."""
    urls = history.film_urls(walk)
    return Film(
        url=urls["film"],
        fallback=urls["fallback"],
        poster=history.file_url(walk, "poster"),
        alt=alt_text(walk),
        width=walk.size or DEFAULT_SIZE,
        height=walk.height or DEFAULT_SIZE,
        title=title,
    )


def alt_text(walk: Walk) -> str:
    """Alternative text for a walk's film."""
    if not submit.has_spec(walk):
        return walk.title
    # A picture may have no prompt.
    names = walk.prompts if all(walk.prompts) else [s.name for s in submit.spec_of(walk).stops]
    return f"Film that turns {' into '.join(names)}"


def show_film(walk: Walk) -> None:
    """Show the player with the film."""
    player(player_film(walk), key=f"player_{walk.id}")


def show_downloads(walk: Walk) -> None:
    """Show the buttons that download and share the film."""
    st.link_button(
        "Download GIF",
        history.file_url(walk, "gif", download=f"{walk.accession}.gif"),
        icon=":material/download:",
    )
    with st.popover("Other formats", icon=":material/download:"):
        for name, url in downloads.download_urls(walk).items():
            st.link_button(name, url, type="tertiary")
    with st.popover("Share", icon=":material/link:"):
        st.write("Whoever opens this link sees the film and its label.")
        st.code(_share_url(walk), language=None, wrap_lines=True)


def _share_url(walk: Walk) -> str:
    url = urlsplit(st.context.url or "")
    return f"{url.scheme}://{url.netloc}{navigation.film_address(walk.id)}"


def show_reuse_buttons(walk: Walk) -> None:
    """Show the buttons that open Create with the film's settings, or with its prompts only."""
    if not (submit.has_spec(walk) and sign_in.may(Action.MAKE)):
        return
    st.page_link(page_paths.CREATE, label="Use all settings", query_params={"use": walk.id})
    if st.button("Use prompts", key=f"prompts_{walk.id}", help="With the settings on Create"):
        draft.ensure_draft()
        draft_stops.replace_stops(submit.stops_without_seeds(walk))
        open_create_form()


def open_create_form() -> NoReturn:
    """Switch to Create with the current draft and without a film beside it."""
    st.session_state.pop("current_walk", None)
    navigation.open_page(page_paths.CREATE)


def show_variation_buttons(walk: Walk) -> None:
    """Show the buttons that submit the walk with new seeds, or compared with itself, if one may."""
    if not (submit.has_spec(walk) and sign_in.may(Action.MAKE)):
        return
    pacing = submit.contrasting_pacing(walk)
    remix = st.button(
        "Remix",
        key=f"remix_{walk.id}",
        icon=":material/casino:",
        help="The same prompts from new seeds",
    )
    paced = st.button(f"Compare with {pacing}", key=f"paced_{walk.id}", icon=":material/compare:")
    interpolation = submit.contrasting_interpolation(walk)
    mixed = st.button(
        f"Compare with {interpolation}", key=f"mixed_{walk.id}", icon=":material/compare:"
    )
    with error_display.errors_as_toasts():
        if remix and not navigation.is_leaving():
            navigation.open_page(page_paths.CREATE, {"walk": submit.submit_remix(walk)})
        if paced or mixed:
            change = {"pacing": pacing} if paced else {"interpolation": interpolation}
            other = submit.submit_varied(walk, **change)
            navigation.open_page(page_paths.COMPARE, {"a": walk.id, "b": other})


def show_compare_link(walk: Walk) -> None:
    """Show the links to Compare with this film on the left, and to its grid."""
    st.page_link(page_paths.COMPARE, label="Compare with another film", query_params={"a": walk.id})
    if submit.has_spec(walk):
        st.page_link(page_paths.COMPARE, label="Its grid", query_params={"grid": walk.id})


def show_delete_button(walk: Walk) -> None:
    """Show the button that deletes the film after a confirmation, if the visitor may."""
    if not sign_in.may(Action.DELETE, walk):
        return
    with st.popover("Delete", icon=":material/delete:"):
        st.write(f"{walk.accession} and its files will be gone for good.")
        pressed = st.button("Yes, delete it", key=f"delete_{walk.id}", type="primary")
    if pressed:
        with error_display.errors_as_toasts():
            storage = open_storage(settings().store_root, retry_seconds=DELETE_PATIENCE)
            outbox, cache = open_outbox(settings()), open_frame_cache(settings())
            delete_walk(walk.id, storage, outbox, settings().database, cache)
            _close_film()
            st.rerun()


def show_back_button() -> None:
    """Show the button that leads back to the posters, with search and filters kept."""
    st.button(
        "All films",
        key="way_back",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=_close_film,
    )


def _close_film() -> None:
    """Remove the film from the URL, so that the page shows the posters."""
    st.query_params.pop("walk", None)


def show_missing_film(walk: Walk | None) -> None:
    """Say why a link shows no film: the walk is unknown (None), unfinished, failed or cancelled."""
    if walk is None:
        st.text("There is no film under this link. It may have been deleted.")
        return
    over = walk.state.is_final
    if over:
        st.text("This walk did not become a film.")
    elif walk.files:
        st.text(
            "The file of this film was lost, so it is being made again. It will hang here soon."
        )
    else:
        st.text("This walk is no film yet.")
    label = "See what became of it" if over else "Watch it being made"
    st.page_link(page_paths.CREATE, label=label, query_params={"walk": walk.id})
