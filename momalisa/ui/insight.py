"""The history in charts. What a chart shows stands above it in words, for those who see none."""

from collections.abc import Iterable
from typing import NamedTuple

import altair as alt
import pandas as pd
import streamlit as st

from db import insight, votes
from db.votes import Tally
from momalisa.ui import history, page_paths
from momalisa.ui.compare import tally

NEUTRAL = "#85807a"
INKS = {
    # Each reads on the white wall and on the black one (3:1 and more).
    "linear": "#a67c1f",
    "ease": "#4a7fb5",
    "dense-middle": "#cc4b3c",
    "even": "#5b8f5e",
}
NO_DIFFERENCE = "no difference"
UNKNOWN = "another program"
LONGEST_BY_DAY = 92  # days; a longer history is drawn by month
TIME_UNITS = {"day": "utcyearmonthdate", "month": "utcyearmonth"}
MOST_NAMED = 12
ABOVE = alt.Legend(orient="top", title=None, columns=4)
WORDS = alt.ExprRef("luminance(background) > 0.5 ? '#6b665e' : '#a39e95'")
"""The colour of a chart's words: 4.5:1 and more on either wall, which Streamlit's own is not."""

Tallies = dict[tuple[str, str], Tally]


class Found(NamedTuple):
    """What the history says; the tables are those of `db.insight`."""

    votes: Tallies
    films: pd.DataFrame
    evenness: pd.DataFrame
    speed: pd.DataFrame


def look() -> Found:
    """Read it all at once."""
    with history.reading() as session:
        return Found(
            votes.by_pacing(session=session),
            pd.DataFrame(insight.films_by_day(session=session)),
            pd.DataFrame(insight.evenness(session=session)),
            pd.DataFrame(insight.seconds_a_frame(session=session)),
        )


def preferences(tallies: Tallies) -> None:
    """Which pacing was preferred to which, and whether that says anything."""
    if not tallies:
        st.text("Nobody has voted yet between two pacings of one walk.")
        st.page_link(page_paths.COMPARE, label="Compare two, and vote blind")
        return
    told = {pair: tally.told(*pair, votes) for pair, votes in tallies.items()}
    for pair in sorted(tallies, key=lambda pair: -sum(tallies[pair])):
        st.text(f"{told[pair]} {tally.weighed(tallies[pair])}")
    _draw(_votes_chart(tallies), " ".join(told.values()))


def _votes_chart(tallies: Tallies) -> alt.Chart:
    rows = pd.DataFrame(
        [
            {"pair": f"{one}, {other}", "preferred": preferred, "votes": number}
            for (one, other), votes in tallies.items()
            for preferred, number in zip((one, other, NO_DIFFERENCE), votes, strict=True)
        ]
    )
    chart: alt.Chart = (
        alt.Chart(rows, height=alt.Step(40))
        .mark_bar()
        .encode(
            x=alt.X("votes:Q", title="Votes", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("pair:N", title=None),
            color=_ink("preferred", rows["preferred"]),
            tooltip=["pair", "preferred", "votes"],
        )
    )
    return chart


def films(found: pd.DataFrame) -> None:
    """How many were made when, by pacing or by model."""
    st.header("Films", anchor=False)
    by = st.segmented_control(
        "Films by",
        ["pacing", "model"],
        default="pacing",
        required=True,
        key="by",
        bind="query-params",
    )
    by = by or "pacing"  # as an address without a value has it
    table = found.assign(day=pd.to_datetime(found["day"]), kind=found[by].replace("", UNKNOWN))
    told = _counted(table)
    st.text(told)
    colour = _ink("kind", table["kind"]) if by == "pacing" else alt.Color("kind:N", legend=ABOVE)
    _draw(_films_chart(table, colour), told)


def _counted(table: pd.DataFrame) -> str:
    films = table.groupby("kind")["films"].sum().sort_values(ascending=False)
    named = ", ".join(f"{kind} {number:,}" for kind, number in films.head(MOST_NAMED).items())
    total = films.sum()
    counted = f"{total:,} film" if total == 1 else f"{total:,} films"
    return f"{counted} since {table['day'].min():%d %B %Y}: {named}."


def _films_chart(table: pd.DataFrame, colour: alt.Color) -> alt.Chart:
    span = table["day"].max() - table["day"].min()
    unit = "day" if span.days <= LONGEST_BY_DAY else "month"
    start = table["day"].dt.to_period(unit[0].upper()).dt.start_time
    bars = table.assign(start=start).groupby(["start", "kind"], as_index=False)["films"].sum()
    chart: alt.Chart = (
        alt.Chart(bars, height=260)
        .mark_bar()
        .encode(
            x=alt.X(f"{TIME_UNITS[unit]}(start):T", title=None, scale=alt.Scale(type="utc")),
            y=alt.Y("films:Q", title=f"Films a {unit}", axis=alt.Axis(tickMinStep=1)),
            color=colour,
            tooltip=["start:T", "kind", "films"],
        )
    )
    return chart


def evenness(found: pd.DataFrame) -> None:
    """How even the films of each pacing are."""
    if found.empty:
        return
    st.header("Evenness", anchor=False)
    st.text("1 is equal change from frame to frame, near 0 a single jump.")
    _spread(found.assign(name=found["pacing"].replace("", UNKNOWN)), "Evenness")


def speed(found: pd.DataFrame) -> None:
    """How long a frame takes, for each model, size and device; of the newest films."""
    if found.empty:
        return
    st.header("Seconds a frame", anchor=False)
    size = found["size"].astype(str)
    name = found["model"] + ", " + size + " × " + size + ", " + found["device"]
    _spread(found.assign(name=name), "Seconds a frame")


def _spread(found: pd.DataFrame, what: str) -> None:
    """A point for the median, a line for the middle half of the films."""
    shown = found.nlargest(MOST_NAMED, "films").sort_values("median")
    medians = zip(shown["name"], shown["median"], shown["films"], strict=True)
    told = "; ".join(f"{name} {median:.2g} ({films:,})" for name, median, films in medians)
    sentence = f"Median, with the number of films: {told}. The line is the middle half of them."
    st.text(sentence)
    base = alt.Chart(shown, height=alt.Step(36)).encode(
        y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=300)),
        tooltip=["name", "films", "low", "median", "high"],
    )
    half = base.mark_rule(color=NEUTRAL, strokeWidth=4).encode(
        x=alt.X("low:Q", title=what, scale=alt.Scale(zero=False)), x2="high:Q"
    )
    middle = base.mark_point(color=INKS["dense-middle"], filled=True, opacity=1, size=120)
    _draw(half + middle.encode(x="median:Q"), f"{what}. {sentence}")


def _ink(field: str, values: Iterable[str]) -> alt.Color:
    """Each pacing in its own colour, in every chart; what is none of them in a neutral one."""
    shown = sorted(set(values), key=[*INKS, NO_DIFFERENCE, UNKNOWN].index)
    scale = alt.Scale(domain=shown, range=[INKS.get(value, NEUTRAL) for value in shown])
    return alt.Color(f"{field}:N", scale=scale, legend=ABOVE)


def _draw(chart: alt.Chart | alt.LayerChart, told: str) -> None:
    """Hang a chart; `told` says the same in words."""
    shown = chart.configure_axis(labelColor=WORDS, titleColor=WORDS)
    st.altair_chart(shown.configure_legend(labelColor=WORDS), alt=told)
