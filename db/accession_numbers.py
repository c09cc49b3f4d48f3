"""Accession numbers such as "ML.2026.0042", given once, from a counter that only increases."""

import re
from contextlib import suppress

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.models import AccessionYear, Walk

_FORMAT = re.compile(r"ML\.(?P<year>[0-9]{4})\.(?P<last>[0-9]{4,9})")


def assign_existing(session: Session, accession: str, year: int) -> str:
    """Return the given number if it is valid and not taken, otherwise the year's next number.

    The counter of the number's year is raised to it, so that it is not given again.
    """
    number = _FORMAT.fullmatch(accession)
    owner_id = session.scalar(select(Walk.id).where(Walk.accession == accession))
    if number is None or owner_id is not None:
        return assign_next(session, year)
    _create_counter(session, int(number["year"]))
    session.execute(
        update(AccessionYear)
        .where(AccessionYear.year == int(number["year"]), AccessionYear.last < int(number["last"]))
        .values(last=int(number["last"]))
        .execution_options(synchronize_session=False)
    )
    return accession


def assign_next(session: Session, year: int) -> str:
    """Return the year's next number, as "ML.2026.0042"."""
    _create_counter(session, year)
    number = session.scalar(
        update(AccessionYear)
        .where(AccessionYear.year == year)
        .values(last=AccessionYear.last + 1)
        .returning(AccessionYear.last)
        .execution_options(synchronize_session=False)
    )
    return f"ML.{year}.{number:04d}"


def _create_counter(session: Session, year: int) -> None:
    """Insert the year's counter if there is none."""
    if session.scalar(select(AccessionYear.year).where(AccessionYear.year == year)) is None:
        # On PostgreSQL another process may insert it first.
        with suppress(IntegrityError), session.begin_nested():
            session.add(AccessionYear(year=year, last=0))
