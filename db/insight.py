"""What the history says as a whole: films by day, and the spread of what was measured.

The database counts; what comes back is a few rows, as plain dicts.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.models import DONE, Walk

Rows = list[dict[str, Any]]


def films_by_day(*, session: Session) -> Rows:
    """How many "films" were finished on which "day" (UTC), by "model" and "pacing"."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    day = func.date(Walk.finished_at if sqlite else func.timezone("UTC", Walk.finished_at))
    found = select(day.label("day"), Walk.model, Walk.pacing, func.count().label("films"))
    return _rows(session, found.where(DONE).group_by(day, Walk.model, Walk.pacing))


def evenness(*, session: Session) -> Rows:
    """The spread of the films' evenness by "pacing"."""
    return _rows(session, _spread(Walk.evenness, Walk.pacing))


def seconds_a_frame(*, session: Session, newest: int = 5_000) -> Rows:
    """The spread of the seconds a computed frame took, by "model", "size" and "device".

    Of the newest films only: machines change, and unlike the rest this reads whole rows.
    """
    seconds = Walk.seconds / func.nullif(Walk.frames_computed, 0)
    late = select(Walk.id).where(DONE).order_by(Walk.finished_at.desc()).limit(newest)
    spread = _spread(seconds, Walk.model, Walk.size, Walk.device, films=Walk.id.in_(late))
    return _rows(session, spread)


def _spread(
    value: ColumnElement[float] | InstrumentedAttribute[float | None],
    *groups: InstrumentedAttribute[Any],
    films: ColumnElement[bool] = DONE,
) -> Select[Any]:
    """Of each group how many "films" have the value, and its quartiles: "low", "median", "high".

    Quartiles by nearest rank: each is the value of a film.
    """
    ranked = (
        select(
            *groups,
            value.label("value"),
            func.row_number().over(partition_by=groups, order_by=value).label("rank"),
            func.count().over(partition_by=groups).label("films"),
        )
        .where(films, value.is_not(None))
        .subquery()
    )
    found = ranked.c
    by = [found[group.key] for group in groups]
    quartiles = (
        func.max(found.value).filter(found.rank == (quarter * found.films + 3) // 4).label(name)
        for quarter, name in enumerate(("low", "median", "high"), 1)
    )
    return select(*by, func.max(found.films).label("films"), *quartiles).group_by(*by)


def _rows(session: Session, question: Select[Any]) -> Rows:
    return [dict(row) for row in session.execute(question).mappings()]
