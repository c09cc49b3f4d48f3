"""Two films side by side: choosing them, their differences, their change from frame to frame."""

from collections.abc import Callable, Sequence
from statistics import fmean

import altair as alt
import streamlit as st
from pydantic import ValidationError

from db.models import State, Walk
from momalisa.pacing import PACINGS, PacingName
from momalisa.spec import WalkSpec, explain
from momalisa.ui import exhibit, form, history, label, making, orders, rooms
from momalisa.ui.components.player import player
from momalisa.ui.presets import PLACEHOLDERS

NON_LINEAR = [pacing for pacing in PACINGS if pacing != "linear"]
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
            format_func=lambda each: f"{offered[each].title}, {label.caption(offered[each])}",
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
    if finished(left, right):
        films = (exhibit.film(walk, title=label.caption(walk)) for walk in (left, right))
        player(*films, key=f"duo_{left.id}_{right.id}")
        return
    for column, walk in zip(st.columns(2, gap="medium"), (left, right), strict=True):
        with column:
            _one_side(walk)


def finished(left: Walk, right: Walk) -> bool:
    """Whether both are films."""
    return left.state is right.state is State.DONE


def _one_side(walk: Walk) -> None:
    if walk.state is State.DONE:
        exhibit.show(walk)
    elif walk.state.over:
        st.text(walk.error or "This walk was called off.")
    else:
        making.watch(walk)
    st.text(label.caption(walk))


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
        {"film": film, "way": (place + 0.5) / len(walk.distances), "change": distance}
        for film, walk in ((label.caption(walk), walk) for walk in (left, right))
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
    return [
        (name, _measured(left, measure, digits), _measured(right, measure, digits))
        for name, measure, digits in (
            ("Mean change", fmean, 3),
            ("Largest / mean", unevenness, 2),
        )
    ]


def _measured(walk: Walk, measure: Callable[[Sequence[float]], float], digits: int) -> str:
    return f"{measure(walk.distances):.{digits}f}" if walk.distances else "none"


def unevenness(distances: Sequence[float]) -> float:
    """The largest change over the mean change."""
    mean = fmean(distances)
    return max(distances) / mean if mean else 1.0


def both_ways() -> None:
    """Linear beside another pacing, from two prompts and one click."""
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


def _order_both(pacing: PacingName) -> None:
    stops = [{"prompt": st.session_state[f"duo_prompt_{n}"], "seed": 7 + n} for n in (0, 1)]
    try:
        spec = WalkSpec.model_validate({"stops": stops})
    except ValidationError as error:
        st.session_state.duo_problems = explain(error)
        st.rerun()
    st.session_state.duo_problems = {}
    both = [orders.order(spec), orders.order(orders.changed(spec, pacing=pacing))]
    st.switch_page(rooms.COMPARE, query_params=dict(zip(SIDES, both, strict=True)))
