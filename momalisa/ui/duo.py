"""Two films side by side: choosing them, their differences, their change from frame to frame."""

from collections.abc import Sequence
from statistics import fmean

import altair as alt
import streamlit as st
from pydantic import ValidationError

from db.models import State, Walk
from momalisa.pacing import PacingName
from momalisa.spec import WalkSpec, explain
from momalisa.ui import exhibit, form, history, label, making, orders, rooms
from momalisa.ui.components.player import player
from momalisa.ui.presets import PLACEHOLDERS

PACINGS: tuple[PacingName, PacingName] = ("linear", "dense-middle")
SIDES = ("a", "b")


def choose() -> tuple[Walk | None, Walk | None]:
    """Two select boxes over the newest films and whatever the URL names."""
    named = [history.find(st.query_params.get(side)) for side in SIDES]
    offered = {walk.id: walk for walk in (*filter(None, named), *history.recent(200))}
    for column, side, walk in zip(st.columns(2, gap="medium"), SIDES, named, strict=True):
        st.session_state[f"side_{side}"] = walk.id if walk else None
        column.selectbox(
            "Left" if side == "a" else "Right",
            list(offered),
            index=None,
            key=f"side_{side}",
            format_func=lambda each: (
                f"{offered[each].title}, {offered[each].pacing}, {offered[each].accession}"
            ),
            placeholder="Choose a film",
            on_change=_chosen,
            args=(side,),
        )
    return named[0], named[1]


def _chosen(side: str) -> None:
    walk_id = st.session_state[f"side_{side}"]
    if walk_id is None:
        st.query_params.pop(side, None)
    else:
        st.query_params[side] = walk_id


def show(left: Walk, right: Walk) -> None:
    """Both films on one clock; while one is still being made, its frames coming in."""
    if left.state is right.state is State.DONE:
        films = (exhibit.film(walk, title=caption(walk)) for walk in (left, right))
        player(*films, key=f"duo_{left.id}_{right.id}")
        return
    for column, walk in zip(st.columns(2, gap="medium"), (left, right), strict=True):
        with column:
            _one_side(walk)


def _one_side(walk: Walk) -> None:
    if walk.state is State.DONE:
        exhibit.show(walk)
    elif walk.state.over:
        st.text(walk.error or "This walk was called off.")
    else:
        making.watch(walk)
    st.text(caption(walk))


def caption(walk: Walk) -> str:
    """Which of the two this is."""
    return f"{walk.pacing}, {walk.accession}"


def change_curves(left: Walk, right: Walk) -> None:
    """How much the picture changes from each frame to the next, for both."""
    chart = (
        alt.Chart(_changes(left, right))
        .mark_line(interpolate="monotone")
        .encode(
            x=alt.X("way:Q", title="Way", axis=alt.Axis(format="%")),
            y=alt.Y("change:Q", title="Change to the next frame"),
            color=alt.Color(
                "film:N", title=None, sort=None, legend=alt.Legend(orient="top", labelLimit=300)
            ),
        )
        .properties(height=260)
    )
    st.altair_chart(chart, alt="Change from frame to frame of both films")


def _changes(left: Walk, right: Walk) -> alt.InlineData:
    values = [
        {"film": caption(walk), "way": (place + 0.5) / len(walk.distances), "change": distance}
        for walk in (left, right)
        for place, distance in enumerate(walk.distances)
    ]
    return alt.InlineData(values=values)


def differences(left: Walk, right: Walk) -> None:
    """What the two have different, in three columns."""
    with st.container(key="facts3_differences"):
        for row in (
            (" ", left.accession, right.accession),
            *measures(left, right),
            *label.differences(left, right),
        ):
            for cell in row:
                st.text(cell)


def measures(left: Walk, right: Walk) -> list[tuple[str, str, str]]:
    """Mean change and the ratio of the largest to it: 1 would be perfectly even."""
    ours, theirs = left.distances, right.distances
    return [
        ("Mean change", f"{fmean(ours):.3f}", f"{fmean(theirs):.3f}"),
        ("Largest / mean", f"{unevenness(ours):.2f}", f"{unevenness(theirs):.2f}"),
    ]


def unevenness(distances: Sequence[float]) -> float:
    """The largest change over the mean change."""
    mean = fmean(distances)
    return max(distances) / mean if mean else 1.0


def both_ways() -> None:
    """Linear beside dense-middle, from two prompts and one click."""
    problems: dict[str, str] = st.session_state.get("duo_problems", {})
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
    if st.button("Walk both ways", key="both_ways", type="primary"):
        _order_both()


def _order_both() -> None:
    stops = [{"prompt": st.session_state[f"duo_prompt_{n}"], "seed": 7 + n} for n in (0, 1)]
    try:
        spec = WalkSpec.model_validate({"stops": stops})
    except ValidationError as error:
        st.session_state.duo_problems = explain(error)
        st.rerun()
    st.session_state.duo_problems = {}
    both = [orders.order(orders.changed(spec, pacing=pacing)) for pacing in PACINGS]
    st.switch_page(rooms.COMPARE, query_params=dict(zip(SIDES, both, strict=True)))
