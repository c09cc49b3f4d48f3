"""Pictures on their way from visitors to workers: kept while they are needed, on both databases."""

from datetime import timedelta

import pytest

from db import stop_pictures
from db.clock import utc_now
from db.models import StopPicture, Walk
from db.session import reading, writing
from tests.support.walks import enqueue_walk

DATA = b"RIFF\x00"
DIGESTS = ["a" * 64, "b" * 64, "c" * 64]


def keep(url: str, digest: str) -> None:
    with writing(url) as session:
        stop_pictures.keep(session=session, digest=digest, data=DATA, width=3, height=2)


def age(url: str, digest: str, by: timedelta = stop_pictures.KEPT + timedelta(hours=1)) -> None:
    """Make a picture's last use that long ago."""
    with writing(url) as session:
        session.get_one(StopPicture, digest).used_at = utc_now() - by


def kept(url: str) -> list[str]:
    with reading(url) as session:
        return [d for d in DIGESTS if stop_pictures.find(session=session, digest=d)]


def test_a_picture_is_found_by_its_digest(url: str) -> None:
    keep(url, DIGESTS[0])
    keep(url, DIGESTS[0])
    with reading(url) as session:
        assert stop_pictures.find(session=session, digest=DIGESTS[0]) == DATA
        assert stop_pictures.find(session=session, digest=DIGESTS[1]) is None


def test_what_is_not_used_goes_but_not_what_a_walk_in_the_queue_needs(url: str) -> None:
    for digest in DIGESTS:
        keep(url, digest)
    stops = [{"prompt": "", "seed": 7, "image": {"digest": DIGESTS[0]}}, {"prompt": "a", "seed": 7}]
    enqueue_walk(url, stops=stops)
    for digest in DIGESTS[:2]:
        age(url, digest)
    keep(url, DIGESTS[2])
    assert kept(url) == [DIGESTS[0], DIGESTS[2]]


@pytest.mark.parametrize("most", ["MOST", "MOST_BYTES"])
def test_of_too_many_those_go_that_were_used_first(
    most: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two thousand of a visitor's own brought 4 GB into the history, and into its backups."""
    monkeypatch.setattr(stop_pictures, most, {"MOST": 2, "MOST_BYTES": 2 * len(DATA)}[most])
    for digest in DIGESTS[:2]:
        keep(url, digest)
    age(url, DIGESTS[0], timedelta(hours=2))
    age(url, DIGESTS[1], timedelta(hours=3))
    keep(url, DIGESTS[2])
    assert kept(url) == [DIGESTS[0], DIGESTS[2]]


def test_a_deleted_walk_takes_its_picture_along_unless_another_has_it(url: str) -> None:
    for digest in DIGESTS:
        keep(url, digest)
        age(url, digest, timedelta(hours=2))
    stops = [{"prompt": "", "seed": 7, "image": {"digest": d}} for d in DIGESTS[:2]]
    walk = enqueue_walk(url, stops=stops)
    enqueue_walk(url, stops=[stops[1], {"prompt": "a", "seed": 7}])
    with writing(url) as session:
        session.delete(session.get_one(Walk, walk.id))
        session.flush()
        assert stop_pictures.forget(session=session, spec=walk.spec) == {DIGESTS[0]}
    assert kept(url) == DIGESTS[1:]


def test_a_picture_that_was_just_chosen_stays_for_the_next_walk(url: str) -> None:
    keep(url, DIGESTS[0])
    with writing(url) as session:
        spec = {"stops": [{"image": {"digest": DIGESTS[0]}}]}
        assert stop_pictures.forget(session=session, spec=spec) == {DIGESTS[0]}
    assert kept(url) == DIGESTS[:1]
