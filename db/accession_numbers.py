"""Accession numbers such as "ML.2026.0042", given once, from a counter that only increases."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import edits
from db.clock import database_now
from db.error_messages import YearFull
from db.models import AccessionYear, Deletion, State, Walk
from db.text import accession_to_int

LAST = 999_999
"""The last number of a year."""
ROOM = 10_000
"""How far above the counter a stored film's own number may be: a number far off would use up the
year, so that film gets a new one."""
PLAUSIBLE, FOR_EACH_WALK = 20_000, 10
"""A year has hardly more numbers than the first and, for each known walk, the second: records and
marks in a storage that say so are not believed, nor is a counter that such ones have raised."""
FORMER = (
    "Until {day} this film was {number}: another history on the same store had given that number "
    "to a film before."
)
"""What the notes of a film say whose number was replaced."""
_FORMAT = re.compile(r"ML\.(?P<year>[0-9]{4})\.(?P<last>[0-9]{4,6})")


def assign_existing(session: Session, accession: str, year: int) -> str:
    """Return the given number if it is valid and not taken, otherwise the year's next number.

    The counter of the number's year is raised to it, so that it is not given again.
    """
    if not _may_be_kept(session, accession):
        return assign_next(session, year)
    raise_counters(session, {int(accession[3:7]): int(accession[8:])})
    return accession


def parse(accession: str) -> tuple[int, int] | None:
    """Return year and last part of a well-formed number; None for any other text."""
    number = _FORMAT.fullmatch(accession)
    if number is None or accession != f"ML.{number['year']}.{int(number['last']):04d}":
        return None
    return int(number["year"]), int(number["last"])


def _may_be_kept(session: Session, accession: str) -> bool:
    """Whether a number is well-formed, near those given so far, and no other walk's."""
    if (number := parse(accession)) is None:
        return False
    year, last = number
    given = _read_counters(session).get(year, 0)
    if year > database_now(session).year + 1 or not 0 < last <= min(given + ROOM, LAST):
        return False
    # Counting takes its time, and most numbers are far below.
    if last > max(given, PLAUSIBLE) and last > find_ceiling(session, year):
        return False
    return not _is_taken(session, accession)


def _is_taken(session: Session, accession: str) -> bool:
    """Whether a walk has the number, or had it and was deleted."""
    walk = select(Walk.id).where(Walk.number == accession_to_int(accession))
    deleted = select(Deletion.walk_id).where(Deletion.accession == accession)
    return any(session.scalar(one.limit(1)) is not None for one in (walk, deleted))


def find_ceiling(session: Session, year: int, films: int = 0) -> int:
    """Return the largest number of a year that can be believed, given the walks that are known.

    `films` is how many the storage has, which the history may have lost.
    """
    walks = select(func.count()).select_from(Walk).where(_is_of(year))
    deleted = select(func.count()).select_from(Deletion)
    deleted = deleted.where(Deletion.accession.startswith(f"ML.{year}."))
    known = (session.scalar(walks) or 0) + (session.scalar(deleted) or 0)
    return min(PLAUSIBLE + FOR_EACH_WALK * max(known, films), LAST)


def _is_of(year: int) -> ColumnElement[bool]:
    """Condition of the walks that have a number of the year."""
    first = accession_to_int(f"ML.{year}.0000")
    return Walk.number.between(first, first + LAST)


def assign_next(session: Session, year: int) -> str:
    """Return the year's next number, as "ML.2026.0042". Raises YearFull after 999,999."""
    _create_counter(session, year)
    number = _count_up(session, year)
    if number is None:
        # Earlier versions raised the counter to any number that a record had.
        _lower_counter(session, year, LAST)
        number = _count_up(session, year)
    while number is not None and _is_taken(session, f"ML.{year}.{number:04d}"):
        number = _count_up(session, year)
    if number is None:
        raise YearFull(
            f"All {LAST:,} accession numbers of {year} are given. Nothing is lost, but new walks "
            "have to wait for the next year."
        )
    return f"ML.{year}.{number:04d}"


def replace(*, session: Session, walk_id: str, number: str) -> str:
    """Give a walk the next number instead of this one; returns it, "" if it has not this one.

    The notes of a finished film tell the former one, which people may have seen. Raises YearFull.
    """
    walk = edits.lock(session, walk_id)
    if walk is None or walk.accession != number:
        return ""
    walk.accession = assign_next(session, int(number[3:7]))
    if walk.state is State.DONE:
        told = FORMER.format(number=number, day=database_now(session).date())
        walk.notes = f"{walk.notes}\n{told}".strip()
        edits.mark_edited(session, walk, "notes")
    session.flush()
    return walk.accession


def find_holders(session: Session, numbers: Iterable[str]) -> dict[str, str]:
    """Return the ids of the walks that have these numbers, by number."""
    held = select(Walk.accession, Walk.id).where(Walk.accession.in_(set(numbers)))
    return {row.accession: row.id for row in session.execute(held)}


def _count_up(session: Session, year: int) -> int | None:
    """Raise the year's counter by one and return it; None if it is at the last number."""
    return session.scalar(
        update(AccessionYear)
        .where(AccessionYear.year == year, AccessionYear.last < LAST)
        .values(last=AccessionYear.last + 1)
        .returning(AccessionYear.last)
        .execution_options(synchronize_session=False)
    )


def lower_counters(session: Session) -> dict[int, int]:
    """Set back the counters that are higher than can be believed; returns these, as they were.

    The numbers given from then on leave out those that walks have.
    """
    high = {year: last for year, last in _read_counters(session).items() if last > PLAUSIBLE}
    spoiled = {year: last for year, last in high.items() if last > find_ceiling(session, year)}
    for year in spoiled:
        _lower_counter(session, year, find_ceiling(session, year))
    return spoiled


def _lower_counter(session: Session, year: int, limit: int) -> None:
    """Set a counter beyond a limit to the largest number up to it that was given to a walk."""
    first = accession_to_int(f"ML.{year}.0000")
    largest = select(func.max(Walk.number)).where(_is_of(year), Walk.number <= first + limit)
    deleted = select(Deletion.accession).where(Deletion.accession.startswith(f"ML.{year}."))
    given = [session.scalar(largest), *map(accession_to_int, session.scalars(deleted))]
    last = max((number for number in given if number and number <= first + limit), default=first)
    session.execute(
        update(AccessionYear)
        .where(AccessionYear.year == year, AccessionYear.last > limit)
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
