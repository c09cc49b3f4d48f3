"""What people do with walks: ask for one, watch it, find it, call it off, delete it.

Plain functions over a session of `db.session.reading` or `writing`; the worker's side of the
queue is in `db.queue`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Unpack

from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from db import accession_numbers
from db.gallery_query import ORDERS, Filters, Sort, chosen, first, on_postgresql
from db.models import (
    DONE,
    IN_LINE,
    QUEUED,
    RUNNING,
    State,
    Tag,
    Walk,
    WorkerSeen,
    clock,
)
from db.queue import RESULT, TURN

_SEARCHED = ("model", "pacing", "interpolation", "frames", "steps", "guidance", "size")
_EXPORTED = (
    *("id", "accession", "title", "model", "pacing", "interpolation", "frames", "steps"),
    *("guidance", "size", "frames_total", "frames_computed", "device", "seconds", "evenness"),
    *("sharpness", "bytes", "sha256", "star", "notes", "maker", "parent"),
)
FRAME_SECONDS = 1
"""In a round, a walk with so many frames less may come so many seconds later and still go first."""
_AT_ONCE = 500  # ids in one question: SQLite takes 32,766 values, PostgreSQL 65,535
TITLE_LENGTH = 500
_TAG_LENGTH = 64
_NO_SPEC: dict[str, Any] = {
    **dict.fromkeys(("model", "pacing", "interpolation"), ""),
    **dict.fromkeys(("frames", "steps", "size"), 0),
    "guidance": 0.0,
}


def enqueue(
    *,
    session: Session,
    spec: dict[str, Any],
    digest: str,
    title: str,
    frames_total: int,
    maker: str = "",
    parent: str | None = None,
    remote: bool = False,
) -> Walk:
    """Put a walk into the queue, behind its maker's others, and give it its accession number.

    A `remote` one is made at the endpoint of the settings, any other by the worker's own model.

    The number is given here, once, from a counter that never goes back: a walk that fails or is
    deleted leaves a gap. A `parent` that is gone by now is left out. Raises KeyError when the
    spec lacks a searched setting.
    """
    if parent is not None and get(session=session, walk_id=parent) is None:
        parent = None
    moment = clock(session)
    walk = Walk(
        accession=accession_numbers.following(session, moment.year),
        turn=_turn(session, maker),
        due=int(moment.timestamp()) + frames_total * FRAME_SECONDS,
        created_at=moment,
        spec=spec,
        digest=digest,
        title=title,
        frames_total=frames_total,
        maker=maker,
        parent=parent,
        remote=remote,
        **{name: spec[name] for name in _SEARCHED},
    )
    session.add(walk)
    session.flush()
    return walk


def _turn(session: Session, maker: str) -> int:
    """The round for a maker's new walk: the one being served, or the next after the maker's last.

    So every maker is served once a round, however much another one has asked for (start-time
    fair queueing, Goyal, Vin and Cheng 1996, with every walk of the same length).
    """
    served = select(func.max(Walk.turn)).where(RUNNING)
    first = select(func.min(Walk.turn)).where(QUEUED)
    own = select(func.max(Walk.turn) + 1).where(IN_LINE, Walk.maker == maker)
    round_now, round_next, after_own = session.execute(
        select(served.scalar_subquery(), first.scalar_subquery(), own.scalar_subquery())
    ).one()
    return max(round_next or 0 if round_now is None else round_now, after_own or 0)


def adopt(
    *,
    session: Session,
    walk_id: str,
    title: str,
    finished_at: datetime,
    spec: Mapping[str, Any] | None = None,
    digest: str = "",
    accession: str = "",
    created_at: datetime | None = None,
    maker: str = "",
    parent: str | None = None,
    result: Mapping[str, Any] | None = None,
    notes: str = "",
    star: bool = False,
    tags: Iterable[str] = (),
) -> Walk | None:
    """Hang a finished film that the history does not know, under its own id (128 characters).

    From a `walk.json`: `spec` is valid, or left out; of `result`, the names in `queue.RESULT`
    and "frames", how many there are. A film of another program has neither, and blank
    settings. The accession number is kept where it is free, else the walk gets a new one. None
    when there is a walk of that id.
    """
    if get(session=session, walk_id=walk_id) is not None:
        return None
    if parent is not None and get(session=session, walk_id=parent) is None:
        parent = None
    figures = dict(result or {})
    walk = Walk(
        id=walk_id,
        accession=accession_numbers.kept(session, accession, finished_at.year),
        state=State.DONE,
        created_at=created_at or finished_at,
        started_at=created_at or finished_at,
        finished_at=finished_at,
        spec=dict(spec or {}),
        digest=digest,
        title=title,
        frames_total=int(figures.get("frames", 0)),
        maker=maker,
        parent=parent,
        notes=notes,
        star=star,
        tagged=_tags(tags),
        **{name: (spec or _NO_SPEC)[name] for name in _SEARCHED},
        **{name: figures[name] for name in RESULT & figures.keys()},
    )
    session.add(walk)
    session.flush()
    return walk


def known(*, session: Session, ids: Iterable[str]) -> set[str]:
    """Those of the ids that are walks, in whatever state."""
    wanted = list(ids)
    parts = [wanted[n : n + _AT_ONCE] for n in range(0, len(wanted), _AT_ONCE)]
    found = [session.scalars(select(Walk.id).where(Walk.id.in_(part))) for part in parts]
    return {walk_id for part in found for walk_id in part}


def get(*, session: Session, walk_id: str) -> Walk | None:
    """The walk of that id, in any state; None when there is none."""
    return session.get(Walk, walk_id)


def page(
    *,
    session: Session,
    sort: Sort = "newest",
    limit: int = 24,
    before: str | None = None,
    **filters: Unpack[Filters],
) -> list[Walk]:
    """Up to `limit` done walks that pass the filters, in the order of `sort`.

    The next page starts behind the walk whose id is `before`, the last one of this page; behind
    an id that is not there (any more) is nothing.
    """
    order = ORDERS[sort]
    wanted: Select[str, Any] = select(Walk.id, order.key.label("key")).where(
        *chosen(session, filters)
    )
    if before is not None:
        last = session.scalar(select(order.key).where(Walk.id == before, DONE))
        if last is None:
            return []
        wanted = wanted.where(order.behind(last, before))
    # First the ids, from an index; then their rows.
    shown = first(session, wanted, order, filters).limit(limit).subquery()
    return list(
        session.scalars(select(Walk).join(shown, Walk.id == shown.c.id).order_by(*order.by()))
    )


def count(*, session: Session, **filters: Unpack[Filters]) -> int:
    """How many done walks `page` would show on all its pages."""
    wanted = select(func.count()).select_from(Walk).where(*chosen(session, filters))
    return session.scalar(wanted) or 0


def export(*, session: Session, **filters: Unpack[Filters]) -> Iterator[dict[str, Any]]:
    """The done walks that pass the filters, the newest first, as plain rows for a table.

    Texts, numbers and ISO 8601 times only; of several prompts, seeds or tags, one text.
    """
    rows = select(Walk).where(*chosen(session, filters)).order_by(*ORDERS["newest"].by())
    for walk in session.scalars(rows.execution_options(yield_per=_AT_ONCE)):
        yield _row(walk)


def _row(walk: Walk) -> dict[str, Any]:
    seeds = [str(stop["seed"]) for stop in walk.spec.get("stops", [])]
    finished = walk.finished_at.isoformat() if walk.finished_at else ""
    return {
        **{name: getattr(walk, name) for name in _EXPORTED},
        "created_at": walk.created_at.isoformat(),
        "finished_at": finished,
        "prompts": " → ".join(walk.prompts),
        "seeds": ", ".join(seeds),
        "tags": ", ".join(walk.tags),
        "file": walk.files.get("gif", ""),
    }


def active(*, session: Session, maker: str = "") -> list[Walk]:
    """The walks that run or wait, the oldest first; of all makers, or of one."""
    walks = select(Walk).where(IN_LINE)
    if maker:
        walks = walks.where(Walk.maker == maker)
    return list(session.scalars(walks.order_by(Walk.created_at, Walk.id)))


def latest(*, session: Session, maker: str) -> Walk | None:
    """The newest walk that `maker` asked for, in any state."""
    walks = select(Walk).where(Walk.maker == maker)
    return session.scalar(walks.order_by(Walk.created_at.desc(), Walk.id.desc()).limit(1))


def queue_place(*, session: Session, walk_id: str) -> int:
    """1 for the walk that is next, 2 for the one after it; 0 when it does not wait."""
    walk = get(session=session, walk_id=walk_id)
    if walk is None or walk.state is not State.QUEUED:
        return 0
    place = tuple_(walk.turn, walk.due, walk.created_at, walk.id)
    ahead = select(func.count()).select_from(Walk)
    ahead = ahead.where(QUEUED, tuple_(*TURN) < place)
    return (session.scalar(ahead) or 0) + 1


def same_film(*, session: Session, digest: str, model_digest: str = "") -> Walk | None:
    """The newest done walk that made the very film of this digest.

    With a `model_digest`, one by these weights; or by nobody knows which.
    """
    walks = select(Walk).where(Walk.digest == digest, DONE)
    if model_digest:
        walks = walks.where(Walk.model_digest.in_(("", model_digest)))
    return session.scalar(walks.order_by(Walk.finished_at.desc(), Walk.id.desc()).limit(1))


def choices(*, session: Session) -> dict[str, list[str]]:
    """What `page` can filter by: the values of "model", "pacing" and "tag", sorted."""
    values_of = _next_by_next if on_postgresql(session) else _distinct
    questions = {
        "model": values_of(Walk.model),
        "pacing": values_of(Walk.pacing),
        "tag": select(Tag.name).distinct(),
    }
    return {name: sorted(session.scalars(question)) for name, question in questions.items()}


def _distinct(column: InstrumentedAttribute[str]) -> Select[str]:
    """The values of done walks that are not blank."""
    return select(column).where(DONE, column > "").distinct()


def _next_by_next(column: InstrumentedAttribute[str]) -> Select[str]:
    """The same, each found by the index as the next after the one before.

    For DISTINCT PostgreSQL would read all walks, for a handful of values.
    """
    least = select(func.min(column).label("value")).where(DONE, column > "")
    each = least.cte("each", recursive=True)
    following = select(func.min(column)).where(DONE, column > each.c.value).scalar_subquery()
    each = each.union_all(select(following).where(each.c.value.is_not(None)))
    return select(each.c.value).where(each.c.value.is_not(None))


def waiting(*, session: Session) -> list[Walk]:
    """The done walks whose films have yet to reach the storage, the oldest first."""
    walks = select(Walk).where(DONE, Walk.waiting)
    return list(session.scalars(walks.order_by(Walk.finished_at, Walk.id)))


def set_title(*, session: Session, walk_id: str, title: str) -> str:
    """Give a walk another title; returns it as kept.

    It has at most 500 characters, and white space in it is one space; a blank one changes
    nothing. Raises KeyError when there is no such walk.
    """
    walk = get(session=session, walk_id=walk_id)
    if walk is None:
        raise KeyError(walk_id)
    walk.title = plain(title, TITLE_LENGTH) or walk.title
    session.flush()
    return walk.title


def set_tags(*, session: Session, walk_id: str, tags: Iterable[str]) -> list[str]:
    """Give a walk these tags and no others; returns them as kept, in order.

    A tag is lower case, at most 64 characters, and white space in it is one space; blank ones
    and repetitions are left out. Raises KeyError when there is no such walk.
    """
    walk = get(session=session, walk_id=walk_id)
    if walk is None:
        raise KeyError(walk_id)
    had = {tag.name: tag for tag in walk.tagged}
    walk.tagged = [had.get(tag.name, tag) for tag in _tags(tags)]
    session.flush()
    return walk.tags


def _tags(names: Iterable[str]) -> list[Tag]:
    clean = {plain(name.lower(), _TAG_LENGTH) for name in names}
    return [Tag(name=name) for name in sorted(clean - {""})]


def plain(text: str, length: int) -> str:
    """Printable signs only, white space as one space, cut to a length."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:length].strip()


def cancel(*, session: Session, walk_id: str) -> bool:
    """Call a walk off: at once while it waits; while it runs, the worker is asked to stop.

    False when there was nothing to call off.
    """
    waiting = (
        update(Walk)
        .where(Walk.id == walk_id, QUEUED)
        .values(state=State.CANCELLED, finished_at=clock(session), cancel_requested=True)
    )
    running = update(Walk).where(Walk.id == walk_id, RUNNING).values(cancel_requested=True)
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
    moment, span = clock(session), timedelta(seconds=within_seconds)
    # A sign of life from the future was given before the clock was put back.
    heard = WorkerSeen.seen_at.between(moment - span, moment + abs(span))
    workers = select(WorkerSeen).where(heard)
    return list(session.scalars(workers.order_by(WorkerSeen.started_at)))
