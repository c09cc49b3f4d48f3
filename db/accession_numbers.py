"""Accession numbers, as "ML.2026.0042": given once, from a counter that never goes back."""

import re
from contextlib import suppress

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.models import AccessionYear, Walk

_NUMBER = re.compile(r"ML\.(?P<year>[0-9]{4})\.(?P<last>[0-9]{4,9})")


def kept(session: Session, accession: str, year: int) -> str:
    """That number, if it is one and no walk has it; else the year's next."""
    number = _NUMBER.fullmatch(accession)
    taken = session.scalar(select(Walk.id).where(Walk.accession == accession))
    if number is None or taken is not None:
        return following(session, year)
    _open_year(session, int(number["year"]))
    session.execute(
        update(AccessionYear)
        .where(AccessionYear.year == int(number["year"]), AccessionYear.last < int(number["last"]))
        .values(last=int(number["last"]))
        .execution_options(synchronize_session=False)
    )
    return accession


def following(session: Session, year: int) -> str:
    """The year's next number, as "ML.2026.0042"."""
    _open_year(session, year)
    number = session.scalar(
        update(AccessionYear)
        .where(AccessionYear.year == year)
        .values(last=AccessionYear.last + 1)
        .returning(AccessionYear.last)
        .execution_options(synchronize_session=False)
    )
    return f"ML.{year}.{number:04d}"


def _open_year(session: Session, year: int) -> None:
    """Make the year's counter, if there is none yet."""
    if session.scalar(select(AccessionYear.year).where(AccessionYear.year == year)) is None:
        # On PostgreSQL another process may be first all the same.
        with suppress(IntegrityError), session.begin_nested():
            session.add(AccessionYear(year=year, last=0))
