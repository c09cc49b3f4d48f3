"""Frames of one walk alone are told from those that others share."""

from collections.abc import Callable

from sqlalchemy import select

from db import frame_keys
from db.models import Still, Walk
from db.session import reading, writing
from tests.support.walks import SPEC

EnqueueWalk = Callable[..., Walk]


def stops(*prompts: str) -> list[dict[str, object]]:
    return [{"prompt": prompt, "seed": 7} for prompt in prompts]


def add(url: str, enqueue_walk: EnqueueWalk, keys: str, *prompts: str, **fields: object) -> Walk:
    """Add a walk that refers to frames with these keys, a letter each."""
    walk = enqueue_walk(stops=stops(*prompts), **fields)
    with writing(url) as session:
        session.get_one(Walk, walk.id).progress = [[n, key] for n, key in enumerate(keys)]
    return walk


def own(url: str, walk: Walk) -> str:
    with reading(url) as session:
        found = frame_keys.find_own_frames(session=session, walk=session.get_one(Walk, walk.id))
    return "".join(sorted(found))


def test_shared_frames_are_another_walks_too(url: str, enqueue_walk: EnqueueWalk) -> None:
    first = add(url, enqueue_walk, "abcd", "Ein Café!", "a sea")
    second = add(url, enqueue_walk, "cde", "a hill", "Ein Café!")
    third = add(url, enqueue_walk, "", "…", "!!!")
    assert (own(url, first), own(url, second), own(url, third)) == ("ab", "e", "")


def test_walks_of_other_settings_share_nothing(url: str, enqueue_walk: EnqueueWalk) -> None:
    """They are not even read: keys of other sizes are other keys."""
    first = add(url, enqueue_walk, "ab", "a fox", "a sea")
    add(url, enqueue_walk, "ab", "a fox", "a sea", size=512)
    add(url, enqueue_walk, "ab", "a hill", "a moon")
    assert own(url, first) == "ab"


def test_prompts_without_words_are_compared_as_well(url: str, enqueue_walk: EnqueueWalk) -> None:
    first = add(url, enqueue_walk, "abc", "!!!", "???")
    add(url, enqueue_walk, "bc", "!!!", "a sea")
    assert own(url, first) == "a"


def test_answers_with_dropped_frames_are_forgotten(url: str) -> None:
    with writing(url) as session:
        for key in ("a", "b"):
            still = Still(question=key, spec=SPEC, model="atelier", leg=0, t=0.5, key=key)
            session.add(still)
        session.flush()
        frame_keys.forget_stills(session=session, keys=["a", "x"])
        assert session.scalars(select(Still.key)).all() == ["b"]
