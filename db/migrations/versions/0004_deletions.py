"""Tombstones of deleted walks; times of edits; retries after faults; health; measures of films.

`number` becomes unique. Earlier versions kept any accession number that a film's record had: of ten
digits, which collided with those of the next year, or with zeros in front. Such walks get new ones.
Failed and cancelled walks have an index, for those who run the app.

Only additions, all with defaults: the previous release works on this schema.
"""

import re
from datetime import datetime

import sqlalchemy as sa
from alembic import op

from db.text import accession_to_int, normalize_words

revision = "0004"
down_revision = "0003"
_LAST = 999_999
# At most nine digits, and zeros in front only up to four of them.
_NUMBER = re.compile(r"ML\.[0-9]{4}\.([0-9]{4}|[1-9][0-9]{4,8})")
_STALE = "state = 'done' AND edited_at > coalesce(recorded_at, '0001-01-01')"
_INDEXES = (
    ("ix_walks_given_up", "state = 'failed' OR state = 'cancelled'", ["state", "finished_at"]),
    ("ix_walks_stale_record", _STALE, ["edited_at"]),
)


def upgrade() -> None:
    # Not in batch mode: a column alone is added in place, and the triggers of `walks` stay.
    for name in ("edited_at", "recorded_at", "record_stored_at", "not_before"):
        op.add_column("walks", _moment(name))
    op.add_column("walks", sa.Column("edit_times", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("walks", _count("machine_failures"))
    op.add_column("walks", _text("origin", sa.String(64)))
    for name in ("ghosting", "directness"):
        op.add_column("walks", sa.Column(name, sa.Double(), nullable=True))
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
    op.create_index("ix_deletions_accession", "deletions", ["accession"])
    _repair_numbers()
    op.create_index("ix_walks_number", "walks", ["number"], unique=True)
    # Records of the previous release lack what curators wrote: they are all written once more.
    op.execute("UPDATE walks SET edited_at = finished_at WHERE state = 'done'")


def downgrade() -> None:
    for name, _, _ in _INDEXES:
        op.drop_index(name, "walks")
    op.drop_index("ix_walks_number", "walks")
    op.drop_table("deletions")
    for name in ("paused_until", "failures", "process_start", "problem", "home", "boot_id"):
        op.drop_column("workers", name)
    op.drop_column("stills", "asked_at")
    for name in ("directness", "ghosting", "origin"):
        op.drop_column("walks", name)
    op.drop_column("walks", "edit_times")
    for name in ("machine_failures", "not_before", "record_stored_at", "recorded_at", "edited_at"):
        op.drop_column("walks", name)


def _repair_numbers() -> None:
    """Give walks new accession numbers whose `number` may be another's too."""
    walks = sa.table("walks", *(sa.column(n) for n in ("id", "accession", "words", "number")))
    rows = op.get_bind().execute(sa.select(walks).order_by(walks.c.number, walks.c.id)).all()
    spoiled = [row for row in rows if not _NUMBER.fullmatch(row.accession)]
    taken = {row.number for row in rows} - {row.number for row in spoiled}
    for row in spoiled:
        year = int(row.accession.split(".")[1])
        number = _give_number(year, taken)
        accession = f"ML.{year}.{number:04d}"
        words = [normalize_words([text]) for text in (row.accession, accession)]
        change = walks.update().where(walks.c.id == row.id)
        values = {"accession": accession, "number": accession_to_int(accession)}
        op.execute(change.values(**values, words=row.words.replace(*words, 1)))
    if spoiled and op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO walk_words (walk_words) VALUES ('delete-all')")
        op.execute("INSERT INTO walk_words (rowid, words) SELECT number, words FROM walks")


def _give_number(year: int, taken: set[int]) -> int:
    """Return the year's next number of at most six digits, and set the counter to it."""
    accessions = sa.table("accessions", sa.column("year"), sa.column("last"))
    this_year = accessions.c.year == year
    first = year * 10**9
    counter = op.get_bind().scalar(sa.select(accessions.c.last).where(this_year)) or 0
    given = [number - first for number in taken if 0 <= number - first <= _LAST]
    number = max([counter if counter <= _LAST else 0, *given]) + 1
    taken.add(first + number)
    op.execute(accessions.update().where(this_year).values(last=number))
    return number


def _moment(name: str) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _count(name: str, kind: "sa.types.TypeEngine[int] | None" = None) -> "sa.Column[int]":
    return sa.Column(name, kind or sa.Integer(), nullable=False, server_default="0")


def _text(name: str, kind: "sa.types.TypeEngine[str] | None" = None) -> "sa.Column[str]":
    return sa.Column(name, kind or sa.Text(), nullable=False, server_default="")
