"""What stands around Create's form: which walk is shown, and what its button does."""

import streamlit as st

from db.models import State, Walk
from momalisa.ui import draft, error_display, film_detail, history, page_paths, submit, wall_label
from momalisa.ui.create import progress


def set_up() -> None:
    """Bring draft and URL together: settings to take over, and the walk that is on show."""
    taken = history.find_walk(st.query_params.get("use"))
    asked = history.find_walk(st.query_params.get("walk"))
    got_back = draft.restore_from_browser()
    draft.ensure_draft()
    if taken is not None:
        draft.load_spec(taken.spec)
        st.session_state.pop("on_show", None)
        del st.query_params["use"]
    elif asked is not None:
        # After a reload the session is new, but the walk in the URL knows what was typed.
        known = got_back or asked.id == st.session_state.get("on_show")
        if not known and not any(draft.current_prompts()):
            draft.load_spec(asked.spec)
        st.session_state.on_show = asked.id


def walk_on_show() -> Walk | None:
    """The walk that the URL names, or the one this session asked for last."""
    walk = history.find_walk(st.session_state.get("on_show"))
    if walk is not None:
        st.query_params["walk"] = walk.id
        if walk.state is State.DONE:
            st.session_state.last_film = walk.id
    return walk


@error_display.toast_errors
def walk() -> None:
    """Begin the walk that is on the easel, or show what stands in its way."""
    spec, problems = draft.validate()
    st.session_state.complain = bool(problems)
    if spec is not None:
        put_on_show(submit.submit_walk(spec, here=draft.runs_locally()))


def begin_with(prompts: tuple[str, ...]) -> None:
    """Walk between these prompts, with whatever settings are on the easel."""
    draft.ensure_draft()
    draft.replace_prompts(prompts)
    walk()


def put_on_show(walk_id: str) -> None:
    """Show this walk from now on."""
    st.session_state.on_show = walk_id
    st.query_params["walk"] = walk_id


def empty_wall() -> None:
    """A free place for the first film; and why it is free when a link has led to no walk."""
    if {"walk", "use"} & st.query_params.keys():
        film_detail.show_missing_film(None)
    with st.container(key="empty_wall", border=True):
        st.text("Your film will hang here.")


def unfinished(walk: Walk) -> None:
    """A walk that failed or was called off: why, and the way on."""
    if walk.state is State.FAILED:
        st.error("This walk failed.")
        st.text(walk.error)
    else:
        made = f"{progress.frames_ready(walk)} of {walk.frames_total} frames were made and are kept"
        st.text(f"Called off. {made}: the same walk would go on from there.")
    if walk.progress:
        progress.strip(walk)
    if submit.has_spec(walk):
        st.button("Try again", key=f"again_{walk.id}", on_click=_again, args=(walk,))


@error_display.toast_errors
def _again(walk: Walk) -> None:
    draft.load_spec(walk.spec)
    put_on_show(submit.resubmit(walk))


def previous_film(walk: Walk) -> None:
    """The film before stays on the wall until the new one is there."""
    last = history.find_walk(st.session_state.get("last_film"))
    if last is not None and last.id != walk.id:
        film_detail.show_film(last)
        wall_label.show_wall_label(last)
        st.page_link(page_paths.GALLERY, label="In the Gallery", query_params={"walk": last.id})
