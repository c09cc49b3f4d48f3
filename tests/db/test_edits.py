"""Every edit of a film is noted by the database's clock, until its record has it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from db import adoption, curation, edits, votes, walks
from db.models import Walk
from db.session import get_engine, reading, writing
from tests.support.databases import PostgreSQL

AddWalk = Callable[..., Walk]
FUTURE = timedelta(days=1)


def read(url: str, walk: Walk) -> Walk:
    with reading(url) as session:
        return session.get_one(Walk, walk.id)


def stale(url: str) -> list[str]:
    with reading(url) as session:
        return edits.list_stale(session=session, limit=9)


def record(url: str, walk: Walk) -> None:
    edited_at = read(url, walk).edited_at
    assert edited_at is not None
    with writing(url) as session:
        edits.mark_recorded(
            session=session,
            walk_id=walk.id,
            edited_at=edited_at,
            stored_at=datetime.now(UTC),
            key="walk.json",
        )


@pytest.fixture
def film(url: str, add_film: AddWalk) -> Walk:
    walk = add_film(result={"sha256": "5a" * 32})
    record(url, walk)
    return walk


EDITS: dict[str, Callable[..., object]] = {
    "title": lambda **of: curation.set_title(title="another", **of),
    "tags": lambda **of: curation.set_tags(tags=["sea"], **of),
    "star": lambda **of: curation.set_star(star=True, **of),
    "notes": lambda **of: curation.set_notes(notes="kept", known="", **of),
}


def test_a_finished_film_lacks_its_record_until_it_is_written(url: str, add_film: AddWalk) -> None:
    walk = add_film(result={"sha256": "5a" * 32})
    assert stale(url) == [walk.id]
    record(url, walk)
    assert stale(url) == []
    assert read(url, walk).files["json"] == "walk.json"


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_makes_the_record_stale_and_no_change_does_not(
    url: str, film: Walk, what: str
) -> None:
    for expected in ([film.id], []):
        with writing(url) as session:
            EDITS[what](session=session, walk_id=film.id)
        assert stale(url) == expected
        record(url, film)


def test_a_vote_makes_both_records_stale(url: str, film: Walk, add_film: AddWalk) -> None:
    other = add_film(result={"sha256": "5a" * 32})
    record(url, other)
    with writing(url) as session:
        votes.cast(session=session, one=film.id, other=other.id, preferred=None, maker="m")
    assert set(stale(url)) == {film.id, other.id}


def test_an_edit_during_the_writing_is_written_next(url: str, film: Walk) -> None:
    with writing(url) as session:
        curation.set_star(session=session, walk_id=film.id, star=True)
    first = read(url, film).edited_at
    assert first is not None
    with writing(url) as session:
        curation.set_star(session=session, walk_id=film.id, star=False)
    with writing(url) as session:
        of: dict[str, datetime] = {"edited_at": first, "stored_at": first}
        edits.mark_recorded(session=session, walk_id=film.id, key="walk.json", **of)
    assert stale(url) == [film.id]


def test_an_edit_is_later_than_the_one_before_whatever_the_clock_says(url: str, film: Walk) -> None:
    ahead = datetime.now(UTC) + FUTURE
    with writing(url) as session:
        row = session.get_one(Walk, film.id)
        row.edited_at = row.recorded_at = ahead
    with writing(url) as session:
        curation.set_star(session=session, walk_id=film.id, star=True)
    assert read(url, film).edited_at == ahead + timedelta(microseconds=1)
    assert stale(url) == [film.id]


def test_edits_have_the_time_of_the_databases_clock(server: PostgreSQL) -> None:
    """The clocks of machines differ: of two curators the one whose clock was ahead won."""
    url = server.fresh()
    with writing(url) as session:
        name = session.scalar(text("SELECT current_database()"))
        for statement in (
            "CREATE SCHEMA ahead",
            "CREATE FUNCTION ahead.now() RETURNS timestamptz STABLE LANGUAGE sql "
            "AS 'SELECT pg_catalog.now() + make_interval(days => 1)'",
            f'ALTER DATABASE "{name}" SET search_path = ahead, pg_catalog, public',
        ):
            session.execute(text(statement))
        moment = datetime.now(UTC)
        adoption.adopt(session=session, walk_id="w1", title="a", finished_at=moment)
    get_engine(url).dispose()
    for what in EDITS:
        with writing(url) as session:
            EDITS[what](session=session, walk_id="w1")
    with reading(url) as session:
        times = edits.read_times(session.get_one(Walk, "w1"))
    get_engine(url).dispose()
    assert times.keys() == EDITS.keys()
    assert all(time > moment + FUTURE / 2 for time in times.values())


def test_notes_of_two_curators_are_both_kept(url: str, film: Walk) -> None:
    of = {"walk_id": film.id, "known": ""}
    with writing(url) as session:
        assert not curation.set_notes(session=session, notes="first", **of)
        assert curation.set_notes(session=session, notes="second", **of)
    assert read(url, film).notes == "first\nsecond"


def test_notes_have_a_limit_and_a_refused_note_changes_nothing(url: str, film: Walk) -> None:
    longest = "ö" * curation.NOTES_LENGTH
    with writing(url) as session:
        curation.set_notes(session=session, walk_id=film.id, notes=longest, known="")
    for notes, known in ((longest + "!", longest), ("mine", "")):  # one note, and two as one
        with pytest.raises(curation.NotesTooLong, match="20,000"), writing(url) as session:
            curation.set_notes(session=session, walk_id=film.id, notes=notes, known=known)
    assert read(url, film).notes == longest


def test_notes_from_before_there_was_a_limit_can_be_shortened(url: str, film: Walk) -> None:
    long = "o" * (curation.NOTES_LENGTH + 10)
    with writing(url) as session:
        session.execute(update(Walk).values(notes=long))
    with writing(url) as session:
        curation.set_notes(session=session, walk_id=film.id, notes=long[1:], known=long)
    assert read(url, film).notes == long[1:]


def test_tags_have_a_limit(url: str, film: Walk) -> None:
    with writing(url) as session:
        names = [str(number) for number in range(curation.MOST_TAGS + 10)]
        tags = curation.set_tags(session=session, walk_id=film.id, tags=names)
    assert len(tags) == curation.MOST_TAGS


def take_in(session: Session, film: Walk, times: dict[str, datetime], **fields: Any) -> bool:
    blank = {"title": film.title, "tags": [], "star": False, "notes": ""}
    return curation.take_in(
        session=session,
        walk_id=film.id,
        fields=blank | fields,
        edit_times=times,
        edited_at=max(times.values(), default=None),
        parent=None,
        recorded_votes=[],
        record_stored_at=None,
    )


def test_an_edit_made_while_the_clock_was_ahead_is_kept_and_outlasts_no_later_one(
    url: str, film: Walk
) -> None:
    """After an older backup was restored, it was written over, record and all."""
    times = {"title": datetime.now(UTC) + timedelta(days=2)}
    with writing(url) as session:
        assert take_in(session, film, times, title="renamed")
    with writing(url) as session:
        curation.set_title(session=session, walk_id=film.id, title="later")
        assert not take_in(session, film, times, title="renamed")
    assert read(url, film).title == "later"


@pytest.mark.parametrize(("seconds", "title"), [(1, "theirs"), (-1, "ours")])
def test_the_later_edit_wins(url: str, film: Walk, seconds: int, title: str) -> None:
    with writing(url) as session:
        curation.set_title(session=session, walk_id=film.id, title="ours")
    record(url, film)
    edited_at = read(url, film).edited_at
    assert edited_at is not None
    with writing(url) as session:
        times = {"title": edited_at + timedelta(seconds=seconds)}
        taken = take_in(session, film, times, title="theirs")
    assert taken is (seconds > 0)
    assert read(url, film).title == title
    assert stale(url) == ([] if taken else [film.id]), "a record that lacks an edit is written"


@pytest.mark.parametrize("seconds", [1, -1])
def test_the_later_edit_of_each_field_wins(url: str, film: Walk, seconds: int) -> None:
    with writing(url) as session:
        curation.set_notes(session=session, walk_id=film.id, notes="ours", known="")
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    with writing(url) as session:
        assert take_in(session, film, {"star": moment, "tags": moment}, star=True, tags=["sea"])
    row = read(url, film)
    assert (row.notes, row.star, row.tags) == ("ours", True, ["sea"])
    assert stale(url) == [film.id]


def test_what_was_never_edited_wins_over_nothing(url: str, film: Walk) -> None:
    """Neither a rendering nor a vote is an edit of what curators write."""
    with writing(url) as session:
        edits.mark_stale(session, session.get_one(Walk, film.id))
        assert take_in(session, film, {"notes": datetime(2026, 1, 1, tzinfo=UTC)}, notes="old")
        assert not take_in(session, film, {}, title="the walk's own")
    assert (read(url, film).notes, read(url, film).title) == ("old", film.title)


def test_a_deleted_film_whose_record_was_written_is_deleted_again(url: str, film: Walk) -> None:
    from db import deletions

    moment = datetime.now(UTC)
    with writing(url) as session:
        walks.delete(session=session, walk_id=film.id)
        deletions.close(session=session, walk_id=film.id)
    with writing(url) as session:
        of = {"edited_at": moment, "stored_at": moment}
        edits.mark_recorded(session=session, walk_id=film.id, key="walk.json", **of)
        assert deletions.list_open(session=session) == [film.id]
