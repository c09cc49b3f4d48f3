"""Laws of films that are made again: the row never ends worse than it was, and nobody waits."""

from collections.abc import Callable
from typing import Any

import pytest

from db import deaths, queue, queue_limits, repair, walks
from db.models import State, Walk
from db.queue_limits import QueueLimits
from db.session import reading, writing

Make = Callable[..., Walk]
FILES = {"gif": "saved_predictions/w/a.gif", "poster": "saved_predictions/w/poster.webp"}


def read(url: str, walk: Walk) -> Walk:
    with reading(url) as session:
        return session.get_one(Walk, walk.id)


def queue_again(url: str, walk: Walk) -> bool:
    with writing(url) as session:
        return repair.queue_again(session=session, walk_id=walk.id)


def claim(url: str) -> dict[str, Any]:
    with writing(url) as session:
        walk = queue.claim(session=session, owner="worker", lease_seconds=60)
    assert walk is not None
    return {"walk_id": walk.id, "owner": walk.owner, "attempt": walk.attempt}


@pytest.fixture
def lost(url: str, add_film: Make) -> Walk:
    """A film that hung in the Gallery and is in the queue again."""
    walk = add_film(maker="ada", result={"files": FILES, "bytes": 9, "sha256": "5a" * 32})
    before = read(url, walk)
    assert queue_again(url, walk)
    return before


def test_walk_in_the_queue_again_keeps_its_files_and_its_date(url: str, lost: Walk) -> None:
    row = read(url, lost)
    assert (row.state, row.files, row.finished_at) == (State.QUEUED, FILES, lost.finished_at)
    assert (row.sha256, row.bytes, row.accession) == (lost.sha256, lost.bytes, lost.accession)


def test_only_a_hanging_film_is_made_again(url: str, enqueue_walk: Make, lost: Walk) -> None:
    assert not queue_again(url, enqueue_walk())
    assert not queue_again(url, lost)


def fail(url: str, walk: Walk) -> None:
    lease = claim(url)
    with writing(url) as session:
        assert queue.fail(session=session, **lease, error="The model is gone.")


def cancel_queued(url: str, walk: Walk) -> None:
    with writing(url) as session:
        assert walks.cancel(session=session, walk_id=walk.id)


def cancel_running(url: str, walk: Walk) -> None:
    lease = claim(url)
    cancel_queued(url, walk)
    with writing(url) as session:
        assert queue.confirm_cancel(session=session, **lease)


def die_cancelled(url: str, walk: Walk) -> None:
    claim(url)
    cancel_queued(url, walk)
    with writing(url) as session:
        queue.reclaim_from(session=session, owner="worker")


def die_three_times(url: str, walk: Walk) -> None:
    for _ in range(deaths.MAX_DEATHS):
        claim(url)
        with writing(url) as session:
            queue.reclaim_from(session=session, owner="worker")


@pytest.mark.parametrize(
    "end", [fail, cancel_queued, cancel_running, die_cancelled, die_three_times]
)
def test_film_hangs_as_before_when_it_could_not_be_made_again(
    url: str, lost: Walk, end: Callable[[str, Walk], None]
) -> None:
    end(url, lost)
    row = read(url, lost)
    assert (row.state, row.files, row.finished_at) == (State.DONE, FILES, lost.finished_at)
    with reading(url) as session:
        assert [walk.id for walk in walks.list_page(session=session)] == [lost.id]


def test_new_film_takes_the_place_of_the_lost_one(url: str, lost: Walk) -> None:
    lease, files = claim(url), FILES | {"gif": "saved_predictions/w/b.gif"}
    with writing(url) as session:
        assert queue.finish(session=session, **lease, result={"files": files})
    row = read(url, lost)
    assert (row.state, row.files, row.finished_at) == (State.DONE, files, lost.finished_at)


def test_a_first_rendering_that_fails_is_failed(url: str, enqueue_walk: Make) -> None:
    walk = enqueue_walk()
    fail(url, walk)
    assert read(url, walk).state is State.FAILED


def test_curators_do_not_wait_behind_films_that_are_made_again(
    url: str, add_film: Make, enqueue_walk: Make
) -> None:
    """Walks that were queued again had the oldest turns, and all went first."""
    films = [add_film(maker=maker, result={"files": FILES}) for maker in ("ada", "ada", "bob")]
    waiting = enqueue_walk(maker="cleo")
    for film in films:
        assert queue_again(url, film)
    first = claim(url)["walk_id"]
    live = [enqueue_walk(maker=maker) for maker in ("ada", "dora")]
    served = [claim(url)["walk_id"] for _ in range(5)]
    assert first == waiting.id
    assert set(served[:2]) == {walk.id for walk in live}
    assert served[2:] == [film.id for film in films]


def test_a_curator_waits_for_one_film_that_is_made_again_at_most(
    url: str, add_film: Make, enqueue_walk: Make
) -> None:
    films = [add_film(maker="ada", result={"files": FILES}) for _ in range(4)]
    for film in films:
        queue_again(url, film)
    claim(url)
    live = enqueue_walk(maker="ada")
    assert claim(url)["walk_id"] == live.id


@pytest.mark.parametrize("state", [State.QUEUED, State.FAILED])
def test_found_film_is_taken_back(url: str, add_film: Make, state: State) -> None:
    """Earlier versions emptied the files of a walk that was made again."""
    walk = add_film(result={"files": FILES, "sha256": "5a" * 32})
    with writing(url) as session:
        row = session.get_one(Walk, walk.id)
        row.state, row.files, row.finished_at, row.error = state, {}, None, "It is lost."
        row.cancel_requested = True
    moment = walk.created_at
    with writing(url) as session:
        assert repair.take_back(
            session=session,
            walk_id=walk.id,
            state=state,
            finished_at=moment,
            result={"files": FILES, "bytes": 7, "frames": 24},
        )
    row = read(url, walk)
    assert (row.state, row.files, row.bytes, row.finished_at) == (State.DONE, FILES, 7, moment)
    assert (row.error, row.cancel_requested) == ("", False)


def test_film_is_not_taken_back_from_a_worker(url: str, lost: Walk) -> None:
    claim(url)
    with writing(url) as session:
        assert not repair.take_back(
            session=session, walk_id=lost.id, state=State.QUEUED, finished_at=lost.created_at
        )
    assert read(url, lost).state is State.RUNNING


def test_films_that_are_made_again_take_no_place_of_their_makers(
    url: str, add_film: Make, enqueue_walk: Make
) -> None:
    for film in [add_film(maker="ada", result={"files": FILES}) for _ in range(3)]:
        queue_again(url, film)
    limits = QueueLimits(each=1, address=1, total=1)
    with writing(url) as session:
        queue_limits.check(session=session, limits=limits, maker="ada", origin="here")
