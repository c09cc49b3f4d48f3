"""Lists of walks read no more than they show."""

from collections.abc import Callable

import pytest
from sqlalchemy.exc import InvalidRequestError

from db import walks
from db.models import Walk
from db.session import reading

EnqueueWalk = Callable[..., Walk]


def test_a_limited_list_has_the_oldest_active_walks(url: str, enqueue_walk: EnqueueWalk) -> None:
    for title in ("first", "second", "third"):
        enqueue_walk(title)
    with reading(url) as session:
        oldest = walks.list_active(session=session, limit=2)
    assert [walk.title for walk in oldest] == ["first", "second"]


@pytest.mark.parametrize("column", ["progress", "troubles", "words", "notes", "tagged"])
def test_what_only_a_films_page_shows_is_not_listed(
    url: str, add_film: EnqueueWalk, column: str
) -> None:
    film = add_film()
    with reading(url) as session:
        (listed,) = walks.list_page(session=session)
        (found,) = walks.find_films(session=session, ids=[film.id]).values()
        assert listed is found
        assert listed.spec == film.spec
        assert listed.files["gif"]
        with pytest.raises(InvalidRequestError):
            getattr(listed, column)


def test_a_list_of_titles_has_no_more(url: str, add_film: EnqueueWalk) -> None:
    film = add_film()
    with reading(url) as session:
        (listed,) = walks.list_page(session=session, only=(Walk.title,))
        assert (listed.id, listed.title) == (film.id, film.title)
        with pytest.raises(InvalidRequestError):
            listed.spec  # noqa: B018 - a read that must fail
