"""Walks, workers and accession numbers."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _moment(name: str, *, nullable: bool = False) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "walks",
        _text("id", 32),
        _text("accession", 32),
        _text("state", 16),
        _moment("created_at"),
        _moment("started_at", nullable=True),
        _moment("finished_at", nullable=True),
        _text("title"),
        _text("maker", 64),
        _text("parent", 32, nullable=True),
        sa.Column("spec", sa.JSON(), nullable=False),
        _text("digest", 64),
        _text("model"),
        _text("pacing", 32),
        _text("interpolation", 32),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("guidance", sa.Double(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("frames_total", sa.Integer(), nullable=False),
        _text("stage", 16),
        _text("owner", 128, nullable=True),
        _moment("lease_until", nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        _text("error"),
        _text("device"),
        _text("dtype", 16),
        _text("model_digest", 64),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("seconds_to_load", sa.Double(), nullable=False),
        sa.Column("frames_computed", sa.Integer(), nullable=False),
        sa.Column("unet_samples", sa.Integer(), nullable=False),
        sa.Column("distances", sa.JSON(), nullable=False),
        sa.Column("evenness", sa.Double(), nullable=True),
        sa.Column("sharpness", sa.Double(), nullable=True),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        _text("sha256", 64),
        sa.Column("star", sa.Boolean(), nullable=False),
        _text("notes"),
        _text("words"),
        sa.PrimaryKeyConstraint("id", name="pk_walks"),
        sa.UniqueConstraint("accession", name="uq_walks_accession"),
        sa.ForeignKeyConstraint(
            ["parent"], ["walks.id"], name="fk_walks_parent", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_walks_state_created_at", "walks", ["state", "created_at"])
    op.create_index("ix_walks_state_finished_at", "walks", ["state", "finished_at"])
    op.create_index("ix_walks_maker_created_at", "walks", ["maker", "created_at"])
    op.create_index("ix_walks_parent", "walks", ["parent"])
    op.create_index("ix_walks_digest", "walks", ["digest"])
    op.create_table(
        "workers",
        _text("name", 128),
        sa.Column("pid", sa.Integer(), nullable=False),
        _text("host"),
        _text("device"),
        _moment("started_at"),
        _moment("seen_at"),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
    )
    op.create_table(
        "accessions",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name="pk_accessions"),
    )


def downgrade() -> None:
    op.drop_table("accessions")
    op.drop_table("workers")
    op.drop_table("walks")
