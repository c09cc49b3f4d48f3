"""The rows: walks, the workers last seen, and the accession numbers given out."""

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
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, mapped_column
from sqlalchemy.types import TypeDecorator

# Lower case only: ids name folders, and some file systems cannot tell a from A.
_LETTERS = "23456789abcdefghijkmnpqrstuvwxyz"


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
        State: Enum(
            State,
            native_enum=False,
            create_constraint=False,
            length=16,
            values_callable=lambda states: [state.value for state in states],
        ),
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        list[Any]: JSON,
        list[float]: JSON,
    }


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """16 characters that nobody guesses (80 bits); safe in a URL and as a folder's name."""
    return "".join(secrets.choice(_LETTERS) for _ in range(16))


class Walk(Base):
    """A walk, from the queue to the wall. The row is the queue entry."""

    __tablename__ = "walks"
    __table_args__ = (
        Index("ix_walks_state_created_at", "state", "created_at"),
        Index("ix_walks_state_finished_at", "state", "finished_at"),
        Index("ix_walks_maker_created_at", "maker", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
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

    # While it is made: [place, frame key] pairs in the order in which the frames became ready.
    progress: Mapped[list[Any]] = mapped_column(default=list)
    frames_total: Mapped[int]
    stage: Mapped[str] = mapped_column(String(16), default="")
    owner: Mapped[str | None] = mapped_column(String(128))
    lease_until: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
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

    # What people add.
    star: Mapped[bool] = mapped_column(default=False)
    notes: Mapped[str] = mapped_column(default="")
    words: Mapped[str] = mapped_column(default="")


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


def folded(texts: Iterable[str]) -> str:
    """The texts as a search compares them: no case, no accents, one space between words."""
    apart = unicodedata.normalize("NFKD", " ".join(texts).casefold())
    kept = "".join(c for c in apart if not unicodedata.combining(c) and c != "\0")
    return " ".join(kept.encode("utf-8", "ignore").decode().split())


@event.listens_for(Walk, "before_insert")
@event.listens_for(Walk, "before_update")
def _index_words(_mapper: Mapper[Walk], _connection: Connection, walk: Walk) -> None:
    walk.words = folded(filter(None, (walk.title, walk.accession, walk.notes)))
