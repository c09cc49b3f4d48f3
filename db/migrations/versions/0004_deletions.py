"""Tombstones of deleted walks; times of edits; retries after faults of a machine; workers' health.

Failed and cancelled walks have an index, for those who run the app.

Only additions, all with defaults: the previous release works on this schema.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
_STALE = "state = 'done' AND edited_at > coalesce(recorded_at, '0001-01-01')"
_INDEXES = (
    ("ix_walks_given_up", "state = 'failed' OR state = 'cancelled'", ["state", "finished_at"]),
    ("ix_walks_stale_record", _STALE, ["edited_at"]),
)


def upgrade() -> None:
    # Not in batch mode: a column alone is added in place, and the triggers of `walks` stay.
    for name in ("edited_at", "recorded_at", "record_stored_at", "not_before"):
        op.add_column("walks", _moment(name))
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
    for name, where, columns in _INDEXES:
        condition = sa.text(where)
        op.create_index(name, "walks", columns, sqlite_where=condition, postgresql_where=condition)
    # Records of the previous release lack what curators wrote: they are all written once more.
    op.execute("UPDATE walks SET edited_at = finished_at WHERE state = 'done'")


def downgrade() -> None:
    for name, _, _ in _INDEXES:
        op.drop_index(name, "walks")
    op.drop_table("deletions")
    for name in ("paused_until", "failures", "process_start", "problem", "home", "boot_id"):
        op.drop_column("workers", name)
    op.drop_column("stills", "asked_at")
    op.drop_column("walks", "origin")
    for name in ("machine_failures", "not_before", "record_stored_at", "recorded_at", "edited_at"):
        op.drop_column("walks", name)


def _moment(name: str) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _count(name: str, kind: "sa.types.TypeEngine[int] | None" = None) -> "sa.Column[int]":
    return sa.Column(name, kind or sa.Integer(), nullable=False, server_default="0")


def _text(name: str, kind: "sa.types.TypeEngine[str] | None" = None) -> "sa.Column[str]":
    return sa.Column(name, kind or sa.Text(), nullable=False, server_default="")
