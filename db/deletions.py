"""Tombstones: the ids of deleted walks, which every machine asks before it brings files back.

`walks.delete` writes one in the transaction that deletes the row. It is open until the walk's files
are deleted from the storage, and it stays for good: a stalled worker, or the outbox of a machine
that was away, may bring files later. A row outweighs a tombstone of its id.
"""

from collections.abc import Iterable

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from db.clock import database_now
from db.models import IS_DONE, Deletion, Walk


def add(*, session: Session, walk_id: str, accession: str = "") -> None:
    """Write an open tombstone, or open the one that is there."""
    moment = database_now(session)
    session.merge(
        Deletion(walk_id=walk_id, accession=accession, deleted_at=moment, files_deleted_at=None)
    )
    session.flush()


def is_deleted(*, session: Session, walk_id: str) -> bool:
    """Whether the walk was deleted: it has a tombstone, and no row."""
    # The row first: the transaction that deletes it writes the tombstone too.
    gone = session.scalar(select(Walk.id).where(Walk.id == walk_id)) is None
    return gone and session.get(Deletion, walk_id) is not None


def get(*, session: Session, walk_id: str) -> Deletion | None:
    """Return the tombstone of a deleted walk; None if it was not deleted, or has a row again."""
    deleted = is_deleted(session=session, walk_id=walk_id)
    return session.get(Deletion, walk_id) if deleted else None


def list_of(*, session: Session, ids: Iterable[str]) -> list[Deletion]:
    """Return the tombstones of walks that were deleted."""
    wanted = set(ids)  # may be more than a query takes
    return [one for one in session.scalars(select(Deletion)) if one.walk_id in wanted]


def forget(*, session: Session, walk_id: str) -> None:
    """Remove a tombstone: another film has the id now."""
    session.execute(delete(Deletion).where(Deletion.walk_id == walk_id))


def sample_films(*, session: Session, each: int = 3) -> dict[str, str]:
    """Return the GIFs' keys of the oldest and the newest stored films, by id.

    A storage without them may be another gallery's.
    """
    stored = select(Walk.id, Walk.files).where(IS_DONE, ~Walk.waiting, Walk.sha256 != "")
    ends = (Walk.finished_at, Walk.finished_at.desc())
    found = [session.execute(stored.order_by(end).limit(each)) for end in ends]
    return {row.id: row.files["gif"] for rows in found for row in rows if "gif" in row.files}


def find_deleted_ids(*, session: Session, ids: Iterable[str]) -> set[str]:
    """Return those of the ids that have a tombstone."""
    return {tombstone.walk_id for tombstone in list_of(session=session, ids=ids)}


def list_open(*, session: Session) -> list[str]:
    """Return the ids of the deleted walks whose files are still to be deleted, oldest first."""
    tombstones = (
        select(Deletion.walk_id)
        .where(Deletion.files_deleted_at.is_(None), ~exists().where(Walk.id == Deletion.walk_id))
        .order_by(Deletion.deleted_at, Deletion.walk_id)
    )
    return list(session.scalars(tombstones))


def close(*, session: Session, walk_id: str) -> None:
    """Note that the walk's files are deleted from the storage."""
    moment = database_now(session)
    session.execute(
        update(Deletion).where(Deletion.walk_id == walk_id).values(files_deleted_at=moment)
    )


def reopen(*, session: Session, walk_id: str) -> None:
    """Have the files of a deleted walk deleted again."""
    change = update(Deletion).where(Deletion.walk_id == walk_id)
    session.execute(change.values(files_deleted_at=None))
