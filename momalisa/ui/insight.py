"""The charts of the Insight page: votes, films, evenness and speed.

Each chart is preceded by a sentence with the same figures, which is also its alternative text.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from db import insight, votes
from db.votes import Tally
from momalisa.ui import history, page_paths
from momalisa.ui.compare import tally

NEUTRAL_COLOUR = "#85807a"
COLOURS = {
    # Contrast of at least 3:1 on the light and on the dark background.
    "linear": "#a67c1f",
    "ease": "#4a7fb5",
    "dense-middle": "#cc4b3c",
    "even": "#5b8f5e",
}
INTERPOLATION_COLOURS = {
    "lerp": "#a67c1f",
    "slerp": "#4a7fb5",
    "attention": "#cc4b3c",
    "predictions": "#5b8f5e",
}
VOTED = {"pacing": COLOURS, "interpolation": INTERPOLATION_COLOURS}
"""The settings that votes are counted by, with a colour for each value."""
NO_DIFFERENCE = "no difference"
UNKNOWN = "another program"
MAX_DAYS_BY_DAY = 92
"""Films of a longer period are counted by month instead of by day."""
TIME_UNITS = {"day": "utcyearmonthdate", "month": "utcyearmonth"}
MAX_ROWS = 12
"""The most categories that a chart or sentence lists."""
LEGEND = {"orient": "top", "title": None, "columns": 4}
TEXT_COLOUR = {"expr": "luminance(background) > 0.5 ? '#6b665e' : '#a39e95'"}
"""The colour of text in charts: at least 4.5:1 on both themes, unlike Streamlit's default."""

Tallies = dict[tuple[str, str], Tally]
Spec = dict[str, Any]
"""A chart, or a part of one, in Vega-Lite's own form: a library that builds and validates it takes
20 ms a chart."""


class Tables(NamedTuple):
    """The page's data: votes by pair of a setting's values, and the tables of `db.insight`."""

    votes: dict[str, Tallies]
    films: pd.DataFrame
    evenness: pd.DataFrame
    ghosting: pd.DataFrame
    directness: pd.DataFrame
    speed: pd.DataFrame


def load_tables() -> Tables:
    """Read all tables in one transaction."""
    with history.reading() as session:
        return Tables(
            {setting: votes.tally_by(setting, session=session) for setting in VOTED},
            pd.DataFrame(insight.count_films_by_day(session=session)),
            pd.DataFrame(insight.summarize_evenness(session=session)),
            pd.DataFrame(insight.summarize_ghosting(session=session)),
            pd.DataFrame(insight.summarize_directness(session=session)),
            pd.DataFrame(insight.summarize_seconds_per_frame(session=session)),
        )


def show_preferences(voted: dict[str, Tallies]) -> None:
    """Show which pacing and interpolation were preferred, and whether that is significant."""
    if not any(voted.values()):
        st.text("Nobody has voted yet between two pacings or interpolations of one walk.")
        st.page_link(page_paths.COMPARE, label="Compare two, and vote blind")
        return
    for setting, tallies in voted.items():
        if tallies:
            _show_preferences_by(setting, tallies)


def _show_preferences_by(setting: str, tallies: Tallies) -> None:
    """Show the votes by one setting."""
    st.header(f"Preferred {setting}", anchor=False)
    sentences = {pair: tally.describe_votes(*pair, votes) for pair, votes in tallies.items()}
    for pair in sorted(tallies, key=lambda pair: -sum(tallies[pair])):
        st.text(f"{sentences[pair]} {tally.describe_significance(tallies[pair])}")
    _show_votes(tallies, VOTED[setting], " ".join(sentences.values()))


def _show_votes(tallies: Tallies, colours: dict[str, str], alt_text: str) -> None:
    """Stacked bars: the votes on each pair."""
    rows = pd.DataFrame(
        [
            {"pair": f"{one}, {other}", "preferred": preferred, "votes": number}
            for (one, other), votes in tallies.items()
            for preferred, number in zip((one, other, NO_DIFFERENCE), votes, strict=True)
        ]
    )
    encoding = {
        "x": {**_number("votes"), "title": "Votes", "axis": {"tickMinStep": 1}},
        "y": {**_name("pair"), "title": None},
        "color": _colours("preferred", rows["preferred"], colours),
        "tooltip": [_name("pair"), _name("preferred"), _number("votes")],
    }
    spec: Spec = {"height": {"step": 40}, "mark": "bar", "encoding": encoding}
    _show_chart(rows, spec, alt_text)


def show_films(table: pd.DataFrame) -> None:
    """Show how many films were made when, by pacing or by model."""
    st.header("Films", anchor=False)
    by = st.segmented_control(
        "Films by",
        ["pacing", "model"],
        default="pacing",
        required=True,
        key="by",
        bind="query-params",
    )
    by = by or "pacing"  # blank if the URL has the parameter without a value
    table = table.assign(day=pd.to_datetime(table["day"]), kind=table[by].replace("", UNKNOWN))
    summary = _films_summary(table)
    st.text(summary)
    by_pacing = by == "pacing"
    colour = (
        _colours("kind", table["kind"], COLOURS)
        if by_pacing
        else {**_name("kind"), "legend": LEGEND}
    )
    _show_days(table, colour, summary)


