"""Insight: sentences and charts about all films."""

import json
from datetime import timedelta
from typing import Any, get_args

import pytest
from streamlit.testing.v1 import AppTest

from db import votes
from db.session import writing
from momalisa.pacing import PACINGS
from momalisa.settings import settings
from momalisa.spec import Interpolation
from momalisa.ui import insight
from tests.support.pages import MakeWalk, UpdateWalk, Visit, all_text, widget

BACKGROUNDS = ("#fcfbf9", "#0d0d0e")


def charts(at: AppTest) -> list[dict[str, Any]]:
    """The Vega-Lite specs of the page's charts."""
    return [json.loads(chart.proto.spec) for chart in at.get("vega_lite_chart")]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours as in WCAG 2.2, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb` as in WCAG 2.2, in [0, 1]."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_an_empty_database_links_to_create(visit: Visit, enqueue_walk: MakeWalk) -> None:
    enqueue_walk("a moon", "a sea")
    at = visit("insight")
    assert "no film yet" in all_text(at)
    assert [link.label for link in at.page_link] == ["Make the first one"]
    assert charts(at) == []


def test_votes_are_summarised_in_a_sentence(visit: Visit, add_film: MakeWalk) -> None:
    linear, even = add_film("a moon", "a sea"), add_film("a moon", "a sea", pacing="even")
    with writing(settings().database) as session:
        for maker, preferred in enumerate((even, even, even, linear, None)):
            votes.cast(
                session=session,
                one=linear.id,
                other=even.id,
                preferred=preferred.id if preferred else None,
                maker=str(maker),
            )
    at = visit("insight")
    assert (
        "In 5 votes curators preferred even to linear 3 times, linear once, and saw no difference "
        "once. Too few to say"
    ) in all_text(at)
    assert len(charts(at)) == 3


def test_interpolations_are_told_apart_from_pacings(visit: Visit, add_film: MakeWalk) -> None:
    films = [add_film("a moon", "a sea", interpolation=name) for name in ("lerp", "attention")]
    with writing(settings().database) as session:
        one, other = (film.id for film in films)
        votes.cast(session=session, one=one, other=other, preferred=other, maker="ada")
    at = visit("insight")
    assert "curators preferred attention to lerp once" in all_text(at)
    assert at.header[0].value == "Preferred interpolation"
    (chart, *_) = charts(at)
    assert chart["encoding"]["color"]["scale"]["domain"] == ["lerp", "attention", "no difference"]


def test_without_votes_there_is_a_link_to_vote(visit: Visit, add_film: MakeWalk) -> None:
    add_film("a moon", "a sea")
    at = visit("insight")
    assert "Nobody has voted yet" in all_text(at)
    assert [link.label for link in at.page_link] == ["Compare two, and vote blind"]


def test_films_are_counted_by_pacing_or_by_model(
    visit: Visit, add_film: MakeWalk, add_foreign_film: MakeWalk
) -> None:
    for pacing in ("linear", "linear", "even", "even", "even"):
        add_film(pacing=pacing)
    add_foreign_film()
    at = visit("insight")
    assert "6 films since 03 May 2024: even 3, linear 2, another program 1." in all_text(at)
    widget(at, "button_group", "Films by").set_value("model").run()
    assert "6 films since 03 May 2024: atelier 5, another program 1." in all_text(at)


def test_films_are_counted_by_pacing_if_the_parameter_is_blank(
    visit: Visit, add_film: MakeWalk
) -> None:
    add_film()
    assert "linear 1" in all_text(visit("insight", by=""))


def test_a_foreign_film_alone_is_shown(visit: Visit, add_foreign_film: MakeWalk) -> None:
    add_foreign_film()
    at = visit("insight")
    assert "1 film since 03 May 2024: another program 1." in all_text(at)
    assert len(charts(at)) == 1


def test_every_chart_has_an_alternative_text(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    update_walk(add_film(), evenness=0.5, ghosting=0.25, directness=0.4)
    update_walk(add_film(pacing="even"), evenness=0.9, directness=0.2)
    at = visit("insight")
    alts = [chart.proto.alt for chart in at.get("vega_lite_chart")]
    assert len(alts) == 5
    assert "linear 0.5 (1); even 0.9 (1)" in alts[1]
    assert alts[2].startswith(
        "Double exposures. Median, with the number of films: linear 0.25 (1)."
    )
    assert "even 0.2 (1); linear 0.4 (1)" in alts[3]
    assert "atelier, 64 × 64, cpu 2 (2)" in alts[4]


def test_every_pacing_and_interpolation_has_a_colour_with_contrast_on_both_themes() -> None:
    assert set(insight.COLOURS) == set(PACINGS)
    assert set(insight.INTERPOLATION_COLOURS) == set(get_args(Interpolation))
    every = {**insight.COLOURS, **insight.INTERPOLATION_COLOURS}
    for colour in (*every.values(), insight.NEUTRAL_COLOUR):
        assert all(contrast(colour, background) >= 3 for background in BACKGROUNDS), colour


def test_the_text_of_charts_has_contrast_on_both_themes() -> None:
    on_light, on_dark = insight.TEXT_COLOUR["expr"].split("'")[1::2]
    assert contrast(on_light, BACKGROUNDS[0]) >= 4.5
    assert contrast(on_dark, BACKGROUNDS[1]) >= 4.5


@pytest.mark.parametrize(("days", "unit"), [(30, "Films a day"), (400, "Films a month")])
def test_a_long_history_is_drawn_by_month(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk, days: int, unit: str
) -> None:
    walk = add_film()
    add_film()
    assert walk.finished_at
    update_walk(walk, finished_at=walk.finished_at - timedelta(days=days))
    (films, *_) = charts(visit("insight"))
    assert films["encoding"]["y"]["title"] == unit
