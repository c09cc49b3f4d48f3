"""Walks as the screens use them: enqueue, find, list, cancel, delete and export.

Plain functions over a session of `db.session.reading` or `writing`. The worker's side of the
queue is in `db.queue`, titles and tags are in `db.curation`, films that come without a walk in
`db.adoption`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Unpack

from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session, defer, load_only, raiseload

from db import accession_numbers, deletions, queue_limits
from db.clock import database_now
from db.credits import describe_credits
from db.gallery_query import ORDERS, Filters, Sort, build_conditions, select_ids
from db.loras import describe_loras
from db.models import HAS_FILM, IS_ACTIVE, IS_DONE, IS_QUEUED, IS_RUNNING, State, Walk
from db.queue import QUEUE_ORDER, without_new_film
from db.queue_limits import QueueLimits
from db.queue_places import bring_near, find_due

SPEC_COLUMNS = ("model", "pacing", "interpolation", "frames", "steps", "guidance", "size")
"""Settings of a spec that have a column of their own."""
_EXPORT_COLUMNS = (
    *("id", "accession", "title", "model", "pacing", "interpolation", "frames", "steps"),
    *("guidance", "size", "height", "frames_total", "frames_computed", "device", "seconds"),
    "evenness",
    *("sharpness", "ghosting", "directness", "bytes", "sha256", "star", "notes", "maker"),
    "parent",
)
_WITHOUT_TAGS = raiseload(Walk.tagged)
_UNSHOWN = (Walk.progress, Walk.troubles, Walk.edit_times, Walk.words)
_WITHOUT_WORK = tuple(defer(column, raiseload=True) for column in _UNSHOWN)
_AS_LISTED = (*_WITHOUT_WORK, defer(Walk.notes, raiseload=True), _WITHOUT_TAGS)
_BATCH = 500  # parameters per query; SQLite allows 32,766, PostgreSQL 65,535


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
    origin: str = "",
    limits: QueueLimits | None = None,
) -> Walk:
    """Insert a queued walk with the year's next accession number.

    A `remote` walk is rendered by the endpoint of the settings, any other by the worker's model.
    A `parent` that does not exist is left out. The number of a failed or deleted walk is not given
    again. `origin` stands for the network address that the walk comes from. Raises QueueFull where
    the `limits` are reached, KeyError when the spec lacks a setting that has a column.
    """
    moment = database_now(session)
    # First: it locks the year's counter, so that the limits are checked by one at a time.
    accession = accession_numbers.assign_next(session, moment.year)
    if limits is not None:
        queue_limits.check(session=session, limits=limits, maker=maker, origin=origin)
    walk = Walk(
        accession=accession,
        turn=choose_round(session, maker),
        due=find_due(moment, frames_total),
        created_at=moment,
        spec=spec,
        digest=digest,
        title=title,
        frames_total=frames_total,
        maker=maker,
        parent=check_parent(session, parent),
        remote=remote,
        origin=origin,
        **{name: spec[name] for name in SPEC_COLUMNS},
    )
    session.add(walk)
    session.flush()
    bring_near(session, moment)
    return walk


def choose_round(session: Session, maker: str) -> int:
    """Return the queue round for a new walk: the current one, or the one after the maker's last.

    So each maker is served once per round, regardless of how many walks another maker has queued
    (start-time fair queueing, Goyal, Vin and Cheng 1996, with all walks of the same length).
    """
    running = select(func.max(Walk.turn)).where(IS_RUNNING)
    queued = select(func.min(Walk.turn)).where(IS_QUEUED)
    # Films that are made again have rounds of their own, which are not their maker's.
    own = select(func.max(Walk.turn) + 1).where(IS_ACTIVE, Walk.maker == maker, ~HAS_FILM)
    round_now, round_next, after_own = session.execute(
        select(running.scalar_subquery(), queued.scalar_subquery(), own.scalar_subquery())
    ).one()
    return max(round_next or 0 if round_now is None else round_now, after_own or 0)


def check_parent(session: Session, parent: str | None) -> str | None:
    """Return the parent's id if that walk exists, otherwise None."""
    exists = parent is not None and get(session=session, walk_id=parent) is not None
    return parent if exists else None


def find_existing_ids(*, session: Session, ids: Iterable[str]) -> set[str]:
    """Return those of the ids that belong to a walk, in any state."""
    candidates = list(ids)
    batches = [candidates[n : n + _BATCH] for n in range(0, len(candidates), _BATCH)]
    results = [session.scalars(select(Walk.id).where(Walk.id.in_(batch))) for batch in batches]
    return {walk_id for result in results for walk_id in result}


def find_films(*, session: Session, ids: Iterable[str]) -> dict[str, Walk]:
    """Return the done walks among these by their ids, in one query; their rows are as listed."""
    films = select(Walk).where(Walk.id.in_(ids), IS_DONE).options(*_AS_LISTED)
    return {walk.id: walk for walk in session.scalars(films)}


def get(*, session: Session, walk_id: str) -> Walk | None:
    """Return the walk with this id, in any state, or None."""
    return session.get(Walk, walk_id)


