"""Films reach the storage at once or wait in the outbox, complete and once."""

import json
from pathlib import Path

import pytest

from momalisa.errors import StorageError
from momalisa.storage import film_key
from momalisa.storage.outbox import File, Outbox, deliver_film
from tests.support.outbox import UnreliableBucket, film_files, stored_bytes


@pytest.fixture
def bucket(tmp_path: Path) -> UnreliableBucket:
    return UnreliableBucket(tmp_path / "bucket")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def test_film_goes_straight_into_a_storage_in_reach(
    bucket: UnreliableBucket, outbox: Outbox
) -> None:
    assert deliver_film(film_files(), bucket, outbox) is False
    assert stored_bytes(bucket) == dict(film_files())
    assert outbox.walk_ids() == []


def test_film_waits_when_the_storage_is_away(bucket: UnreliableBucket, outbox: Outbox) -> None:
    bucket.away = True
    assert deliver_film(film_files(), bucket, outbox) is True
    assert stored_bytes(outbox.films) == dict(film_files())
    assert [file.key for file in outbox.files("w1")][-1].endswith("walk.json")


def test_without_an_outbox_a_storage_that_is_away_is_an_error(bucket: UnreliableBucket) -> None:
    bucket.away = True
    with pytest.raises(StorageError, match="away"):
        deliver_film(film_files(), bucket, None)


def test_storage_that_was_away_a_moment_ago_is_not_tried_again(
    bucket: UnreliableBucket, outbox: Outbox
) -> None:
    bucket.away = True
    deliver_film(film_files("w1"), bucket, outbox)
    bucket.away = False
    assert deliver_film(film_files("w2"), bucket, outbox) is True


def test_record_is_stored_last(bucket: UnreliableBucket, outbox: Outbox) -> None:
    """A film of which something is missing must not look complete."""
    bucket.refused = "film.gif"
    deliver_film(film_files(), bucket, outbox)
    assert not bucket.exists(film_key("w1", "walk.json"))


def test_second_attempt_keeps_the_first_ones_record_and_checks_the_film(
    bucket: UnreliableBucket, outbox: Outbox
) -> None:
    deliver_film(film_files(), bucket, outbox)
    again = [File(file.key, b"other") for file in film_files()]
    deliver_film([again[0], film_files()[1], again[2]], bucket, outbox)
    assert stored_bytes(bucket) == dict(film_files())
    assert deliver_film(again, bucket, outbox) is True, "another film under the same name"
    assert stored_bytes(bucket) == dict(film_files())


def test_record_of_a_lost_film_makes_room_for_that_of_the_new_one(
    bucket: UnreliableBucket, outbox: Outbox
) -> None:
    """A history that was rebuilt just then took the new film for a damaged one."""
    lost = {"result": {"files": {"gif": film_key("w1", "lost.gif")}}}
    bucket.put(film_key("w1", "walk.json"), json.dumps(lost).encode(), "application/json")
    deliver_film(film_files(), bucket, outbox)
    assert stored_bytes(bucket) == dict(film_files())


def test_incomplete_film_does_not_count(outbox: Outbox) -> None:
    outbox.films.put(film_key("w1", "film.gif"), b"film", "image/gif")
    assert outbox.walk_ids() == []