def _films_summary(table: pd.DataFrame) -> str:
    """The number of films, the first day, and the numbers by kind, in a sentence."""
    films = table.groupby("kind")["films"].sum().sort_values(ascending=False)
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in films.head(MAX_ROWS).items())
    total = films.sum()
    count = f"{total:,} film" if total == 1 else f"{total:,} films"
    return f"{count} since {table['day'].min():%d %B %Y}: {kinds}."


def _show_days(table: pd.DataFrame, colour: Spec, alt_text: str) -> None:
    """Stacked bars: the films of each day or month."""
    span = table["day"].max() - table["day"].min()
    unit = "day" if span.days <= MAX_DAYS_BY_DAY else "month"
    start = table["day"].dt.to_period(unit[0].upper()).dt.start_time
    bars = table.assign(start=start).groupby(["start", "kind"], as_index=False)["films"].sum()
    time = {"field": "start", "type": "temporal"}
    x = {**time, "timeUnit": TIME_UNITS[unit], "title": None, "scale": {"type": "utc"}}
    encoding = {
        "x": x,
        "y": {**_number("films"), "title": f"Films a {unit}", "axis": {"tickMinStep": 1}},
        "color": colour,
        "tooltip": [time, _name("kind"), _number("films")],
    }
    _show_chart(pd.DataFrame(bars), {"height": 260, "mark": "bar", "encoding": encoding}, alt_text)


def show_evenness(table: pd.DataFrame) -> None:
    """Show how even the films of each pacing are."""
    meaning = "1 is equal change from frame to frame, near 0 a single jump."
    _show_by_pacing(table, "Evenness", meaning)


def show_ghosting(table: pd.DataFrame) -> None:
    """Show how much of the films of each pacing is double exposures."""
    meaning = "The share of frames that show two pictures through each other: 0 is best."
    _show_by_pacing(table, "Double exposures", meaning)


def show_directness(table: pd.DataFrame) -> None:
    """Show how straight the way of the films of each pacing is."""
    meaning = "1 is the straight way from stop to stop, near 0 a long detour."
    _show_by_pacing(table, "Directness", meaning)


def _show_by_pacing(table: pd.DataFrame, measure: str, meaning: str) -> None:
    """Show the quartiles of a measure of films for each pacing, if there are any."""
    if table.empty:
        return
    st.header(measure, anchor=False)
    st.text(meaning)
    _show_quartiles(table.assign(name=table["pacing"].replace("", UNKNOWN)), measure)


def show_speed(table: pd.DataFrame) -> None:
    """Show the seconds a frame of recent films, by model, size and device."""
    if table.empty:
        return
    st.header("Seconds a frame", anchor=False)
    size = table["size"].astype(str) + " × " + table["height"].astype(str)
    name = table["model"] + ", " + size + ", " + table["device"]
    _show_quartiles(table.assign(name=name), "Seconds a frame")


def _show_quartiles(table: pd.DataFrame, measure: str) -> None:
    """Show each row's median as a point and its interquartile range as a line."""
    rows = table.nlargest(MAX_ROWS, "films").sort_values("median")
    medians = zip(rows["name"], rows["median"], rows["films"], strict=True)
    summary = "; ".join(f"{name} {median:.2g} ({films:,})" for name, median, films in medians)
    sentence = f"Median, with the number of films: {summary}. The line is the middle half of them."
    st.text(sentence)
    low = {**_number("low"), "title": measure, "scale": {"zero": False}}
    half = {
        "mark": {"type": "rule", "color": NEUTRAL_COLOUR, "strokeWidth": 4},
        "encoding": {"x": low, "x2": {"field": "high"}},
    }
    point = {"type": "point", "color": COLOURS["dense-middle"], "filled": True, "opacity": 1}
    middle = {"mark": {**point, "size": 120}, "encoding": {"x": _number("median")}}
    encoding = {
        "y": {**_name("name"), "title": None, "sort": None, "axis": {"labelLimit": 300}},
        "tooltip": [_name("name"), *map(_number, ("films", "low", "median", "high"))],
    }
    spec: Spec = {"height": {"step": 36}, "encoding": encoding, "layer": [half, middle]}
    _show_chart(rows, spec, f"{measure}. {sentence}")


def _number(field: str) -> Spec:
    """A field of numbers."""
    return {"field": field, "type": "quantitative"}


def _name(field: str) -> Spec:
    """A field of names."""
    return {"field": field, "type": "nominal"}


def _colours(field: str, values: Iterable[str], colours: dict[str, str]) -> Spec:
    """A colour scale with a fixed colour for each value; others are grey."""
    domain = sorted(set(values), key=[*colours, NO_DIFFERENCE, UNKNOWN].index)
    scale = {"domain": domain, "range": [colours.get(value, NEUTRAL_COLOUR) for value in domain]}
    return {**_name(field), "scale": scale, "legend": LEGEND}


def _show_chart(rows: pd.DataFrame, spec: Spec, alt_text: str) -> None:
    """Show a chart with readable text in both themes and an alternative text."""
    config = {
        "axis": {"labelColor": TEXT_COLOUR, "titleColor": TEXT_COLOUR},
        "legend": {"labelColor": TEXT_COLOUR},
    }
    st.vega_lite_chart(rows, {**spec, "config": config}, alt=alt_text)