def list_page(
    *,
    session: Session,
    sort: Sort = "newest",
    limit: int = 24,
    before: str | None = None,
    backwards: bool = False,
    only: Sequence[InstrumentedAttribute[Any]] = (),
    **filters: Unpack[Filters],
) -> list[Walk]:
    """Return up to `limit` done walks that pass the filters, in the order of `sort`.

    For the next page, `before` is the id of this page's last walk; `backwards`, the order is
    reversed. The page is empty if no done walk has that id. The rows lack their tags and what only
    a film's own page shows, and with `only` all but the id and these columns: to read it raises
    InvalidRequestError.
    """
    order = ORDERS[sort].reverse() if backwards else ORDERS[sort]
    conditions = build_conditions(session, filters)
    rows: Select[str, Any] = select(Walk.id, order.key.label("key")).where(*conditions)
    if before is not None:
        last_key = session.scalar(select(order.key).where(Walk.id == before, IS_DONE))
        if last_key is None:
            return []
        rows = rows.where(order.after(last_key, before))
    page = select_ids(session, rows, order, filters).limit(limit).subquery()  # by an index
    walks = select(Walk).join(page, Walk.id == page.c.id).order_by(*order.sort_columns())
    options = (load_only(*only, raiseload=True), _WITHOUT_TAGS) if only else _AS_LISTED
    return list(session.scalars(walks.options(*options)))


def count(*, session: Session, **filters: Unpack[Filters]) -> int:
    """Count the done walks that pass the filters."""
    rows = select(func.count()).select_from(Walk).where(*build_conditions(session, filters))
    return session.scalar(rows) or 0


def export(*, session: Session, **filters: Unpack[Filters]) -> Iterator[dict[str, Any]]:
    """Yield the done walks that pass the filters, newest first, as flat dicts for a table.

    Values are texts, numbers and ISO 8601 times; prompts, seeds and tags are joined to one text.
    """
    newest_first = ORDERS["newest"].sort_columns()
    rows = select(Walk).where(*build_conditions(session, filters)).order_by(*newest_first)
    batches = rows.options(*_WITHOUT_WORK).execution_options(yield_per=_BATCH)
    for walk in session.scalars(batches):
        yield _export_row(walk)


def _export_row(walk: Walk) -> dict[str, Any]:
    finished_at = walk.finished_at.isoformat() if walk.finished_at else ""
    return {
        **{name: getattr(walk, name) for name in _EXPORT_COLUMNS},
        "created_at": walk.created_at.isoformat(),
        "finished_at": finished_at,
        "prompts": " → ".join(walk.prompts),
        "seeds": ", ".join(str(stop["seed"]) for stop in walk.spec.get("stops", [])),
        "credits": describe_credits(walk.spec),
        "loras": describe_loras(walk.spec),
        "prompt_weights": bool(walk.spec.get("prompt_weights")),
        "tags": ", ".join(walk.tags),
        "file": walk.files.get("gif", ""),
    }


def list_active(*, session: Session, maker: str = "", limit: int | None = None) -> list[Walk]:
    """Return the queued and running walks, oldest first, at most `limit`; of all makers or one."""
    walks = select(Walk).where(IS_ACTIVE)
    if maker:
        walks = walks.where(Walk.maker == maker)
    return list(session.scalars(walks.order_by(Walk.created_at, Walk.id).limit(limit)))


def get_queue_position(*, session: Session, walk_id: str) -> int:
    """Return a walk's position in the queue, 1 for the next to be claimed; 0 if not queued."""
    key = session.execute(select(*QUEUE_ORDER).where(Walk.id == walk_id, IS_QUEUED)).one_or_none()
    if key is None:
        return 0
    ahead = select(func.count()).where(IS_QUEUED, tuple_(*QUEUE_ORDER) < tuple_(*key))
    return (session.scalar(ahead) or 0) + 1


def list_same_films(*, session: Session, digest: str, model_digest: str = "") -> list[Walk]:
    """Return the done walks whose specs have this digest, the newest first.

    With `model_digest`, only those rendered with these weights or with unknown weights.
    """
    walks = select(Walk).where(Walk.digest == digest, IS_DONE)
    if model_digest:
        walks = walks.where(Walk.model_digest.in_(("", model_digest)))
    return list(session.scalars(walks.order_by(Walk.finished_at.desc(), Walk.id.desc())))


def cancel(*, session: Session, walk_id: str) -> bool:
    """Cancel a queued walk, or ask the worker of a running one to stop; False if it is neither."""
    queued = (
        update(Walk)
        .where(Walk.id == walk_id, IS_QUEUED)
        .values(**without_new_film(State.CANCELLED, database_now(session)), cancel_requested=True)
    )
    running = update(Walk).where(Walk.id == walk_id, IS_RUNNING).values(cancel_requested=True)
    return any(session.scalar(change.returning(Walk.id)) for change in (queued, running))


def delete(*, session: Session, walk_id: str) -> Walk | None:
    """Delete a walk in a final state and return its row, so that its files can be deleted next.

    Its tombstone is written with it. None, and nothing deleted, if there is no such walk or it is
    queued or running.
    """
    # Locked, so that of two visitors who delete it one finds it gone.
    walk = session.get(Walk, walk_id, with_for_update=True)
    if walk is None or not walk.state.is_final:
        return None
    session.delete(walk)
    deletions.add(session=session, walk_id=walk_id, accession=walk.accession)
    return walk
