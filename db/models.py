"""The rows: walks, their tags and votes, stills, the workers last seen, the accession numbers."""

import re
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TextClause,
    event,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Mapper,
    Session,
    mapped_column,
    relationship,
)
from sqlalchemy.types import TypeDecorator

# Lower case only: ids name folders, and some file systems cannot tell a from A.
_LETTERS = "23456789abcdefghijkmnpqrstuvwxyz"
# A Chinese or Japanese text has no spaces: each of its signs is a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]{1,64}")
_WORDS_LENGTH = 20_000
SORT_LENGTH = 120


class State(StrEnum):
    """Where a walk stands: queued -> running -> done, failed or cancelled."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing will happen to the walk any more."""
        return self in (State.DONE, State.FAILED, State.CANCELLED)


class Choice(StrEnum):
    """Which film of a blind vote was preferred."""

    LEFT = "left"
    RIGHT = "right"
    NONE = "none"


# Sorted alike by every database, whatever the locale of a PostgreSQL server.
_BYTEWISE = String(SORT_LENGTH).with_variant(String(SORT_LENGTH, collation="C"), "postgresql")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime, in UTC, also where the database keeps no time zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: nobody knows when they are."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Hand out UTC, always."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _as_text(words: type[StrEnum]) -> Enum:
    """An enumeration kept as its words; an unknown one is refused."""
    return Enum(
        words,
        native_enum=False,
        create_constraint=False,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """The base of all rows."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as it stands
        datetime: UTCDateTime,
        str: Text,
        State: _as_text(State),
        Choice: _as_text(Choice),
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        list[Any]: JSON,
        list[float]: JSON,
    }


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def clock(session: Session) -> datetime:
    """This moment, in UTC, as all who share the database see it.

    On a server that is the server's clock: the machines' own may differ. On one machine there is
    one clock.
    """
    if session.get_bind().dialect.name == "sqlite":
        return now()
    return session.execute(select(func.now())).scalar_one().astimezone(UTC)


def new_id() -> str:
    """16 characters that nobody guesses (80 bits); safe in a URL and as a folder's name."""
    return "".join(secrets.choice(_LETTERS) for _ in range(16))


def _done_by(sort: str, *key: TextClause) -> Index:
    """The done walks in one order, with all that the Gallery filters by: no row is read for it."""
    filters = ("finished_at", "model", "pacing", "star", "waiting", "number", sort)
    return _done(sort, *(key or [sort]), "id", *filters)


def _done(name: str, *columns: "str | TextClause") -> Index:
    """An index of the done walks."""
    return _only("state = 'done'", f"ix_walks_done_{name}", *columns)


def _only(rows: str, name: str, *columns: "str | TextClause") -> Index:
    """An index of some of the rows."""
    which = text(rows)
    return Index(name, *dict.fromkeys(columns), sqlite_where=which, postgresql_where=which)


class Walk(Base):
    """A walk, from the queue to the wall. The row is the queue entry."""

    __tablename__ = "walks"
    __table_args__ = (
        _only(
            "state = 'queued' OR state = 'running'",
            "ix_walks_in_line",
            *("turn", "due", "created_at", "id", "state", "maker"),
        ),
        Index("ix_walks_maker_created_at", "maker", "created_at"),
        *(_done_by(sort) for sort in ("finished_at", "sort_title", "frames_total")),
        _done_by("evenness", text("coalesce(evenness, -1.0)")),
        # SQLite would read the rows of half the walks by these.
        *(_done(name, name).ddl_if(dialect="postgresql") for name in ("model", "pacing")),
    )

    id: Mapped[str] = mapped_column(String(128), primary_key=True, default=new_id)
    accession: Mapped[str] = mapped_column(String(32), unique=True)
    state: Mapped[State] = mapped_column(default=State.QUEUED)
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    title: Mapped[str]
    maker: Mapped[str] = mapped_column(String(64), default="")
    parent: Mapped[str | None] = mapped_column(
        ForeignKey("walks.id", ondelete="SET NULL"), index=True
    )

    # What to walk, and the columns that are searched.
    spec: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64), index=True)
    model: Mapped[str]
    pacing: Mapped[str] = mapped_column(String(32))
    interpolation: Mapped[str] = mapped_column(String(32))
    frames: Mapped[int]
    steps: Mapped[int]
    guidance: Mapped[float]
    size: Mapped[int]
    # Made at the endpoint of the settings, not by the worker's own model.
    remote: Mapped[bool] = mapped_column(default=False)

    # While it is made: [place, frame key] pairs in the order in which the frames became ready.
    progress: Mapped[list[Any]] = mapped_column(default=list)
    frames_total: Mapped[int]
    stage: Mapped[str] = mapped_column(String(16), default="")
    owner: Mapped[str | None] = mapped_column(String(128))
    lease_until: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
    # Why it was tried again: {"at", "attempt", "reason"} of each death.
    troubles: Mapped[list[Any]] = mapped_column(default=list)
    # The round in which it is served: each maker has one walk a round.
    turn: Mapped[int] = mapped_column(default=0)
    # Its place in that round: when it would be over, in seconds since 1970, had it begun at once.
    due: Mapped[int] = mapped_column(BigInteger, default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str] = mapped_column(default="")

    # What came of it.
    device: Mapped[str] = mapped_column(default="")
    dtype: Mapped[str] = mapped_column(String(16), default="")
    model_digest: Mapped[str] = mapped_column(String(64), default="")
    seconds: Mapped[float] = mapped_column(default=0.0)
    seconds_to_load: Mapped[float] = mapped_column(default=0.0)
    frames_computed: Mapped[int] = mapped_column(default=0)
    unet_samples: Mapped[int] = mapped_column(default=0)
    distances: Mapped[list[float]] = mapped_column(default=list)
    evenness: Mapped[float | None]
    sharpness: Mapped[float | None]
    files: Mapped[dict[str, str]] = mapped_column(default=dict)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    # Done, but its files are on the worker's machine only: the storage was out of reach.
    waiting: Mapped[bool] = mapped_column(default=False)

    # What people add.
    star: Mapped[bool] = mapped_column(default=False)
    notes: Mapped[str] = mapped_column(default="")
    tagged: Mapped[list["Tag"]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", passive_deletes=True, order_by="Tag.name"
    )

    # What searching and sorting read; kept up to date by `_index`. The number is the accession
    # number's; the full-text index of SQLite knows the walk by it.
    number: Mapped[int] = mapped_column(BigInteger, default=0)
    words: Mapped[str] = mapped_column(default="")
    sort_title: Mapped[str] = mapped_column(_BYTEWISE, default="")

    @property
    def tags(self) -> list[str]:
        """The names of its tags, in order; `walks.set_tags` changes them."""
        return [tag.name for tag in self.tagged]

    @property
    def prompts(self) -> list[str]:
        """The prompts of its stops; none when another program made the film."""
        return [str(stop["prompt"]) for stop in self.spec.get("stops", [])]


