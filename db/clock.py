"""The current time: of this machine, and of the database."""

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.dialect import is_postgresql


def utc_now() -> datetime:
    """Return this machine's current time in UTC."""
    return datetime.now(UTC)


def database_now(session: Session) -> datetime:
    """Return the current time in UTC, the same clock for all processes that share the database.

    On PostgreSQL it is the server's clock, because machines' clocks may differ; on SQLite it is
    this machine's.
    """
    if not is_postgresql(session):
        return utc_now()
    return session.execute(select(func.now())).scalar_one().astimezone(UTC)
