"""SQL of the Gallery: filters, full-text search and sort orders of done walks."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Literal, NamedTuple, Self, TypedDict

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    tuple_,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.credits import Credit
from db.dialect import is_postgresql
from db.models import IS_DONE, Tag, Walk
from db.text import normalize_words

SEARCH_LENGTH = 200
"""The most characters of a search that are read."""
MOST_VALUES = 500
"""Values that are offered to filter by: each visitor may invent some, and every page shows them."""
MOST_TAGS = 20
"""The most tags that a query asks for: each is a subquery, and thousands take a planner minutes."""

Sort = Literal["newest", "oldest", "title", "longest", "evenness"]

# SQLite's full-text index, kept by triggers on `walks` (migration 0002).
_FULL_TEXT_INDEX = table("walk_words", column("rowid"), column("walk_words"))


class Filters(TypedDict, total=False):
    """Filters on done walks; one that is missing or empty is not applied."""

    search: str
    """Words or prefixes of words; each must occur in title, number, prompts, tags, notes or what
    is said of works of art."""
    model: str
    pacing: str
    museum: str
    """A work of art of this museum is a stop, as with the artist."""
    artist: str
    tags: Sequence[str]
    """The walk has all of these tags."""
    starred: bool
    waiting: bool
    """Only films that are not in the storage yet."""
    since: date | None
    """Finished on this day (UTC) or later."""
    until: date | None
    """Finished on this day (UTC) or earlier."""
    after: datetime | None
    """Finished later than that moment."""


class Order(NamedTuple):
    """A sort order of done walks; the id breaks ties."""

    key: SQLColumnExpression[Any]
    descending: bool

    def reverse(self) -> Self:
        """Return the same order from its end."""
        return self._replace(descending=not self.descending)

    def sort_columns(
        self, *columns: SQLColumnExpression[Any]
    ) -> tuple[SQLColumnExpression[Any], ...]:
        """Return the ORDER BY columns: key and id of `walks`, or the given key and id columns."""
        key_and_id = columns or (self.key, Walk.id)
        return tuple(one.desc() if self.descending else one.asc() for one in key_and_id)

    def after(self, key: Any, walk_id: str) -> ColumnElement[bool]:
        """Return the condition that a walk comes after the one with this key and id."""
        row, last = tuple_(self.key, Walk.id), tuple_(key, walk_id)
        return row < last if self.descending else row > last


ORDERS: dict[Sort, Order] = {
    "newest": Order(Walk.finished_at, True),
    "oldest": Order(Walk.finished_at, False),
    "title": Order(Walk.sort_title, False),
    "longest": Order(Walk.frames_total, True),
    # A film of another program has no evenness and comes last. The index has the same expression.
    "evenness": Order(func.coalesce(Walk.evenness, literal_column("-1.0")), True),
}


def build_conditions(session: Session, filters: Filters) -> list[ColumnElement[bool]]:
    """Return the WHERE conditions for done walks that pass the filters."""
    conditions = [IS_DONE]
    conditions += [
        getattr(Walk, name) == value for name in ("model", "pacing") if (value := filters.get(name))
    ]
    conditions += [
        getattr(Walk, name).is_(True)
        for name, key in (("star", "starred"), ("waiting", "waiting"))
        if filters.get(key)
    ]
    if since := filters.get("since"):
        conditions.append(Walk.finished_at >= datetime.combine(since, time.min, UTC))
    if until := filters.get("until"):
        conditions.append(Walk.finished_at <= datetime.combine(until, time.max, UTC))
    if after := filters.get("after"):
        conditions.append(Walk.finished_at > after)
    for name in ("museum", "artist"):
        if value := filters.get(name):
            of_works = select(Credit.walk_id).where(getattr(Credit, name) == value)
            conditions.append(_id_to_filter(session).in_(of_works))
    for tag in list(dict.fromkeys(filters.get("tags", ())))[:MOST_TAGS]:
        with_tag = select(Tag.walk_id).where(Tag.name == tag)
        conditions.append(_id_to_filter(session).in_(with_tag))
    if words := list_words(filters):
        conditions.append(match_words(session, words))
    return conditions


def list_words(filters: Filters) -> list[str]:
    """Return the words that are searched for; none of a search without a letter or digit."""
    return normalize_words([filters.get("search", "")[:SEARCH_LENGTH]]).split()


def _id_to_filter(session: Session) -> SQLColumnExpression[str]:
    """Return the id of walks, to be looked for among those of tags or credits.

    With || '' SQLite starts from the sort order's index instead of thousands of them; PostgreSQL
    has statistics.
    """
    return Walk.id if is_postgresql(session) else Walk.id.concat("")


def select_ids(
    session: Session, rows: Select[str, Any], order: Order, filters: Filters
) -> Select[str]:
    """Select the ids of `rows` (id, key) in a sort order.

    PostgreSQL's planner assumes that any search word is common, and would scan all walks in sort
    order for a rare one. OFFSET 0 makes it search first and sort then.
    """
    if filters.get("search") and is_postgresql(session):
        matches = rows.offset(0).subquery()
        return select(matches.c.id).order_by(*order.sort_columns(matches.c.key, matches.c.id))
    return rows.with_only_columns(Walk.id).order_by(*order.sort_columns())


def match_words(session: Session, words: list[str]) -> ColumnElement[bool]:
    """Return the condition that a walk contains words with each of these prefixes.

    `normalize_words` defines words for rows and searches alike; they are letters and digits, so
    they cannot contain query syntax.
    """
    if is_postgresql(session):
        vector = func.array_to_tsvector(func.string_to_array(Walk.words, literal_column("' '")))
        prefixes = " & ".join(f"'{word}':*" for word in words)
        return vector.op("@@", is_comparison=True)(cast(prefixes, TSQUERY))
    prefixes = " AND ".join(f'"{word}"*' for word in words)
    match = _FULL_TEXT_INDEX.c.walk_words.op("MATCH", is_comparison=True)(prefixes)
    return Walk.number.in_(select(_FULL_TEXT_INDEX.c.rowid).where(match))


def list_filter_values(*, session: Session, chosen: Iterable[str] = ()) -> dict[str, list[str]]:
    """Return the values that films can be filtered by, by name, sorted.

    The names are "model", "pacing", "museum", "artist" and "tag".

    At most MOST_VALUES of each, of tags those of most films, and those of the chosen ones that are
    in use.
    """
    wanted = Tag.name.in_(list(dict.fromkeys(chosen))[:MOST_TAGS])
    select_values = _select_distinct_by_index if is_postgresql(session) else _select_distinct
    queries = {
        "model": select_values(Walk.model),
        "pacing": select_values(Walk.pacing),
        **{name: _select_of_works(name) for name in ("museum", "artist")},
        "tag": select(Tag.name).group_by(Tag.name).order_by(func.count().desc(), Tag.name),
    }
    values = {
        name: set(session.scalars(query.limit(MOST_VALUES))) for name, query in queries.items()
    }
    values["tag"].update(session.scalars(select(Tag.name).where(wanted)))
    return {name: sorted(found) for name, found in values.items()}


def _select_of_works(name: str) -> Select[str]:
    """Select the museums or artists whose works are stops of walks, those of most walks first."""
    column = getattr(Credit, name)
    used = select(column).where(column > "").group_by(column)
    return used.order_by(func.count().desc(), column)


def _select_distinct(column: InstrumentedAttribute[str]) -> Select[str]:
    """Select a column's distinct values of done walks, without the blank one."""
    return select(column).where(IS_DONE, column > "").distinct()


def _select_distinct_by_index(column: InstrumentedAttribute[str]) -> Select[str]:
    """Select the same with a loose index scan: each value is the smallest above the previous one.

    PostgreSQL would read all walks for DISTINCT.
    """
    smallest = select(func.min(column).label("value")).where(IS_DONE, column > "")
    values = smallest.cte("each", recursive=True)
    successor = select(func.min(column)).where(IS_DONE, column > values.c.value).scalar_subquery()
    values = values.union_all(select(successor).where(values.c.value.is_not(None)))
    return select(values.c.value).where(values.c.value.is_not(None))
