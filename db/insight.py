"""Statistics of all films: counts by day, and quartiles of what was measured.

The database aggregates; the results are a few rows, as dicts.
"""

from typing import Any

from sqlalchemy import ColumnElement, Label, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.dialect import is_postgresql
from db.models import IS_DONE, Walk

_HEIGHT = func.coalesce(Walk.spec["height"].as_integer(), Walk.size).label("height")
Rows = list[dict[str, Any]]


def count_films_by_day(*, session: Session) -> Rows:
    """Count the "films" finished per "day" (UTC), "model" and "pacing"."""
    on_server = is_postgresql(session)
    day = func.date(func.timezone("UTC", Walk.finished_at) if on_server else Walk.finished_at)
    counts = select(day.label("day"), Walk.model, Walk.pacing, func.count().label("films"))
    return _fetch_rows(session, counts.where(IS_DONE).group_by(day, Walk.model, Walk.pacing))


def summarize_evenness(*, session: Session) -> Rows:
    """Return the quartiles of the films' evenness by "pacing"."""
    return _fetch_rows(session, _select_quartiles(Walk.evenness, Walk.pacing))


def summarize_ghosting(*, session: Session) -> Rows:
    """Return the quartiles of the films' share of double exposures by "pacing"."""
    return _fetch_rows(session, _select_quartiles(Walk.ghosting, Walk.pacing))


def summarize_directness(*, session: Session) -> Rows:
    """Return the quartiles of the films' directness by "pacing"."""
    return _fetch_rows(session, _select_quartiles(Walk.directness, Walk.pacing))


def summarize_seconds_per_frame(*, session: Session, newest: int = 5_000) -> Rows:
    """Return the quartiles of the seconds per computed frame by model, size, height and device.

    Only of the newest films, because machines change and this reads entire rows; and not of those
    whose frames came mostly from the cache.
    """
    seconds = Walk.seconds / func.nullif(Walk.frames_computed, 0)
    newest_ids = select(Walk.id).where(IS_DONE).order_by(Walk.finished_at.desc()).limit(newest)
    groups = (Walk.model, Walk.size, _HEIGHT, Walk.device)
    condition = Walk.id.in_(newest_ids) & Walk.was_mostly_computed
    return _fetch_rows(session, _select_quartiles(seconds, *groups, condition=condition))


def _select_quartiles(
    value: ColumnElement[float] | InstrumentedAttribute[float | None],
    *groups: InstrumentedAttribute[Any] | Label[Any],
    condition: ColumnElement[bool] = IS_DONE,
) -> Select[Any]:
    """Select each group's number of "films" with a value, and its quartiles.

    The quartiles are named "low", "median" and "high". They are by nearest rank: each is the value
    of a film.
    """
    ranked = (
        select(
            *groups,
            value.label("value"),
            func.row_number().over(partition_by=groups, order_by=value).label("rank"),
            func.count().over(partition_by=groups).label("films"),
        )
        .where(condition, value.is_not(None))
        .subquery()
    ).c
    group_columns = [ranked[group.key] for group in groups]
    quartiles = (
        func.max(ranked.value).filter(ranked.rank == (quarter * ranked.films + 3) // 4).label(name)
        for quarter, name in enumerate(("low", "median", "high"), 1)
    )
    films = func.max(ranked.films).label("films")
    return select(*group_columns, films, *quartiles).group_by(*group_columns)


def _fetch_rows(session: Session, query: Select[Any]) -> Rows:
    return [dict(row) for row in session.execute(query).mappings()]
