"""Tombstones of deleted walks; times of edits; retries after faults of a machine; workers' health.

Failed and cancelled walks have an index, for those who run the app.

Only additions, all with defaults: the previous release works on this schema.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Not in batch mode: a column alone is added in place, and the triggers of `walks` stay.
    for column in (_moment("edited_at"), _moment("recorded_at"), _moment("not_before")):
        op.add_column("walks", column)
    op.add_column("walks", _count("machine_failures"))
    op.add_column("walks", _text("origin", sa.String(64)))
    op.add_column("stills", _moment("asked_at"))
    for name in ("boot_id", "home", "problem"):
        op.add_column("workers", _text(name))
    op.add_column("workers", _count("process_start", sa.BigInteger()))
    op.add_column("workers", _count("failures"))
    op.add_column("workers", _moment("paused_until"))
    op.create_table(
        "deletions",
        sa.Column("walk_id", sa.String(128), nullable=False),
        sa.Column("accession", sa.String(32), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        _moment("files_deleted_at"),
        sa.PrimaryKeyConstraint("walk_id", name="pk_deletions"),
    )
    given_up = sa.text("state = 'failed' OR state = 'cancelled'")
    op.create_index(
        "ix_walks_given_up",
        "walks",
        ["state", "finished_at"],
        sqlite_where=given_up,
        postgresql_where=given_up,
    )


def downgrade() -> None:
    op.drop_index("ix_walks_given_up", "walks")
    op.drop_table("deletions")
    for name in ("paused_until", "failures", "process_start", "problem", "home", "boot_id"):
        op.drop_column("workers", name)
    op.drop_column("stills", "asked_at")
    for name in ("origin", "machine_failures", "not_before", "recorded_at", "edited_at"):
        op.drop_column("walks", name)


def _moment(name: str) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _count(name: str, kind: "sa.types.TypeEngine[int] | None" = None) -> "sa.Column[int]":
    return sa.Column(name, kind or sa.Integer(), nullable=False, server_default="0")


def _text(name: str, kind: "sa.types.TypeEngine[str] | None" = None) -> "sa.Column[str]":
    return sa.Column(name, kind or sa.Text(), nullable=False, server_default="")
