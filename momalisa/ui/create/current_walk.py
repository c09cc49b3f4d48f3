"""The walk that Create shows: from the URL or the session, submitted from the form."""

from typing import NoReturn

import streamlit as st

from db.models import State, Walk
from momalisa.ui import (
    draft,
    draft_stops,
    error_display,
    film_detail,
    history,
    navigation,
    page_paths,
    sign_in,
    submit,
    wall_label,
)
from momalisa.ui.create import progress, scrub
from momalisa.ui.policy import Action

EMPTY_WALL = "Your film will hang here."


def load_from_url() -> Walk | None:
    """Load what the URL names into the form; return the walk to show.

    Without a walk in the URL that is the one this session showed last, unless Back or Forward led
    here; the URL then names it, in the same entry of the browser's history.
    """
    form_restored = draft.restore_from_browser()
    draft.ensure_draft()
    linked = history.find_walk(st.query_params.get("walk"))
    if _load_settings_of(st.query_params.get("use")):
        navigation.replace_parameters(page_paths.CREATE)
    elif linked is not None:
        # After a reload the session is new, but the walk in the URL knows what was typed.
        is_loaded = form_restored or linked.id == st.session_state.get("current_walk")
        if not is_loaded and draft_stops.are_blank():
            draft.load_spec(submit.fields_again(linked))
        st.session_state.current_walk = linked.id
    elif navigation.arrived_by_history():
        st.session_state.pop("current_walk", None)
    walk = history.find_walk(st.session_state.get("current_walk"))
    if walk is not None and st.query_params.get("walk") != walk.id:
        navigation.replace_parameters(page_paths.CREATE, {"walk": walk.id})
    if walk is not None and walk.state is State.DONE:
        st.session_state.last_film = walk.id
    return walk


def _load_settings_of(walk_id: str | None) -> bool:
    """Load a walk's settings into the form, once per link; return whether there is such a walk."""
    loaded = st.session_state.get("settings_of")
    st.session_state.settings_of = walk_id
    walk = history.find_walk(walk_id)
    if walk is not None and walk_id != loaded:
        draft.load_spec(submit.fields_again(walk))
        st.session_state.pop("current_walk", None)
    return walk is not None


def submit_form() -> None:
    """Submit the walk in the form and show it, or show what is wrong with the form."""
    _submit_form()
    _write_url()


@error_display.toast_errors
def _submit_form() -> None:
    spec, problems = draft.validate()
    st.session_state.complain = bool(problems)
    if spec is not None:
        st.session_state.current_walk = submit.submit_walk(spec, here=draft.runs_locally())


def _write_url() -> None:
    """Put the current walk into the URL, as a new entry of the browser's history."""
    if walk_id := st.session_state.get("current_walk"):
        st.query_params["walk"] = walk_id


def open_with(prompts: tuple[str, ...]) -> NoReturn:
    """Submit a walk between these prompts, with the form's other settings, and open Create.

    If it is refused, Create shows the form alone.
    """
    draft.ensure_draft()
    draft_stops.replace_prompts(prompts)
    st.session_state.pop("current_walk", None)
    _submit_form()
    walk_id = st.session_state.get("current_walk")
    navigation.open_page(page_paths.CREATE, {"walk": walk_id} if walk_id else {})


def show_empty_wall() -> None:
    """Show the draft where the film will hang, else an empty frame.

    And a message if the URL names a walk that does not exist.
    """
    linked = st.query_params.get("walk") or st.query_params.get("use")
    # Of a film whose settings were just loaded, the URL says so until the browser has changed it.
    if linked and history.find_walk(linked) is None:
        film_detail.show_missing_film(None)
    if not scrub.show_draft_wall(EMPTY_WALL):
        with st.container(key="empty_wall", border=True):
            st.text(EMPTY_WALL)


def show_unfinished(walk: Walk) -> None:
    """Show why a walk failed or was cancelled, its frames, and a button to submit it again."""
    if walk.state is State.FAILED:
        st.error("This walk failed.")
        st.text(walk.error)
    else:
        done = f"{progress.count_finished_frames(walk)} of {walk.frames_total} frames"
        st.text(f"Called off. {done} were made and are kept: the same walk would go on from there.")
    if walk.progress:
        progress.show_filmstrip(walk)
    if submit.has_spec(walk) and sign_in.may(Action.MAKE):
        st.button("Try again", key=f"again_{walk.id}", on_click=_resubmit, args=(walk,))


@error_display.toast_errors
def _resubmit(walk: Walk) -> None:
    draft.load_spec(submit.fields_again(walk))
    st.session_state.current_walk = submit.resubmit(walk)
    _write_url()


def show_previous_film(walk: Walk) -> None:
    """Show the film before, until the current walk is finished."""
    last = history.find_walk(st.session_state.get("last_film"))
    if last is not None and last.id != walk.id:
        film_detail.show_film(last)
        wall_label.show_wall_label(last)
        st.page_link(page_paths.GALLERY, label="In the Gallery", query_params={"walk": last.id})
