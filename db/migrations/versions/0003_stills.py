"""Stills; walks made at an endpoint; short walks first within a round; quicker questions."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # Not in batch mode: a column alone is added in place, and the triggers of `walks` stay.
    op.add_column("walks", _with_default("remote", sa.Boolean(), sa.false()))
    op.add_column("walks", _with_default("due", sa.BigInteger(), "0"))
    _index_line("turn", "due", "created_at", "id", "state", "maker")
    op.create_table(
        "stills",
        _text("id", 128),
        _text("question", 64),
        _text("state", 16),
        _moment("created_at"),
        _moment("finished_at", nullable=True),
        _text("maker", 64),
        sa.Column("spec", sa.JSON(), nullable=False),
        _text("model"),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("t", sa.Double(), nullable=False),
        _text("owner", 128, nullable=True),
        _text("key", 64),
        _text("error"),
        sa.PrimaryKeyConstraint("id", name="pk_stills"),
    )
    op.create_index("ix_stills_question", "stills", ["question"])
    op.create_index("ix_stills_state_created_at", "stills", ["state", "created_at"])
    _index_evenness(sa.text("coalesce(evenness, -1.0)"), "evenness")
    for name in _own_indexes():
        _index("state = 'done'", f"ix_walks_done_{name}", name)


def downgrade() -> None:
    for name in _own_indexes():
        op.drop_index(f"ix_walks_done_{name}", "walks")
    _index_evenness("evenness")
    op.drop_table("stills")
    _index_line("turn", "created_at", "id", "state", "maker")
    op.drop_column("walks", "due")
    op.drop_column("walks", "remote")


def _own_indexes() -> tuple[str, ...]:
    """The columns whose values PostgreSQL finds one by one; SQLite has none for it."""
    return ("model", "pacing") if op.get_bind().dialect.name == "postgresql" else ()


def _index_line(*columns: str) -> None:
    op.drop_index("ix_walks_in_line", "walks")
    _index("state = 'queued' OR state = 'running'", "ix_walks_in_line", *columns)


def _index_evenness(key: "str | sa.TextClause", *more: str) -> None:
    filters = ("finished_at", "model", "pacing", "star", "waiting", "number")
    op.drop_index("ix_walks_done_evenness", "walks")
    _index("state = 'done'", "ix_walks_done_evenness", key, "id", *filters, *more)


def _index(rows: str, name: str, *columns: "str | sa.TextClause") -> None:
    which = sa.text(rows)
    op.create_index(name, "walks", columns, sqlite_where=which, postgresql_where=which)


def _with_default(name: str, kind: sa.types.TypeEngine[Any], default: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=False, server_default=default)


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=nullable)
