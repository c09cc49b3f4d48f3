"""Pages ask the history as often for many walks as for few."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from db.session import get_engine
from momalisa.settings import settings
from momalisa.ui import history
from momalisa.ui.create import estimate
from tests.support.pages import MakeWalk, Visit, spec

PAGES = ("home", "create", "gallery", "compare", "insight", "exhibition")


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are sent to the database in the block."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = get_engine(settings().database)
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("page", PAGES)
def test_more_walks_need_no_more_queries(
    page: str, visit: Visit, add_film: MakeWalk, enqueue_walk: MakeWalk
) -> None:
    def fill(number: int) -> None:
        for _ in range(number):
            add_film()
        for _ in range(number):
            enqueue_walk()

    fill(3)
    visit(page)  # fills what is kept for all sessions
    with counted() as few:
        visit(page)
    fill(12)
    visit(page)
    with counted() as many:
        visit(page)
    assert len(many) <= len(few) + 1, "\n".join(many)
    assert len(many) < 30


def test_pages_read_no_more_than_they_show(
    visit: Visit, add_film: MakeWalk, enqueue_walk: MakeWalk
) -> None:
    """With hundreds of walks that wait, pages took most of their time to read them."""
    add_film()
    enqueue_walk()
    with counted() as of_choices:
        assert history.recent_films()
    with counted() as of_estimate:
        assert estimate.seconds_per_frame(spec())
    with counted() as of_page:
        visit("create")
    assert not any("walks.spec" in text for text in of_choices)
    assert not any("walks.title" in text for text in of_estimate)
    active = [text for text in of_page if "ORDER BY walks.created_at, walks.id" in text]
    assert active
    assert all("LIMIT" in text for text in active)


def test_an_exhibition_of_listed_films_reads_them_at_once(visit: Visit, add_film: MakeWalk) -> None:
    films = [add_film() for _ in range(8)]
    visit("exhibition", walk=films[0].id)
    with counted() as few:
        visit("exhibition", walk=films[0].id)
    with counted() as many:
        visit("exhibition", walk=[film.id for film in films])
    assert len(many) == len(few)
