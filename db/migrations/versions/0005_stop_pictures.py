"""Pictures that walks start from, on their way from the visitor to a worker; whose works they are.

Only additions: the previous release works on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "stop_pictures",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_stop_pictures"),
    )
    op.create_index("ix_stop_pictures_used_at", "stop_pictures", ["used_at"])
    op.create_table(
        "credits",
        sa.Column("walk_id", sa.String(128), nullable=False),
        sa.Column("stop", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("museum", sa.String(500), nullable=False),
        sa.Column("artist", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("walk_id", "stop", name="pk_credits"),
        sa.ForeignKeyConstraint(
            ["walk_id"], ["walks.id"], name="fk_credits_walk_id", ondelete="CASCADE"
        ),
    )
    for name in ("museum", "artist"):
        op.create_index(f"ix_credits_{name}", "credits", [name, "walk_id"])


def downgrade() -> None:
    op.drop_table("credits")
    op.drop_table("stop_pictures")
