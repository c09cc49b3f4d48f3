"""Walks as the screens use them: enqueue, find, list, cancel, delete and import.

Plain functions over a session of `db.session.reading` or `writing`. The worker's side of the
queue is in `db.queue`, titles and tags are in `db.curation`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack

from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session, defer, load_only, raiseload

from db import accession_numbers, curation, deletions, edits, queue_limits
from db import votes as film_votes
from db.clock import database_now
from db.credits import describe_credits
from db.gallery_query import ORDERS, Filters, Sort, build_conditions, select_ids
from db.loras import describe_loras
from db.models import HAS_FILM, IS_ACTIVE, IS_DONE, IS_QUEUED, IS_RUNNING, State, Walk
from db.queue import QUEUE_ORDER, RESULT, without_new_film
from db.queue_limits import QueueLimits

_SPEC_COLUMNS = ("model", "pacing", "interpolation", "frames", "steps", "guidance", "size")
_EXPORT_COLUMNS = (
    *("id", "accession", "title", "model", "pacing", "interpolation", "frames", "steps"),
    *("guidance", "size", "height", "frames_total", "frames_computed", "device", "seconds"),
    "evenness",
    *("sharpness", "ghosting", "directness", "bytes", "sha256", "star", "notes", "maker"),
    "parent",
)
FRAME_SECONDS = 1
"""Within a queue round, walks are sorted by arrival plus this many seconds for each frame."""
_WITHOUT_TAGS = raiseload(Walk.tagged)
_UNSHOWN = (Walk.progress, Walk.troubles, Walk.edit_times, Walk.words)
_WITHOUT_WORK = tuple(defer(column, raiseload=True) for column in _UNSHOWN)
_AS_LISTED = (*_WITHOUT_WORK, defer(Walk.notes, raiseload=True), _WITHOUT_TAGS)
_BATCH = 500  # parameters per query; SQLite allows 32,766, PostgreSQL 65,535
_PLAIN_FIELDS: tuple[Literal["maker", "remote", "notes", "star"], ...]
_PLAIN_FIELDS = ("maker", "remote", "notes", "star")
_BLANK_SPEC: dict[str, Any] = {
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
        due=int(moment.timestamp()) + frames_total * FRAME_SECONDS,
        created_at=moment,
        spec=spec,
        digest=digest,
        title=title,
        frames_total=frames_total,
        maker=maker,
        parent=_check_parent(session, parent),
        remote=remote,
        origin=origin,
        **{name: spec[name] for name in _SPEC_COLUMNS},
    )
    session.add(walk)
    session.flush()
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


def _check_parent(session: Session, parent: str | None) -> str | None:
    """Return the parent's id if that walk exists, otherwise None."""
    exists = parent is not None and get(session=session, walk_id=parent) is not None
    return parent if exists else None


class FilmFields(TypedDict, total=False):
    """What a record may say about a film; see `adopt`."""

    spec: Mapping[str, Any]
    digest: str
    accession: str
    created_at: datetime | None
    started_at: datetime | None
    edited_at: datetime | None
    edit_times: Mapping[str, datetime]
    record_stored_at: datetime
    maker: str
    parent: str | None
    remote: bool
    result: Mapping[str, Any]
    notes: str
    star: bool
    tags: Iterable[str]
    votes: Iterable[Mapping[str, Any]]


def adopt(
    *,
    session: Session,
    walk_id: str,
    title: str,
    finished_at: datetime,
    **fields: Unpack[FilmFields],
) -> Walk | None:
    """Insert a finished film that is not in the history; None if a walk has its id or had it.

    The fields are those of a `walk.json`. `spec` is valid; `result` holds columns of
    `queue.RESULT`, and "frames", the number of frames. For a film of another program both are left
    out, and its settings are blank. The accession number is kept unless it is taken or invalid.
    A film without a record, hence without `record_stored_at`, gets one, and one with another number
    in its record gets a new one. Votes on films that come
    later are left to `curation.take_in`.
    """
    if _is_known(session, walk_id):
        return None
    result, spec = fields.get("result", {}), fields.get("spec", {})
    accession, parent = fields.get("accession", ""), fields.get("parent")
    accession = accession_numbers.assign_existing(session, accession, finished_at.year)
    created_at = fields.get("created_at") or finished_at
    stored_at = fields.get("record_stored_at")
    walk = Walk(
        id=walk_id,
        accession=accession,
        state=State.DONE,
        created_at=created_at,
        started_at=fields.get("started_at") or created_at,
        finished_at=finished_at,
        spec=dict(spec),
        digest=fields.get("digest", ""),
        title=title,
        frames_total=int(result.get("frames", 0)),
        parent=_check_parent(session, parent),
        tagged=curation.create_tags(fields.get("tags", ())),
        **{name: fields[name] for name in _PLAIN_FIELDS if name in fields},
        **_change_times(session, fields, accession),
        edit_times=edits.write_times(edits.believe(session, fields.get("edit_times", {}))),
        **{name: (spec or _BLANK_SPEC)[name] for name in _SPEC_COLUMNS},
        **{name: result[name] for name in RESULT & result.keys()},
    )
    session.add(walk)
    session.flush()
    complete = film_votes.take_in(session=session, walk_id=walk_id, votes=fields.get("votes", ()))
    walk.record_stored_at = stored_at if complete and walk.parent == parent else None
    return walk


def _change_times(session: Session, fields: FilmFields, number: str) -> dict[str, datetime | None]:
    """Return when a film was changed and recorded; now, if its record is to be written."""
    # Also one with another number: it would bring that one back, for two films perhaps.
    if "record_stored_at" not in fields or fields.get("accession", "") != number:
        return {"edited_at": database_now(session), "recorded_at": None}
    edited_at = fields.get("edited_at")
    if edited_at and edited_at > database_now(session) + edits.CLOCKS_DIFFER:
        edited_at = None  # all edits to come would seem to be made in the future
    return {"edited_at": edited_at, "recorded_at": edited_at}


def _is_known(session: Session, walk_id: str) -> bool:
    """Whether a walk has this id, or had it and was deleted."""
    exists = get(session=session, walk_id=walk_id) is not None
    return exists or deletions.is_deleted(session=session, walk_id=walk_id)


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
