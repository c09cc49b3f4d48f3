"""What those who run the app do with the queue: list it, find walks in it, try walks again."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import walks
from db.clock import database_now
from db.models import IS_GIVEN_UP, IS_QUEUED, IS_RUNNING, State, Walk
from db.queue import QUEUE_ORDER
from db.queue_places import find_due


def list_queue(*, session: Session) -> list[Walk]:
    """Return the running walks, and then the queued ones in the order of the queue."""
    running = select(Walk).where(IS_RUNNING).order_by(Walk.started_at, Walk.id)
    queued = select(Walk).where(IS_QUEUED).order_by(*QUEUE_ORDER)
    return [*session.scalars(running), *session.scalars(queued)]


def list_given_up(*, session: Session, limit: int, maker: str = "") -> list[Walk]:
    """Return the failed and cancelled walks, the last ones first; those of one maker if given."""
    rows = select(Walk).where(IS_GIVEN_UP, Walk.maker.startswith(maker, autoescape=True))
    return list(session.scalars(rows.order_by(Walk.finished_at.desc(), Walk.id).limit(limit)))


def find(*, session: Session, reference: str) -> Walk | None:
    """Return the walk with this id or accession number, in capital or small letters."""
    by_id = walks.get(session=session, walk_id=reference)
    by_number = select(Walk).where(Walk.accession == reference.upper())
    return by_id or session.scalar(by_number)


def retry(*, session: Session, walk_id: str) -> bool:
    """Queue a failed or cancelled walk again as if it were new; False if it is neither.

    Its maker gets a turn behind the own walks in the queue, and it may fail as often as a new one.
    """
    walk = session.scalar(select(Walk).where(Walk.id == walk_id, IS_GIVEN_UP).with_for_update())
    if walk is None:
        return False
    # Before the state changes: the walk itself must not count as one of its maker's.
    turn, moment = walks.choose_round(session, walk.maker), database_now(session)
    walk.state, walk.turn = State.QUEUED, turn
    walk.due = find_due(moment, walk.frames_total)
    walk.owner = walk.lease_until = walk.not_before = walk.started_at = walk.finished_at = None
    walk.stage, walk.error, walk.cancel_requested = "", "", False
    walk.deaths = walk.machine_failures = 0
    walk.progress, walk.troubles = [], []
    session.flush()
    return True
