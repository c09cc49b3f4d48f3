"""Tags, votes, full-text search, fair turns, reasons of retries, films that wait for storage."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from db.text import accession_to_int, normalize_words

revision = "0002"
down_revision = "0001"

_FILTERS = ("finished_at", "model", "pacing", "star", "waiting", "number")
_SORTS = ("finished_at", "sort_title", "frames_total", "evenness")
_ADDED = ("waiting", "turn", "troubles", "sort_title", "number")

# Any rebuild of `walks` (Alembic's batch mode, on SQLite) drops its triggers without a word: a
# migration that needs one makes them again. The index holds no texts, only which word is in which
# walk, by `number`: SQLite's own row numbers may change. The ASCII tokenizer splits at spaces
# only, as `normalize_words` has done all else.
_FTS = (
    "CREATE VIRTUAL TABLE walk_words USING fts5"
    "(words, content = '', detail = 'none', tokenize = 'ascii', prefix = '1 2 3')"
)
_LEARN = "INSERT INTO walk_words (rowid, words) VALUES (new.number, new.words);"
_FORGET = (
    "INSERT INTO walk_words (walk_words, rowid, words) VALUES ('delete', old.number, old.words);"
)
_TRIGGERS = {
    "walk_words_insert": f"AFTER INSERT ON walks BEGIN {_LEARN} END",
    "walk_words_update": f"AFTER UPDATE OF words, number ON walks BEGIN {_FORGET} {_LEARN} END",
    "walk_words_delete": f"AFTER DELETE ON walks BEGIN {_FORGET} END",
}


def upgrade() -> None:
    op.drop_index("ix_walks_state_created_at", "walks")
    op.drop_index("ix_walks_state_finished_at", "walks")
    with op.batch_alter_table("walks") as walks:
        walks.alter_column("id", type_=sa.String(128), existing_nullable=False)
        walks.alter_column("parent", type_=sa.String(128), existing_nullable=True)
        walks.add_column(_with_default("waiting", sa.Boolean(), sa.false()))
        walks.add_column(_with_default("turn", sa.Integer(), "0"))
        walks.add_column(_with_default("troubles", sa.JSON(), "[]"))
        walks.add_column(_with_default("sort_title", _bytewise(), ""))
        walks.add_column(_with_default("number", sa.BigInteger(), "0"))
    _create_tags_and_votes()
    _index_again()
    for sort in _SORTS:
        _index_some("state = 'done'", f"ix_walks_done_{sort}", sort, "id", *_FILTERS)
    in_line = ("turn", "created_at", "id", "state", "maker")
    _index_some("state = 'queued' OR state = 'running'", "ix_walks_in_line", *in_line)
    if _sqlite():
        op.execute(_FTS)
        op.execute("INSERT INTO walk_words (rowid, words) SELECT number, words FROM walks")
        _watch_words()
    else:
        op.execute(
            "CREATE INDEX ix_walks_words ON walks "
            "USING gin (array_to_tsvector(string_to_array(words, ' ')))"
        )


def downgrade() -> None:
    if _sqlite():
        for name in _TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        op.drop_table("walk_words")
    else:
        op.drop_index("ix_walks_words", "walks")
    op.drop_index("ix_walks_in_line", "walks")
    for sort in _SORTS:
        op.drop_index(f"ix_walks_done_{sort}", "walks")
    op.drop_table("votes")
    op.drop_table("tags")
    with op.batch_alter_table("walks") as walks:
        for name in _ADDED:
            walks.drop_column(name)
        walks.alter_column("id", type_=sa.String(32), existing_nullable=False)
        walks.alter_column("parent", type_=sa.String(32), existing_nullable=True)
    op.create_index("ix_walks_state_created_at", "walks", ["state", "created_at"])
    op.create_index("ix_walks_state_finished_at", "walks", ["state", "finished_at"])


def _index_some(rows: str, name: str, *columns: str) -> None:
    which = sa.text(rows)
    unique = list(dict.fromkeys(columns))
    op.create_index(name, "walks", unique, sqlite_where=which, postgresql_where=which)


def _sqlite() -> bool:
    return bool(op.get_bind().dialect.name == "sqlite")


def _bytewise() -> sa.types.TypeEngine[str]:
    return sa.String(120).with_variant(sa.String(120, collation="C"), "postgresql")


def _with_default(name: str, kind: sa.types.TypeEngine[Any], default: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=False, server_default=default)


def _walk_id(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.String(128), nullable=False)


def _create_tags_and_votes() -> None:
    op.create_table(
        "tags",
        sa.Column("name", sa.String(64), nullable=False),
        _walk_id("walk_id"),
        sa.PrimaryKeyConstraint("name", "walk_id", name="pk_tags"),
        _goes_with_its_walk("tags", "walk_id"),
    )
    op.create_index("ix_tags_walk_id", "tags", ["walk_id"])
    op.create_table(
        "votes",
        sa.Column("id", sa.Integer(), nullable=False),
        _walk_id("left"),
        _walk_id("right"),
        sa.Column("chosen", sa.String(16), nullable=False),
        sa.Column("maker", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_votes"),
        _goes_with_its_walk("votes", "left"),
        _goes_with_its_walk("votes", "right"),
    )
    op.create_index("ix_votes_left", "votes", ["left"])
    op.create_index("ix_votes_right", "votes", ["right"])


def _goes_with_its_walk(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["walks.id"], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )


def _index_again() -> None:
    """Write what searching and sorting read, as `db.models` does for new rows.

    By today's `normalize_words`, on purpose: the search of today must find these rows.
    """
    walks = sa.table(
        "walks",
        sa.column("id", sa.Text()),
        sa.column("title", sa.Text()),
        sa.column("accession", sa.Text()),
        sa.column("notes", sa.Text()),
        sa.column("spec", sa.JSON()),
        sa.column("words", sa.Text()),
        sa.column("sort_title", sa.Text()),
        sa.column("number", sa.BigInteger()),
    )
    bind = op.get_bind()
    change = walks.update().where(walks.c.id == sa.bindparam("walk"))
    read = sa.select(walks.c.id, walks.c.title, walks.c.accession, walks.c.notes, walks.c.spec)
    for walk in bind.execute(read).all():
        prompts = [stop["prompt"] for stop in walk.spec.get("stops", [])]
        indexed = {
            "words": normalize_words([walk.title, walk.accession, *prompts, walk.notes]),
            "sort_title": normalize_words([walk.title])[:120],
            "number": accession_to_int(walk.accession),
        }
        bind.execute(change.values(**indexed), {"walk": walk.id})


def _watch_words() -> None:
    for name, what in _TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {what}")
