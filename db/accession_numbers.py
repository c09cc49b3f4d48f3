"""Accession numbers such as "ML.2026.0042", given once, from a counter that only increases."""

import re
from collections.abc import Mapping
from contextlib import suppress

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.clock import database_now
from db.error_messages import YearFull
from db.models import AccessionYear, Deletion, Walk
from db.text import accession_to_int

LAST = 999_999
"""The last number of a year."""
ROOM = 10_000
"""How far above the counter a stored film's own number may be: a number far off would use up the
year, so that film gets a new one."""
_FORMAT = re.compile(r"ML\.(?P<year>[0-9]{4})\.(?P<last>[0-9]{4,6})")


def assign_existing(session: Session, accession: str, year: int) -> str:
    """Return the given number if it is valid and not taken, otherwise the year's next number.

    The counter of the number's year is raised to it, so that it is not given again.
    """
    if not _may_be_kept(session, accession):
        return assign_next(session, year)
    raise_counters(session, {int(accession[3:7]): int(accession[8:])})
    return accession


def _may_be_kept(session: Session, accession: str) -> bool:
    """Whether a number is well-formed, near those given so far, and no other walk's."""
    number = _FORMAT.fullmatch(accession)
    if number is None or accession != f"ML.{number['year']}.{int(number['last']):04d}":
        return False
    year, last = int(number["year"]), int(number["last"])
    given = _read_counters(session).get(year, 0)
    if year > database_now(session).year + 1 or not 0 < last <= min(given + ROOM, LAST):
        return False
    taken = select(Walk.id).where(Walk.number == accession_to_int(accession))
    deleted = select(Deletion.walk_id).where(Deletion.accession == accession)
    return session.scalar(taken.limit(1)) is None and session.scalar(deleted.limit(1)) is None


def assign_next(session: Session, year: int) -> str:
    """Return the year's next number, as "ML.2026.0042". Raises YearFull after 999,999."""
    _create_counter(session, year)
    if (number := _count_up(session, year)) is None:
        # Earlier versions raised the counter to any number that a record had.
        _lower_counter(session, year)
        number = _count_up(session, year)
    if number is None:
        raise YearFull(
            f"All {LAST:,} accession numbers of {year} are given. Nothing is lost, but new walks "
            "have to wait for the next year."
        )
    return f"ML.{year}.{number:04d}"


def _count_up(session: Session, year: int) -> int | None:
    """Raise the year's counter by one and return it; None if it is at the last number."""
    return session.scalar(
        update(AccessionYear)
        .where(AccessionYear.year == year, AccessionYear.last < LAST)
        .values(last=AccessionYear.last + 1)
        .returning(AccessionYear.last)
        .execution_options(synchronize_session=False)
    )


def _lower_counter(session: Session, year: int) -> None:
    """Set a counter beyond the last number to the largest that was given to a walk of the year."""
    first = accession_to_int(f"ML.{year}.0000")
    largest = select(func.max(Walk.number)).where(Walk.number.between(first, first + LAST))
    deleted = select(Deletion.accession).where(Deletion.accession.startswith(f"ML.{year}."))
    given = [session.scalar(largest), *map(accession_to_int, session.scalars(deleted))]
    last = max((number for number in given if number and number <= first + LAST), default=first)
    session.execute(
        update(AccessionYear)
        .where(AccessionYear.year == year, AccessionYear.last > LAST)
        .values(last=last - first)
        .execution_options(synchronize_session=False)
    )


def read_counters(session: Session) -> dict[int, int]:
    """Return the largest number given so far in each year."""
    return {year: min(last, LAST) for year, last in _read_counters(session).items()}


def _read_counters(session: Session) -> dict[int, int]:
    rows = session.execute(select(AccessionYear.year, AccessionYear.last))
    return {row.year: row.last for row in rows}


def raise_counters(session: Session, given: Mapping[int, int]) -> None:
    """Raise the counters of years to numbers that are known to be given; none is lowered."""
    for year, last in given.items():
        _create_counter(session, year)
        session.execute(
            update(AccessionYear)
            .where(AccessionYear.year == year, AccessionYear.last < min(last, LAST))
            .values(last=min(last, LAST))
            .execution_options(synchronize_session=False)
        )


def _create_counter(session: Session, year: int) -> None:
    """Insert the year's counter if there is none."""
    if session.scalar(select(AccessionYear.year).where(AccessionYear.year == year)) is None:
        # On PostgreSQL another process may insert it first.
        with suppress(IntegrityError), session.begin_nested():
            session.add(AccessionYear(year=year, last=0))
