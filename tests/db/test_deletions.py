"""Tombstones: a deleted walk never comes back, whoever brings it."""

from collections.abc import Callable
from datetime import UTC, datetime

from db import adoption, deletions, walks
from db.models import Deletion, Walk
from db.session import reading, writing

AddWalk = Callable[..., Walk]


def open_ids(url: str) -> list[str]:
    with reading(url) as session:
        return deletions.list_open(session=session)


def delete(url: str, walk: Walk) -> None:
    with writing(url) as session:
        assert walks.delete(session=session, walk_id=walk.id) is not None


def test_deleting_a_walk_leaves_a_tombstone_with_its_number(url: str, add_film: AddWalk) -> None:
    walk, other = add_film(), add_film()
    delete(url, walk)
    with reading(url) as session:
        tombstone = session.get_one(Deletion, walk.id)
        assert (tombstone.accession, tombstone.files_deleted_at) == (walk.accession, None)
        assert deletions.is_deleted(session=session, walk_id=walk.id)
        assert not deletions.is_deleted(session=session, walk_id=other.id)
        ids = [walk.id, other.id, "unknown"]
        assert deletions.list_of(session=session, ids=ids) == [tombstone]
    assert open_ids(url) == [walk.id]


def test_what_is_refused_leaves_no_tombstone(url: str, enqueue_walk: AddWalk) -> None:
    walk = enqueue_walk()
    with writing(url) as session:
        assert walks.delete(session=session, walk_id=walk.id) is None
        assert walks.delete(session=session, walk_id="unknown") is None
    assert open_ids(url) == []


def test_a_failed_transaction_deletes_nothing_and_leaves_no_tombstone(
    url: str, add_film: AddWalk
) -> None:
    walk = add_film()
    try:
        with writing(url) as session:
            walks.delete(session=session, walk_id=walk.id)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert open_ids(url) == []
    with reading(url) as session:
        assert walks.get(session=session, walk_id=walk.id) is not None


def test_a_tombstone_stays_when_the_files_are_gone_and_can_be_opened_again(
    url: str, add_film: AddWalk
) -> None:
    walk = add_film()
    delete(url, walk)
    with writing(url) as session:
        deletions.close(session=session, walk_id=walk.id)
    assert open_ids(url) == []
    with writing(url) as session:
        assert deletions.is_deleted(session=session, walk_id=walk.id)
        deletions.reopen(session=session, walk_id=walk.id)
    assert open_ids(url) == [walk.id]


def test_a_deleted_walk_is_not_adopted(url: str, add_film: AddWalk) -> None:
    walk = add_film()
    delete(url, walk)
    with writing(url) as session:
        moment = datetime.now(UTC)
        adopted = adoption.adopt(session=session, walk_id=walk.id, title="a", finished_at=moment)
        assert adopted is None


def test_a_row_outweighs_its_tombstone(url: str, add_film: AddWalk) -> None:
    """The previous release may take a deleted walk in: its files are shown, so they stay."""
    walk = add_film()
    with writing(url) as session:
        deletions.add(session=session, walk_id=walk.id)
        assert not deletions.is_deleted(session=session, walk_id=walk.id)
    assert open_ids(url) == []
    delete(url, walk)
    assert open_ids(url) == [walk.id]
