"""What people do with walks: ask for one, watch it, find it, call it off, delete it.

Plain functions over a session of `db.session.reading` or `writing`; the worker's side of the
queue is in `db.queue`.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.models import AccessionYear, State, Walk, WorkerSeen, folded, now

SEARCH_LENGTH = 200
_SEARCHED = ("model", "pacing", "interpolation", "frames", "steps", "guidance", "size")
_IN_LINE = (Walk.created_at, Walk.id)


def enqueue(
    *,
    session: Session,
    spec: dict[str, Any],
    digest: str,
    title: str,
    frames_total: int,
    maker: str = "",
    parent: str | None = None,
) -> Walk:
    """Put a walk at the end of the queue and give it its accession number.

    The number is given here, once, from a counter that never goes back: a walk that fails or is
    deleted leaves a gap. A `parent` that is gone by now is left out. Raises KeyError when the
    spec lacks a searched setting.
    """
    if parent is not None and get(session=session, walk_id=parent) is None:
        parent = None
    moment = now()
    walk = Walk(
        accession=_accession(session, moment.year),
        created_at=moment,
        spec=spec,
        digest=digest,
        title=title,
        frames_total=frames_total,
        maker=maker,
        parent=parent,
        **{name: spec[name] for name in _SEARCHED},
    )
    session.add(walk)
    session.flush()
    return walk


def _accession(session: Session, year: int) -> str:
    """The year's next number, as "ML.2026.0042"."""
    count_up = (
        update(AccessionYear)
        .where(AccessionYear.year == year)
        .values(last=AccessionYear.last + 1)
        .returning(AccessionYear.last)
        .execution_options(synchronize_session=False)
    )
    number = session.scalar(count_up)
    if number is None:
        # The year's first walk; on PostgreSQL another process may be first all the same.
        with suppress(IntegrityError), session.begin_nested():
            session.add(AccessionYear(year=year, last=0))
        number = session.scalar(count_up)
    return f"ML.{year}.{number:04d}"


def get(*, session: Session, walk_id: str) -> Walk | None:
    """The walk of that id, in any state; None when there is none."""
    return session.get(Walk, walk_id)


def page(
    *,
    session: Session,
    search: str = "",
    model: str = "",
    pacing: str = "",
    limit: int = 24,
    before: str | None = None,
) -> list[Walk]:
    """Up to `limit` done walks, the newest first, that hold every word of `search`.

    Words are looked for in title, accession number and notes, without regard to case and
    accents. The next page starts `before` the id of the last walk of this one; an id that is
    not there (any more) has nothing before it.
    """
    wanted = select(Walk).where(*_chosen(search, model, pacing))
    if before is not None:
        last = get(session=session, walk_id=before)
        if last is None or last.finished_at is None:
            return []
        wanted = wanted.where(
            or_(
                Walk.finished_at < last.finished_at,
                and_(Walk.finished_at == last.finished_at, Walk.id < last.id),
            )
        )
    newest = wanted.order_by(Walk.finished_at.desc(), Walk.id.desc()).limit(limit)
    return list(session.scalars(newest))


def count(*, session: Session, search: str = "", model: str = "", pacing: str = "") -> int:
    """How many done walks `page` would show on all its pages."""
    wanted = select(func.count()).select_from(Walk).where(*_chosen(search, model, pacing))
    return session.scalar(wanted) or 0


def _chosen(search: str, model: str, pacing: str) -> list[ColumnElement[bool]]:
    """What a done walk must fulfil to pass the filters; an empty filter lets all pass."""
    chosen = [Walk.state == State.DONE]
    if model:
        chosen.append(Walk.model == model)
    if pacing:
        chosen.append(Walk.pacing == pacing)
    # SQLite refuses patterns of 50,000 bytes; nobody types that much into a search field.
    words = folded([search[:SEARCH_LENGTH]]).split()
    return [*chosen, *(Walk.words.contains(word, autoescape=True) for word in words)]


def active(*, session: Session, maker: str = "") -> list[Walk]:
    """The walks that run or wait, the oldest first; of all makers, or of one."""
    walks = select(Walk).where(Walk.state.in_([State.QUEUED, State.RUNNING]))
    if maker:
        walks = walks.where(Walk.maker == maker)
    return list(session.scalars(walks.order_by(*_IN_LINE)))


def latest(*, session: Session, maker: str) -> Walk | None:
    """The newest walk that `maker` asked for, in any state."""
    walks = select(Walk).where(Walk.maker == maker)
    return session.scalar(walks.order_by(Walk.created_at.desc(), Walk.id.desc()).limit(1))


def queue_place(*, session: Session, walk_id: str) -> int:
    """1 for the walk that is next, 2 for the one after it; 0 when it does not wait."""
    walk = get(session=session, walk_id=walk_id)
    if walk is None or walk.state is not State.QUEUED:
        return 0
    earlier = or_(
        Walk.created_at < walk.created_at,
        and_(Walk.created_at == walk.created_at, Walk.id < walk.id),
    )
    ahead = select(func.count()).select_from(Walk).where(Walk.state == State.QUEUED, earlier)
    return (session.scalar(ahead) or 0) + 1


def same_film(*, session: Session, digest: str) -> Walk | None:
    """The newest done walk that made the very film of this digest."""
    walks = select(Walk).where(Walk.digest == digest, Walk.state == State.DONE)
    return session.scalar(walks.order_by(Walk.finished_at.desc(), Walk.id.desc()).limit(1))


def choices(*, session: Session) -> dict[str, list[str]]:
    """What `page` can filter by: the values of "model" and "pacing" among done walks, sorted."""
    columns = {"model": Walk.model, "pacing": Walk.pacing}
    return {
        name: list(
            session.scalars(
                select(column).where(Walk.state == State.DONE).distinct().order_by(column)
            )
        )
        for name, column in columns.items()
    }


def cancel(*, session: Session, walk_id: str) -> bool:
    """Call a walk off: at once while it waits; while it runs, the worker is asked to stop.

    False when there was nothing to call off.
    """
    waiting = (
        update(Walk)
        .where(Walk.id == walk_id, Walk.state == State.QUEUED)
        .values(state=State.CANCELLED, finished_at=now(), cancel_requested=True)
    )
    running = (
        update(Walk)
        .where(Walk.id == walk_id, Walk.state == State.RUNNING)
        .values(cancel_requested=True)
    )
    return any(session.scalar(change.returning(Walk.id)) for change in (waiting, running))


def delete(*, session: Session, walk_id: str) -> Walk | None:
    """Remove a walk that is over; returns the removed row, so that its files can follow.

    None when there is no such walk, or when it still waits or runs: call it off first.
    """
    walk = get(session=session, walk_id=walk_id)
    if walk is None or not walk.state.over:
        return None
    session.delete(walk)
    session.flush()
    return walk


def alive_workers(*, session: Session, within_seconds: float = 10.0) -> list[WorkerSeen]:
    """The workers that said so within the last `within_seconds`, the oldest first."""
    since = now() - timedelta(seconds=within_seconds)
    workers = select(WorkerSeen).where(WorkerSeen.seen_at >= since)
    return list(session.scalars(workers.order_by(WorkerSeen.started_at)))
