"""What the Gallery can ask for: filters, a search, an order, and a page of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Literal, NamedTuple, TypedDict

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
from sqlalchemy.orm import Session

from db.models import DONE, Tag, Walk, folded

SEARCH_LENGTH = 200

Sort = Literal["newest", "oldest", "title", "longest", "evenness"]

# SQLite's full-text index, kept by triggers on `walks` (migration 0002).
_INDEX = table("walk_words", column("rowid"), column("walk_words"))


class Filters(TypedDict, total=False):
    """What a done walk must be to be shown; what is left out or empty lets all pass."""

    search: str
    """Words, or their beginnings, that its title, number, prompts, tags and notes hold."""
    model: str
    pacing: str
    tags: Sequence[str]
    """All of them are on it."""
    starred: bool
    waiting: bool
    """Only films that have yet to reach the storage."""
    since: date | None
    """The first day, in UTC, on which it was finished."""
    until: date | None
    """The last such day."""


class Order(NamedTuple):
    """An order of done walks; the id decides between equal ones."""

    key: SQLColumnExpression[Any]
    descending: bool

    def by(self, *columns: SQLColumnExpression[Any]) -> tuple[SQLColumnExpression[Any], ...]:
        """What ORDER BY says, of rows of `walks` or of columns that hold its key and id."""
        both = columns or (self.key, Walk.id)
        return tuple(one.desc() if self.descending else one.asc() for one in both)

    def behind(self, key: Any, walk_id: str) -> ColumnElement[bool]:
        """What comes after the walk with that key and id."""
        here, there = tuple_(self.key, Walk.id), tuple_(key, walk_id)
        return here < there if self.descending else here > there


ORDERS: dict[Sort, Order] = {
    "newest": Order(Walk.finished_at, True),
    "oldest": Order(Walk.finished_at, False),
    "title": Order(Walk.sort_title, False),
    "longest": Order(Walk.frames_total, True),
    # A film of another program has no evenness: it comes last. As its index has it.
    "evenness": Order(func.coalesce(Walk.evenness, literal_column("-1.0")), True),
}


def chosen(session: Session, filters: Filters) -> list[ColumnElement[bool]]:
    """What a walk must fulfil to be done and pass the filters."""
    conditions = [DONE]
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
    for tag in filters.get("tags", ()):
        tagged = select(Tag.walk_id).where(Tag.name == tag)
        # With || '' SQLite does not start from thousands of tags, but from the order's index;
        # PostgreSQL knows how many there are.
        walk = Walk.id if on_postgresql(session) else Walk.id.concat("")
        conditions.append(walk.in_(tagged))
    if words := folded([filters.get("search", "")[:SEARCH_LENGTH]]).split():
        conditions.append(_holding(session, words))
    return conditions


def first(
    session: Session, wanted: Select[str, Any], order: Order, filters: Filters
) -> Select[str]:
    """The ids of `wanted` (id, key) in an order.

    PostgreSQL takes any word for a common one and would look for it along the order, through all
    walks where it is rare. The offset makes it find them before it sorts them.
    """
    if filters.get("search") and on_postgresql(session):
        found = wanted.offset(0).subquery()
        return select(found.c.id).order_by(*order.by(found.c.key, found.c.id))
    return wanted.with_only_columns(Walk.id).order_by(*order.by())


def on_postgresql(session: Session) -> bool:
    """Whether the history is in PostgreSQL, whose planner needs other words than SQLite's."""
    return session.get_bind().dialect.name == "postgresql"


def _holding(session: Session, words: list[str]) -> ColumnElement[bool]:
    """The walks that hold a word with each of these beginnings.

    The databases only match: what a word is, `folded` has said for rows and search alike. Words
    are letters and digits, so that nothing in them is syntax.
    """
    if on_postgresql(session):
        held = func.array_to_tsvector(func.string_to_array(Walk.words, literal_column("' '")))
        begun = " & ".join(f"'{word}':*" for word in words)
        return held.op("@@", is_comparison=True)(cast(begun, TSQUERY))
    begun = " AND ".join(f'"{word}"*' for word in words)
    found = _INDEX.c.walk_words.op("MATCH", is_comparison=True)(begun)
    return Walk.number.in_(select(_INDEX.c.rowid).where(found))
