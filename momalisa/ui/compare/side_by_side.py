"""Two films on one clock: choosing them, showing them, what they have different."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import streamlit as st
from pydantic import ValidationError

from db.models import State, Walk
from momalisa.pacing import PACINGS, PacingName
from momalisa.spec import WalkSpec, explain
from momalisa.ui import film_detail, history, navigation, page_paths, submit, wall_label
from momalisa.ui.components.player import Film, player
from momalisa.ui.create import form, progress
from momalisa.ui.create.presets import PLACEHOLDERS, PRESETS

NON_LINEAR = [pacing for pacing in PACINGS if pacing != "linear"]
SIDES = ("a", "b")


def named() -> list[Walk | None]:
    """The walks that the URL names, left and right."""
    return [history.find_walk(st.query_params.get(side)) for side in SIDES]


def choose(*chosen: Walk | None) -> None:
    """Two select boxes over the newest films and whatever is chosen already."""
    offered = {walk.id: walk for walk in (*filter(None, chosen), *history.recent_films(200))}
    for column, side, walk in zip(st.columns(2, gap="medium"), SIDES, chosen, strict=True):
        st.session_state[f"side_{side}"] = walk.id if walk else None
        column.selectbox(
            "Left" if side == "a" else "Right",
            list(offered),
            index=None,
            key=f"side_{side}",
            format_func=lambda each: f"{offered[each].title}, {wall_label.caption(offered[each])}",
            placeholder="Choose a film",
            on_change=_chosen,
            args=(side,),
        )
        if walk is None and side in st.query_params:
            with column:
                film_detail.show_missing_film(None)


def _chosen(side: str) -> None:
    walk_id = st.session_state[f"side_{side}"]
    if walk_id is None:
        st.query_params.pop(side, None)
    else:
        st.query_params[side] = walk_id


def show(left: Walk, right: Walk) -> None:
    """Both films on one clock; while one is still being made, its frames coming in."""
    if finished(left, right):
        player(_with_changes(left), _with_changes(right), key=f"duo_{left.id}_{right.id}")
        return
    sides = {walk.id: walk for walk in (left, right)}  # which may be one walk
    for column, walk in zip(st.columns(2, gap="medium"), sides.values(), strict=False):
        with column:
            _one_side(walk)


def finished(left: Walk, right: Walk) -> bool:
    """Whether both are films."""
    return left.state is right.state is State.DONE


def _one_side(walk: Walk) -> None:
    if walk.state is State.DONE:
        film_detail.show_film(walk)
    elif walk.state.is_final:
        st.text(walk.error or "This walk was called off.")
    else:
        progress.watch(walk)
    st.text(wall_label.caption(walk))


def _with_changes(walk: Walk) -> Film:
    back = walk.distances[::-1] if walk.spec.get("loop") == "boomerang" else []
    film = film_detail.player_film(walk, title=wall_label.caption(walk))
    return replace(film, changes=[*walk.distances, *back])


def differences(left: Walk, right: Walk) -> None:
    """What was measured of the two, and what else they have different, in three columns."""
    ours, theirs = measures(left), measures(right)
    measured = [(name, ours[name] or "none", theirs[name] or "none") for name in ours]
    known = {*ours, "Took"}  # which is the seconds and the frames computed, in one line
    others = [row for row in wall_label.differing_facts(left, right) if row[0] not in known]
    with st.container(key="facts3_differences"):
        for row in ((" ", left.accession, right.accession), *measured, *others):
            for cell in row:
                st.text(cell)


def measures(walk: Walk) -> dict[str, str]:
    """What was measured of a film, blank where nothing was.

    Changes and the path, their sum, are perceived ones: 1 is from black to white. Largest / mean
    would be 1 for a perfectly even film.
    """
    steps = walk.distances
    return {
        "Mean change": f"{fmean(steps):.3f}" if steps else "",
        "Largest / mean": f"{unevenness(steps):.2f}" if steps else "",
        "Evenness": "" if walk.evenness is None else f"{walk.evenness:.2f}",
        "Path length": f"{sum(steps):.2f}" if steps else "",
        "Sharpness": "" if walk.sharpness is None else f"{walk.sharpness:.2f}",
        "Seconds": f"{walk.seconds:,.1f} on {walk.device}" if walk.device else "",
        "Frames computed": _computed(walk) if walk.device else "",
    }


def _computed(walk: Walk) -> str:
    # Fewer than shown where another walk had made some; more where even pacing looked first.
    return f"{walk.frames_computed}, for {walk.frames_total} shown"


def unevenness(distances: Sequence[float]) -> float:
    """The largest change over the mean change."""
    mean = fmean(distances)
    return max(distances) / mean if mean else 1.0


def both_ways() -> None:
    """Linear beside another pacing, from two prompts and one click."""
    problems: dict[str, str] = st.session_state.get("duo_problems", {})
    with st.container(horizontal=True, key="ideas", gap="small"):
        for name, prompts in PRESETS.items():
            if len(prompts) == 2:
                st.button(name, key=f"duo_preset_{name}", on_click=_fill, args=(prompts,))
    for column, place in zip(st.columns(2, gap="medium"), (0, 1), strict=True):
        with column:
            st.text_input(
                ("From", "To")[place],
                key=f"duo_prompt_{place}",
                placeholder=PLACEHOLDERS[place],
                persist_state="session",
            )
            form.problem(problems, f"stops.{place}.prompt")
    form.problem(problems, "stops")
    pacing = st.segmented_control(
        "Linear beside",
        NON_LINEAR,
        default="dense-middle",
        key="duo_pacing",
        required=True,
        persist_state="session",
    )
    if st.button("Walk both ways", key="both_ways", type="primary"):
        _order_both(pacing)


def _fill(prompts: Sequence[str]) -> None:
    for place, prompt in enumerate(prompts):
        st.session_state[f"duo_prompt_{place}"] = prompt


def _order_both(pacing: PacingName) -> None:
    stops = [{"prompt": st.session_state[f"duo_prompt_{n}"], "seed": 7 + n} for n in (0, 1)]
    try:
        spec = WalkSpec.model_validate({"stops": stops})
    except ValidationError as error:
        st.session_state.duo_problems = explain(error)
        st.rerun()
    st.session_state.duo_problems = {}
    both = [
        submit.submit_walk(spec),
        submit.submit_walk(submit.replace_fields(spec, pacing=pacing)),
    ]
    navigation.open_page(page_paths.COMPARE, dict(zip(SIDES, both, strict=True)))
