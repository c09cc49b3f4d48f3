"""Two films side by side: choosing them, playing them in step, and their differences."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from statistics import fmean

import streamlit as st
from pydantic import ValidationError

from db.models import State, Walk
from momalisa.engine import perception
from momalisa.errors import MomaLisaError
from momalisa.pacing import PACINGS, PacingName
from momalisa.spec import WalkSpec, explain
from momalisa.ui import (
    draft,
    error_display,
    film_detail,
    history,
    navigation,
    page_paths,
    sign_in,
    submit,
    wall_label,
)
from momalisa.ui.compare import scrub_pair
from momalisa.ui.components.player import Film, player
from momalisa.ui.create import form, progress
from momalisa.ui.create.presets import PLACEHOLDERS, PRESETS
from momalisa.ui.policy import Action

NON_LINEAR = [pacing for pacing in PACINGS if pacing != "linear"]
SIDES = ("a", "b")
MOST_OFFERED = 1_000
"""Films to choose from."""


def films_in_url() -> list[Walk | None]:
    """The left and the right walk in the URL; None where it names no known one."""
    return [history.find_walk(st.query_params.get(side)) for side in SIDES]


def show_film_choice(*chosen: Walk | None) -> None:
    """Show two select boxes with the newest films and those already chosen."""
    films = history.recent_films(MOST_OFFERED + 1)
    offered = {walk.id: walk for walk in (*filter(None, chosen), *films[:MOST_OFFERED])}
    for column, side, walk in zip(st.columns(2, gap="medium"), SIDES, chosen, strict=True):
        st.session_state[f"side_{side}"] = walk.id if walk else None
        column.selectbox(
            "Left" if side == "a" else "Right",
            list(offered),
            index=None,
            key=f"side_{side}",
            format_func=lambda each: f"{offered[each].title}, {wall_label.caption(offered[each])}",
            placeholder="Choose a film",
            on_change=_write_choice,
            args=(side,),
        )
        if walk is None and side in st.query_params:
            with column:
                film_detail.show_missing_film(None)
    if len(films) > MOST_OFFERED:
        st.text(
            f"The newest {MOST_OFFERED:,} films are offered. An older one comes here from its page "
            "in the Gallery."
        )


def _write_choice(side: str) -> None:
    walk_id = st.session_state[f"side_{side}"]
    if walk_id is None:
        st.query_params.pop(side, None)
    else:
        st.query_params[side] = walk_id


def show_films(left: Walk, right: Walk) -> None:
    """Play both films in step; while one is unfinished, show its progress."""
    if are_finished(left, right):
        player(
            _film_with_distances(left), _film_with_distances(right), key=f"duo_{left.id}_{right.id}"
        )
        _show_credits(left, right)
        return
    sides = {walk.id: walk for walk in (left, right)}  # one entry if both are the same walk
    for column, walk in zip(st.columns(2, gap="medium"), sides.values(), strict=False):
        with column:
            _show_side(walk)


def _show_credits(left: Walk, right: Walk) -> None:
    """Show under each film whose pictures its stops are."""
    credits = [wall_label.credit_lines(walk) for walk in (left, right)]
    if any(credits):
        for column, lines in zip(st.columns(2, gap="medium"), credits, strict=True):
            for line in lines:
                column.text(line)


def are_finished(left: Walk, right: Walk) -> bool:
    """Whether both walks are finished films."""
    return left.state is right.state is State.DONE


def _show_side(walk: Walk) -> None:
    if walk.state is State.DONE:
        film_detail.show_film(walk)
    elif walk.state.is_final:
        st.text(walk.error or "This walk was called off.")
    else:
        progress.show_progress(walk)
    for line in (*wall_label.credit_lines(walk), wall_label.caption(walk)):
        st.text(line)


def _film_with_distances(walk: Walk) -> Film:
    back = walk.distances[::-1] if walk.spec.get("loop") == "boomerang" else []
    film = film_detail.player_film(walk, title=wall_label.caption(walk))
    return replace(film, changes=[*walk.distances, *back])


def show_differences(left: Walk, right: Walk) -> None:
    """Show a table of the measurements of both films and of the settings that differ."""
    ours, theirs = measurements(left), measurements(right)
    measured = [(name, ours[name] or "none", theirs[name] or "none") for name in ours]
    listed = {*ours, "Took"}  # repeats the seconds and the frames computed
    others = [row for row in wall_label.differing_facts(left, right) if row[0] not in listed]
    with st.container(key="facts3_differences"):
        for row in ((" ", left.accession, right.accession), *measured, *others):
            for cell in row:
                st.text(cell)


def measurements(walk: Walk) -> dict[str, str]:
    """The measurements of a film by name; empty strings where there are none.

    Changes are perceptual distances between neighbouring frames, 1 is black to white; the path
    length is their sum. Largest / mean is 1 for a perfectly even film. A film is direct if its path
    is as long as the straight way between its stops.
    """
    steps = walk.distances
    return {
        "Mean change": f"{fmean(steps):.3f}" if steps else "",
        "Largest / mean": f"{perception.unevenness(steps):.2f}" if steps else "",
        "Evenness": "" if walk.evenness is None else f"{walk.evenness:.2f}",
        "Path length": f"{sum(steps):.2f}" if steps else "",
        "Sharpness": "" if walk.sharpness is None else f"{walk.sharpness:.2f}",
        **wall_label.film_measures(walk),
        "Seconds": f"{walk.seconds:,.1f} on {walk.device}" if walk.device else "",
        "Frames computed": _frames_computed(walk) if walk.device else "",
    }


def _frames_computed(walk: Walk) -> str:
    # Fewer than shown if the cache had some; more if even pacing measured the walk first.
    return f"{walk.frames_computed}, for {walk.frames_total} shown"


def show_pacing_comparison() -> None:
    """Show the form that submits one walk twice, in linear and in another pacing."""
    problems: dict[str, str] = st.session_state.get("duo_problems", {})
    with st.container(horizontal=True, key="ideas", gap="small"):
        for name, prompts in PRESETS.items():
            if len(prompts) == 2:
                st.button(name, key=f"duo_preset_{name}", on_click=_fill_prompts, args=(prompts,))
    for column, place in zip(st.columns(2, gap="medium"), (0, 1), strict=True):
        with column:
            st.text_input(
                ("From", "To")[place],
                key=f"duo_prompt_{place}",
                placeholder=PLACEHOLDERS[place],
                persist_state="session",
            )
            form.show_problem(problems, f"stops.{place}.prompt")
    form.show_problem(problems, "stops")
    pacing = st.segmented_control(
        "Linear beside",
        NON_LINEAR,
        default="dense-middle",
        key="duo_pacing",
        required=True,
        persist_state="session",
    )
    if not sign_in.may(Action.MAKE):
        sign_in.show_invitation(Action.MAKE)
        return
    if st.button("Walk both ways", key="both_ways", type="primary"):
        _submit_both(pacing)
    with suppress(ValidationError, MomaLisaError):  # said once the button is pressed
        scrub_pair.show_draft_pair(*_specs(pacing))


def _fill_prompts(prompts: Sequence[str]) -> None:
    for place, prompt in enumerate(prompts):
        st.session_state[f"duo_prompt_{place}"] = prompt


def _specs(pacing: PacingName) -> tuple[WalkSpec, WalkSpec]:
    """The walk between both prompts in either pacing. Raises ValidationError."""
    stops = [{"prompt": st.session_state[f"duo_prompt_{n}"], "seed": 7 + n} for n in (0, 1)]
    spec = WalkSpec.model_validate(draft.default_fields() | {"stops": stops})
    return spec, submit.replace_fields(spec, pacing=pacing)


def _submit_both(pacing: PacingName) -> None:
    try:
        specs = _specs(pacing)
    except ValidationError as error:
        st.session_state.duo_problems = explain(error)
        st.rerun()
    st.session_state.duo_problems = {}
    with error_display.errors_as_toasts():
        both = submit.submit_walks(specs)
        navigation.open_page(page_paths.COMPARE, dict(zip(SIDES, both, strict=True)))
