"""Where PostgreSQL needs what SQLite does not: other queries, and locks, as it has many writers."""

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session


def is_postgresql(session: Session) -> bool:
    """Whether the database is PostgreSQL; else it is SQLite."""
    return session.get_bind().dialect.name == "postgresql"


def let_one_in(connection: Session | Connection, lock_id: int) -> None:
    """Let one transaction at a time go on from here with this lock, until it ends.

    On SQLite one transaction at a time writes anyway.
    """
    bind = connection.get_bind() if isinstance(connection, Session) else connection
    if bind.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_id})
