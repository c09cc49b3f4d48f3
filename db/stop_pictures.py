"""Pictures that are stops of walks, by the digest of their file, for as long as they are needed.

They come here from a visitor, and go from here to the workers. A finished film has its own copy
beside it in the storage, so a picture may go once no walk in the queue needs it and it has not been
used for a while.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Text, cast, delete, func, select, update
from sqlalchemy.orm import Session

from db.clock import database_now
from db.models import IS_ACTIVE, IS_DONE, StopPicture, Walk

KEPT = timedelta(days=7)
"""How long a picture stays after its last use."""
JUST_CHOSEN = timedelta(hours=1)
"""For how long after its last use a walk may be about to be made from a picture."""
MOST_FILMS = 8
"""Films that are looked through for a picture that is not kept here any more."""
MOST = 2000
MOST_BYTES = 2**30
"""Pictures, and their bytes in all, besides those that walks in the queue need; of more, those go
that were used first."""


def keep(*, session: Session, digest: str, data: bytes, width: int, height: int) -> None:
    """Keep a picture's file under its digest, or note that it is used again; drop old ones."""
    if not touch(session=session, digest=digest):
        used_at = database_now(session)
        picture = StopPicture(digest=digest, data=data, width=width, height=height, used_at=used_at)
        session.merge(picture)
    session.flush()
    prune(session=session)


def touch(*, session: Session, digest: str) -> bool:
    """Note that a picture is used; False if it is not kept here."""
    touched = session.scalar(
        update(StopPicture)
        .where(StopPicture.digest == digest)
        .values(used_at=database_now(session))
        .returning(StopPicture.digest)
        .execution_options(synchronize_session=False)
    )
    return touched is not None


def find(*, session: Session, digest: str) -> bytes | None:
    """Return a picture's file, or None if it is not kept here."""
    return session.scalar(select(StopPicture.data).where(StopPicture.digest == digest))


def find_films(*, session: Session, digest: str) -> list[Walk]:
    """Return some done walks that have this picture as a stop, the newest first."""
    has_picture = cast(Walk.spec, Text).contains(digest, autoescape=True)
    films = select(Walk).where(IS_DONE, has_picture).order_by(Walk.finished_at.desc(), Walk.id)
    return list(session.scalars(films.limit(MOST_FILMS)))


def prune(*, session: Session) -> int:
    """Drop what was not used for KEPT, and what is above MOST or MOST_BYTES; return how many."""
    old = select(StopPicture.digest).where(StopPicture.used_at < database_now(session) - KEPT)
    newest_first = (StopPicture.used_at.desc(), StopPicture.digest)
    dropped = set(session.scalars(old))
    sizes = select(StopPicture.digest, func.length(StopPicture.data)).order_by(*newest_first)
    total = 0
    for number, (digest, size) in enumerate(session.execute(sizes), start=1):
        total += size
        if number > MOST or total > MOST_BYTES:
            dropped.add(digest)
    return drop(session=session, digests=dropped)


def drop(*, session: Session, digests: Iterable[str]) -> int:
    """Drop pictures, but those that walks in the queue need; return how many."""
    dropped = set(digests)
    if not dropped:
        return 0
    for spec in session.scalars(select(Walk.spec).where(IS_ACTIVE)):
        dropped -= find_digests(spec)
    session.execute(delete(StopPicture).where(StopPicture.digest.in_(dropped)))
    return len(dropped)


def forget(*, session: Session, spec: dict[str, Any]) -> set[str]:
    """Drop the pictures of a deleted walk that no other walk has; return their digests.

    One that was chosen lately stays: a walk may be about to be made from it.
    """
    lately = database_now(session) - JUST_CHOSEN
    forgotten = set()
    for digest in find_digests(spec):
        others = select(Walk.id).where(cast(Walk.spec, Text).contains(digest, autoescape=True))
        if session.scalar(others.limit(1)) is None:
            row = delete(StopPicture).where(StopPicture.digest == digest)
            session.execute(row.where(StopPicture.used_at < lately))
            forgotten.add(digest)
    return forgotten


def find_digests(spec: dict[str, Any]) -> set[str]:
    """The digests of the pictures in a stored spec."""
    images = (stop.get("image") for stop in spec.get("stops", []))
    return {str(image["digest"]) for image in images if image}
