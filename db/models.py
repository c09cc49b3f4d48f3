"""The tables: walks and what belongs to them, stills, pictures, workers and number counters."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    event,
    literal_column,
    or_,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, mapped_column, relationship

from db.clock import utc_now
from db.column_types import UTCDateTime, bytewise_string, enum_as_text
from db.partial_indexes import index_done, index_done_sorted, partial_index
from db.text import accession_to_int, generate_id, normalize_words, spec_texts

SORT_LENGTH = 120
REPLACED = "replaced"
"""In a walk's progress: the mark of pictures that stood in for a frame, and are not shown."""
RECORD_IS_STALE = "state = 'done' AND edited_at > coalesce(recorded_at, '0001-01-01')"
"""SQL condition of the films whose stored record (walk.json) lacks their last edit."""


class State(StrEnum):
    """State of a walk or still: queued -> running -> done, failed or cancelled."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the state never changes again."""
        return self in (State.DONE, State.FAILED, State.CANCELLED)


class Choice(StrEnum):
    """Result of a blind vote: the preferred film, or neither."""

    LEFT = "left"
    RIGHT = "right"
    NONE = "none"


class Base(DeclarativeBase):
    """Declarative base class of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UTCDateTime,
        str: Text,
        State: enum_as_text(State),
        Choice: enum_as_text(Choice),
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        list[Any]: JSON,
        list[float]: JSON,
    }


class Walk(Base):
    """A walk in any state; rows in the states queued and running are the queue."""

    __tablename__ = "walks"
    __table_args__ = (
        partial_index(
            "state = 'queued' OR state = 'running'",
            "ix_walks_in_line",
            *("turn", "due", "created_at", "id", "state", "maker"),
        ),
        partial_index(
            "state = 'failed' OR state = 'cancelled'", "ix_walks_given_up", "state", "finished_at"
        ),
        Index("ix_walks_maker_created_at", "maker", "created_at"),
        Index("ix_walks_number", "number", unique=True),
        *(index_done_sorted(sort) for sort in ("finished_at", "sort_title", "frames_total")),
        index_done_sorted("evenness", text("coalesce(evenness, -1.0)")),
        partial_index(RECORD_IS_STALE, "ix_walks_stale_record", "edited_at"),
        # PostgreSQL only: SQLite's planner would choose them and read half of the rows.
        *(index_done(name, name).ddl_if(dialect="postgresql") for name in ("model", "pacing")),
    )

    id: Mapped[str] = mapped_column(String(128), primary_key=True, default=generate_id)
    accession: Mapped[str] = mapped_column(String(32), unique=True)
    state: Mapped[State] = mapped_column(default=State.QUEUED)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    title: Mapped[str]
    maker: Mapped[str] = mapped_column(String(64), default="")
    parent: Mapped[str | None] = mapped_column(
        ForeignKey("walks.id", ondelete="SET NULL"), index=True
    )

    # The specification, and its columns that are searched.
    spec: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64), index=True)
    model: Mapped[str]
    pacing: Mapped[str] = mapped_column(String(32))
    interpolation: Mapped[str] = mapped_column(String(32))
    frames: Mapped[int]
    steps: Mapped[int]
    guidance: Mapped[float]
    size: Mapped[int]
    # Rendered by the endpoint of the settings, not by the worker's own model.
    remote: Mapped[bool] = mapped_column(default=False)
    # Stands for the network address that it was submitted from, for limits; empty if unknown.
    origin: Mapped[str] = mapped_column(String(64), default="", server_default="")

    # The pictures in the cache: [place, frame key] in the order in which the frames became ready,
    # then [place, key, "rough"] of previews, and [place, key, REPLACED].
    progress: Mapped[list[Any]] = mapped_column(default=list)
    frames_total: Mapped[int]
    stage: Mapped[str] = mapped_column(String(16), default="")
    owner: Mapped[str | None] = mapped_column(String(128))
    lease_until: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
    # One entry for each time its worker died or its machine failed: see `db.troubles`.
    troubles: Mapped[list[Any]] = mapped_column(default=list)
    # The round of the fair queue in which it is served: one walk of each maker per round.
    turn: Mapped[int] = mapped_column(default=0)
    # Its order in that round: when it would be finished, in seconds since 1970, if started at once.
    due: Mapped[int] = mapped_column(BigInteger, default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    # After a fault of a machine, not of the walk: how often, and before when not to try again.
    machine_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    not_before: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")

    # The result.
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
    ghosting: Mapped[float | None]
    directness: Mapped[float | None]
    files: Mapped[dict[str, str]] = mapped_column(default=dict)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    # Done, but its files are only on the worker's machine until the storage is reachable.
    waiting: Mapped[bool] = mapped_column(default=False)

    # What curators add.
    star: Mapped[bool] = mapped_column(default=False)
    notes: Mapped[str] = mapped_column(default="")
    tagged: Mapped[list["Tag"]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", passive_deletes=True, order_by="Tag.name"
    )

    # The last change that the record is to have (being finished, votes and edits), the one that
    # the stored record has, and when the storage took that record.
    edited_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime | None]
    record_stored_at: Mapped[datetime | None]
    # When a curator last edited each of `edits.FIELDS`, in ISO format; the later edit wins.
    edit_times: Mapped[dict[str, str]] = mapped_column(default=dict, server_default="{}")

    # For searching and sorting; `_update_search_columns` sets them. `number` is the accession
    # number as an integer, and the rowid in SQLite's full-text index.
    number: Mapped[int] = mapped_column(BigInteger, default=0)
    words: Mapped[str] = mapped_column(default="")
    sort_title: Mapped[str] = mapped_column(bytewise_string(SORT_LENGTH), default="")

    @property
    def record_is_stale(self) -> bool:
        """Whether its stored record (walk.json) lacks a change; RECORD_IS_STALE says it in SQL."""
        at, recorded_at = self.edited_at, self.recorded_at
        return at is not None and (recorded_at is None or at > recorded_at)

    @hybrid_property
    def was_mostly_computed(self) -> bool:
        """Whether more of its frames were painted than found in the cache; on the class, in SQL.

        The seconds of others are mostly those of making the film.
        """
        return 2 * self.frames_computed > self.frames_total

    @property
    def tags(self) -> list[str]:
        """Its tags, sorted; `curation.set_tags` changes them."""
        return [tag.name for tag in self.tagged]

    @property
    def prompts(self) -> list[str]:
        """The prompts of its stops; empty when another program made the film."""
        return [str(stop["prompt"]) for stop in self.spec.get("stops", [])]

    @property
    def height(self) -> int:
        """Pixels of its frames' height; 0 if that is not known. A square's spec does not say it."""
        return int(self.spec.get("height") or self.size)


class Deletion(Base):
    """A tombstone: the walk with this id was deleted, and its files must not come back."""

    __tablename__ = "deletions"

    walk_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    accession: Mapped[str] = mapped_column(String(32), index=True)
    deleted_at: Mapped[datetime] = mapped_column(default=utc_now)
    # When its files were deleted from the storage; None while that is still to be done.
    files_deleted_at: Mapped[datetime | None]


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
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Still(Base):
    """A request for the picture at one place of a walk, and its answer; see `db.stills`."""

    __tablename__ = "stills"
    __table_args__ = (Index("ix_stills_state_created_at", "state", "created_at"),)

    id: Mapped[str] = mapped_column(String(128), primary_key=True, default=generate_id)
    # Digest of spec, leg and t: equal requests share one still.
    question: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[State] = mapped_column(default=State.QUEUED)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    # When the answer was last asked for: a queued still that is no longer asked for expires.
    asked_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    maker: Mapped[str] = mapped_column(String(64), default="")
    spec: Mapped[dict[str, Any]]
    model: Mapped[str]
    leg: Mapped[int]
    t: Mapped[float]
    owner: Mapped[str | None] = mapped_column(String(128))
    # The answer: the frame's key in the frame cache, or the reason of the failure.
    key: Mapped[str] = mapped_column(String(64), default="")
    error: Mapped[str] = mapped_column(default="")


class StopPicture(Base):
    """A picture that is a stop of walks, by its file's SHA-256; see `db.stop_pictures`."""

    __tablename__ = "stop_pictures"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    data: Mapped[bytes]
    width: Mapped[int]
    height: Mapped[int]
    used_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class WorkerHeartbeat(Base):
    """A worker and the time of its last heartbeat."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    pid: Mapped[int]
    host: Mapped[str]
    device: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    # Which process this is: the boot of its machine, and its start in clock ticks since then.
    boot_id: Mapped[str] = mapped_column(default="", server_default="")
    process_start: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    home: Mapped[str] = mapped_column(default="", server_default="")
    # Faults of its machine in a row, the last one's sentence, and until when it claims nothing.
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    problem: Mapped[str] = mapped_column(default="", server_default="")
    paused_until: Mapped[datetime | None]


class AccessionYear(Base):
    """Counter of a year's accession numbers; it only increases, so no number is given twice."""

    __tablename__ = "accessions"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


# Literals, not bound parameters: only then do the query planners use the partial indexes.
IS_QUEUED, IS_RUNNING, IS_DONE, IS_FAILED, IS_CANCELLED = (
    Walk.state == literal_column(f"'{state}'")
    for state in (State.QUEUED, State.RUNNING, State.DONE, State.FAILED, State.CANCELLED)
)
IS_ACTIVE = or_(IS_QUEUED, IS_RUNNING)
IS_GIVEN_UP = or_(IS_FAILED, IS_CANCELLED)
# A queued or running walk with a film is made again, because the film's file was lost.
HAS_FILM = Walk.files["gif"].as_string().is_not(None)


@event.listens_for(Walk, "before_insert")
@event.listens_for(Walk, "before_update")
def _update_search_columns(_mapper: Mapper[Walk], _connection: Connection, walk: Walk) -> None:
    texts = [walk.title, walk.accession, *walk.tags, *spec_texts(walk.spec), walk.notes or ""]
    walk.words = normalize_words(texts)
    walk.sort_title = normalize_words([walk.title])[:SORT_LENGTH]
    walk.number = accession_to_int(walk.accession)
