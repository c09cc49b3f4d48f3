"""Indexes of a part of the walks, such as those that are done."""

from sqlalchemy import Index, TextClause, text


def index_done_sorted(column: str, *key: TextClause) -> Index:
    """Covering index of the done walks in one sort order, with the columns the Gallery filters."""
    filters = ("finished_at", "model", "pacing", "star", "waiting", "number", column)
    return index_done(column, *(key or [column]), "id", *filters)


def index_done(name: str, *columns: str | TextClause) -> Index:
    """Partial index of the done walks."""
    return partial_index("state = 'done'", f"ix_walks_done_{name}", *columns)


def partial_index(where: str, name: str, *columns: str | TextClause) -> Index:
    """Index of the rows that fulfil an SQL condition."""
    condition = text(where)
    return Index(name, *dict.fromkeys(columns), sqlite_where=condition, postgresql_where=condition)
