"""Pictures that walks start from, on their way from the visitor to a worker.

Only an addition: the previous release works on this schema.
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


def downgrade() -> None:
    op.drop_table("stop_pictures")