class Tag(Base):
    """A tag on a walk."""

    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    walk_id: Mapped[str] = mapped_column(
        ForeignKey("walks.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Vote(Base):
    """A blind vote between two films."""

    __tablename__ = "votes"

    id: Mapped[int] = mapped_column(primary_key=True)
    left: Mapped[str] = mapped_column(ForeignKey("walks.id", ondelete="CASCADE"), index=True)
    right: Mapped[str] = mapped_column(ForeignKey("walks.id", ondelete="CASCADE"), index=True)
    chosen: Mapped[Choice]
    maker: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class Still(Base):
    """The picture at one place of a walk, for whoever looks; `db.stills` says how it is made."""

    __tablename__ = "stills"
    __table_args__ = (Index("ix_stills_state_created_at", "state", "created_at"),)

    id: Mapped[str] = mapped_column(String(128), primary_key=True, default=new_id)
    # The same for those who ask the same.
    question: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[State] = mapped_column(default=State.QUEUED)
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    maker: Mapped[str] = mapped_column(String(64), default="")
    spec: Mapped[dict[str, Any]]
    model: Mapped[str]
    leg: Mapped[int]
    t: Mapped[float]
    owner: Mapped[str | None] = mapped_column(String(128))
    # The answer: the frame's key in the frame cache, or why there is none.
    key: Mapped[str] = mapped_column(String(64), default="")
    error: Mapped[str] = mapped_column(default="")


class WorkerSeen(Base):
    """A worker, and when it last said that it lives."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    pid: Mapped[int]
    host: Mapped[str]
    device: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)


class AccessionYear(Base):
    """The last accession number given in a year. It only counts up: no number comes twice."""

    __tablename__ = "accessions"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


# Written out, not parameters: only so do the planners see which partial index will do.
QUEUED, RUNNING, DONE = (
    Walk.state == literal_column(f"'{state}'")
    for state in (State.QUEUED, State.RUNNING, State.DONE)
)
IN_LINE = or_(QUEUED, RUNNING)


def number_of(accession: str) -> int:
    """The accession number as a whole number, in the same order: ML.2026.0042: 2026 000 000 042."""
    _, year, last = accession.split(".")
    return int(year) * 10**9 + int(last)


def folded(texts: Iterable[str]) -> str:
    """The words of the texts as a search compares them, with one space between two.

    No case, no accents, no punctuation; what is longer than anybody searches is left out.
    """
    apart = unicodedata.normalize("NFKD", " ".join(texts)[:_WORDS_LENGTH].casefold())
    kept = "".join(c for c in apart if not unicodedata.combining(c))
    return " ".join(_WORD.findall(unicodedata.normalize("NFC", kept)))


@event.listens_for(Walk, "before_insert")
@event.listens_for(Walk, "before_update")
def _index(_mapper: Mapper[Walk], _connection: Connection, walk: Walk) -> None:
    walk.words = folded([walk.title, walk.accession, *walk.tags, *walk.prompts, walk.notes or ""])
    walk.sort_title = folded([walk.title])[:SORT_LENGTH]
    walk.number = number_of(walk.accession)
