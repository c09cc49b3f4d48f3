"""Registry of workers: their heartbeats, and which of them are alive."""

from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db import queue
from db.clock import database_now
from db.models import WorkerHeartbeat

_KEEP_SILENT_ROWS = timedelta(days=1)


def record_heartbeat(
    *,
    session: Session,
    name: str,
    pid: int,
    host: str,
    device: str = "",
    boot_id: str = "",
    process_start: int = 0,
    home: str = "",
) -> None:
    """Upsert a worker's row with the current time.

    `boot_id` and `process_start` say which process it is, `home` where its files are. A new worker
    also deletes the rows of workers that have been silent for a day.
    """
    moment = database_now(session)
    worker = session.get(WorkerHeartbeat, name)
    if worker is None:
        outdated = WorkerHeartbeat.seen_at < moment - _KEEP_SILENT_ROWS
        session.execute(delete(WorkerHeartbeat).where(outdated))
        worker = WorkerHeartbeat(name=name, pid=pid, host=host, started_at=moment)
        worker.boot_id, worker.process_start, worker.home = boot_id, process_start, home
        session.add(worker)
    worker.device = device
    worker.seen_at = moment


def record_problem(
    *, session: Session, name: str, failures: int, problem: str, pause_seconds: float
) -> None:
    """Note in a worker's row its faults in a row, and until when it claims no walks.

    `problem` is the sentence for the pages; empty while the worker claims walks.
    """
    paused_until = None
    if pause_seconds > 0:
        paused_until = database_now(session) + timedelta(seconds=pause_seconds)
    session.execute(
        update(WorkerHeartbeat)
        .where(WorkerHeartbeat.name == name)
        .values(failures=failures, problem=problem, paused_until=paused_until)
    )


def list_alive(*, session: Session, within_seconds: float = 10.0) -> list[WorkerHeartbeat]:
    """Return the workers with a heartbeat in the last `within_seconds`, the oldest worker first."""
    moment, span = database_now(session), timedelta(seconds=within_seconds)
    # A heartbeat far in the future was written before the clock was put back.
    recent = WorkerHeartbeat.seen_at.between(moment - span, moment + abs(span))
    workers = select(WorkerHeartbeat).where(recent)
    return list(session.scalars(workers.order_by(WorkerHeartbeat.started_at)))


def remove(*, session: Session, name: str) -> None:
    """Delete the row of a worker that shuts down cleanly."""
    session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.name == name))


def mark_dead(*, session: Session, name: str) -> None:
    """Delete a dead worker's row and take its walks back now, before their leases expire."""
    queue.reclaim_from(session=session, owner=name)
    remove(session=session, name=name)
