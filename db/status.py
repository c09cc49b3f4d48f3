"""The state of queue, workers and films, in a few queries: for metrics, health checks and doctor.

Holds no prompts, titles or makers.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, TextClause, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.clock import database_now, utc_now
from db.models import (
    IS_CANCELLED,
    IS_DONE,
    IS_FAILED,
    IS_QUEUED,
    IS_RUNNING,
    RECORD_IS_STALE,
    AccessionYear,
    Deletion,
    State,
    Walk,
    WorkerHeartbeat,
)
from db.queue_places import FRAME_SECONDS
from db.session import writing

RECENT_FILMS = 20
"""How many of the newest films the seconds a frame are averaged over."""
ALIVE_SECONDS = 20.0
"""Seconds without a heartbeat after which a worker counts as gone."""
_STATES = {
    State.QUEUED: IS_QUEUED,
    State.RUNNING: IS_RUNNING,
    State.DONE: IS_DONE,
    State.FAILED: IS_FAILED,
    State.CANCELLED: IS_CANCELLED,
}


@dataclass(frozen=True)
class WorkerStatus:
    """A worker that is registered; times in seconds."""

    name: str
    host: str
    pid: int
    device: str
    home: str
    silent_seconds: float
    failures: int
    """Faults of its machine in a row."""
    problem: str
    """The last fault's sentence."""
    paused_seconds: float
    """For how long it claims no more walks; 0 if it claims them."""

    @property
    def is_alive(self) -> bool:
        """Whether it sent a heartbeat lately."""
        return self.silent_seconds < ALIVE_SECONDS


@dataclass(frozen=True)
class HistoryStatus:
    """What the history says about the app; times in seconds."""

    walks: dict[State, int]
    oldest_queued_seconds: float
    """Age of the oldest queued walk; 0 if none is queued."""
    seconds_a_frame: float
    """Over the newest films; 0 if no frame was rendered."""
    workers: Sequence[WorkerStatus]
    films_waiting: int
    """Done walks whose films have not reached their storage."""
    oldest_waiting_seconds: float
    open_deletions: int
    """Deleted walks whose files are still to be deleted."""
    oldest_deletion_seconds: float
    records_to_write: int
    """Films whose record lacks the last edit."""
    clock_skew: float
    """The database's clock minus this machine's."""


def read_status(session: Session) -> HistoryStatus:
    """Read the state of everything. Uses indexes only, apart from the newest films."""
    here = utc_now()
    moment = database_now(session)
    waiting, waiting_since = _count_and_oldest(session, Walk.finished_at, IS_DONE, Walk.waiting)
    deletions, deleted_since = _count_and_oldest(
        session, Deletion.deleted_at, Deletion.files_deleted_at.is_(None)
    )
    return HistoryStatus(
        walks={state: _count(session, where) for state, where in _STATES.items()},
        oldest_queued_seconds=_oldest_queued_seconds(session, moment),
        seconds_a_frame=_average_frame_seconds(session),
        workers=list_workers(session),
        films_waiting=waiting,
        oldest_waiting_seconds=_age(moment, waiting_since),
        open_deletions=deletions,
        oldest_deletion_seconds=_age(moment, deleted_since),
        records_to_write=_count(session, text(RECORD_IS_STALE)),
        clock_skew=(moment - here).total_seconds(),
    )


def list_workers(session: Session) -> list[WorkerStatus]:
    """All registered workers, the oldest first, silent ones as well."""
    moment = database_now(session)
    rows = session.scalars(select(WorkerHeartbeat).order_by(WorkerHeartbeat.started_at))
    return [
        WorkerStatus(
            name=row.name,
            host=row.host,
            pid=row.pid,
            device=row.device,
            home=row.home,
            # One seen far in the future was so before the clock was put back.
            silent_seconds=abs((moment - row.seen_at).total_seconds()),
            failures=row.failures,
            problem=row.problem,
            paused_seconds=_seconds_left(moment, row.paused_until),
        )
        for row in rows
    ]


def list_failures(session: Session, *, within: timedelta) -> list[tuple[str, str]]:
    """Accession number and reason of the walks that failed lately, the newest first."""
    since = database_now(session) - within
    rows = select(Walk.accession, Walk.error).where(IS_FAILED, Walk.finished_at > since)
    found = session.execute(rows.order_by(Walk.finished_at.desc()))
    return [(accession, error) for accession, error in found]


def _seconds_left(moment: datetime, until: datetime | None) -> float:
    """Seconds until then; 0 for a time that has passed, or for none."""
    return 0.0 if until is None else max(0.0, (until - moment).total_seconds())


def _age(moment: datetime, since: datetime | None) -> float:
    """Seconds since then; 0 for a time in the future, or for none."""
    return 0.0 if since is None else max(0.0, (moment - since).total_seconds())


def _count(session: Session, *conditions: ColumnElement[bool] | TextClause) -> int:
    return session.scalar(select(func.count()).select_from(Walk).where(*conditions)) or 0


def _count_and_oldest(
    session: Session, column: InstrumentedAttribute[Any], *conditions: Any
) -> tuple[int, datetime | None]:
    count, oldest = session.execute(
        select(func.count(), func.min(column)).select_from(column.class_).where(*conditions)
    ).one()
    return count, oldest


def _oldest_queued_seconds(session: Session, moment: datetime) -> float:
    """Seconds since the oldest queued walk was queued; a walk that is tried again is new."""
    since = func.min(Walk.due - Walk.frames_total * FRAME_SECONDS)
    oldest = session.scalar(select(since).where(IS_QUEUED))
    return 0.0 if oldest is None else max(0.0, moment.timestamp() - oldest)


def _average_frame_seconds(session: Session) -> float:
    """Seconds of rendering a frame over the newest films that had most of them to render."""
    newest = select(Walk.seconds, Walk.frames_computed).where(IS_DONE, Walk.was_mostly_computed)
    rows = session.execute(newest.order_by(Walk.finished_at.desc()).limit(RECENT_FILMS)).all()
    frames = sum(frames for _, frames in rows)
    return sum(seconds for seconds, _ in rows) / frames if frames else 0.0


def check_writable(url: str) -> None:
    """Write to the history and undo that. Raises HistoryError if it cannot be written."""
    with suppress(_UndoWrite), writing(url) as session:
        session.add(AccessionYear(year=0, last=0))
        session.flush()
        raise _UndoWrite


class _UndoWrite(Exception):
    """Rolls a transaction back."""
