"""Whose works of art are stops of walks, as the Gallery filters by them; from the walks' specs.

A row is written with its walk's, and goes with it. Specs never change.
"""

from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, String, event, insert
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from db.models import Base, Walk

NAME_LENGTH = 500
"""Characters; a spec's credit has no longer ones."""
FIELDS = (
    *("artist", "title", "year", "museum", "accession_number", "licence"),
    "record_address",
)
"""A credit's fields in the order of a wall label."""


class Credit(Base):
    """The museum and the artist of a stop's picture, blank if unknown; stops are counted from 0."""

    __tablename__ = "credits"
    __table_args__ = (
        Index("ix_credits_museum", "museum", "walk_id"),
        Index("ix_credits_artist", "artist", "walk_id"),
    )

    walk_id: Mapped[str] = mapped_column(
        ForeignKey("walks.id", ondelete="CASCADE"), primary_key=True
    )
    stop: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    museum: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")
    artist: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")


def list_credits(spec: dict[str, Any]) -> dict[int, dict[str, str]]:
    """The credits in a stored spec by the numbers of their stops, counted from 0."""
    images = {number: stop.get("image") or {} for number, stop in enumerate(spec.get("stops", []))}
    return {number: image["credit"] for number, image in images.items() if image.get("credit")}


def describe_credits(spec: dict[str, Any]) -> str:
    """The credits in a stored spec in one line, for tables."""
    lines = [
        ", ".join(credit[name] for name in FIELDS if credit.get(name))
        for credit in list_credits(spec).values()
    ]
    return "; ".join(lines)


@event.listens_for(Walk, "after_insert")
def _write_rows(_mapper: Mapper[Walk], connection: Connection, walk: Walk) -> None:
    rows = [
        {
            "walk_id": walk.id,
            "stop": number,
            **{name: credit.get(name, "")[:NAME_LENGTH] for name in ("museum", "artist")},
        }
        for number, credit in list_credits(walk.spec).items()
    ]
    if rows:
        connection.execute(insert(Credit), rows)
