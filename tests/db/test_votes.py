"""Laws of blind votes: one per maker and pair, counted from either side."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from db import curation, votes, walks
from db.clock import utc_now
from db.models import Choice, Vote, Walk
from db.session import reading, writing
from db.votes import Tally
from tests.support.walks import SPEC

EnqueueWalk = Callable[..., Walk]


def cast(url: str, one: Walk, other: Walk, preferred: Walk | None, maker: str = "ada") -> bool:
    chosen = preferred.id if preferred else None
    fields: dict[str, Any] = {"one": one.id, "other": other.id, "preferred": chosen, "maker": maker}
    with writing(url) as session:
        return votes.cast(session=session, **fields)


def tally(url: str, one: Walk, other: Walk, maker: str = "") -> Tally:
    with reading(url) as session:
        return votes.tally(session=session, one=one.id, other=other.id, maker=maker)


def by_pacing(url: str) -> dict[tuple[str, str], Tally]:
    with reading(url) as session:
        return votes.tally_by("pacing", session=session)


def rows(url: str) -> int:
    with reading(url) as session:
        return session.scalar(select(func.count()).select_from(Vote)) or 0


def test_a_pair_is_counted_the_same_from_either_side(url: str, add_film: EnqueueWalk) -> None:
    one, other = add_film(), add_film()
    assert cast(url, one, other, one, "ada")
    assert cast(url, other, one, one, "bob")
    assert cast(url, other, one, other, "cy")
    assert cast(url, one, other, None, "dee")
    assert tally(url, one, other) == Tally(won=2, lost=1, neither=1)
    assert tally(url, other, one) == Tally(won=1, lost=2, neither=1)
    assert tally(url, other, one, "cy") == Tally(won=1)


def test_a_second_vote_takes_the_place_of_the_first(url: str, add_film: EnqueueWalk) -> None:
    one, other = add_film(), add_film()
    cast(url, one, other, one)
    cast(url, other, one, other)
    assert tally(url, one, other) == Tally(lost=1)
    cast(url, one, other, None)
    assert (tally(url, one, other), rows(url)) == (Tally(neither=1), 1)


def test_of_votes_at_once_one_stays(url: str, add_film: EnqueueWalk) -> None:
    one, other = add_film(), add_film()
    with ThreadPoolExecutor(4) as pool:
        counted = list(
            pool.map(lambda turn: cast(url, one, other, (one, other)[turn % 2]), range(12))
        )
    assert all(counted)
    assert rows(url) == 1


def test_only_films_are_voted_on(
    url: str, add_film: EnqueueWalk, enqueue_walk: EnqueueWalk
) -> None:
    film, gone, waiting = add_film(), add_film(), enqueue_walk()
    with writing(url) as session:
        walks.delete(session=session, walk_id=gone.id)
    assert not cast(url, film, waiting, film)
    assert not cast(url, film, gone, None)
    assert rows(url) == 0


def test_a_vote_is_for_one_of_two(url: str, add_film: EnqueueWalk) -> None:
    one, other, third = add_film(), add_film(), add_film()
    with pytest.raises(ValueError, match="no vote for"):
        cast(url, one, other, third)
    with pytest.raises(ValueError, match="no vote for"):
        cast(url, one, one, one)


@pytest.mark.parametrize("place", [0, 1])
def test_votes_go_with_their_walk(url: str, add_film: EnqueueWalk, place: int) -> None:
    pair = add_film(), add_film()
    cast(url, *pair, pair[0])
    with writing(url) as session:
        walks.delete(session=session, walk_id=pair[place].id)
    assert rows(url) == 0


def test_pacings_are_tallied_whichever_side_they_were_on(url: str, add_film: EnqueueWalk) -> None:
    linear, ease = [add_film() for _ in range(6)], [add_film(pacing="ease") for _ in range(6)]
    for one, other in zip(linear, ease, strict=True):
        cast(url, one, other, other)
    cast(url, linear[0], ease[0], None, "bob")
    cast(url, linear[0], ease[0], linear[0], "cy")
    assert by_pacing(url) == {("ease", "linear"): Tally(won=6, lost=1, neither=1)}


@pytest.mark.parametrize(
    "other",
    [
        {"steps": 4},
        {"prompt_weights": True},
        {"stops": [*SPEC["stops"][:1], {"prompt": "a stormy sea", "seed": 8}]},
        {"pacing": "linear"},
    ],
)
def test_films_that_differ_otherwise_say_nothing_of_pacing(
    url: str, add_film: EnqueueWalk, other: dict[str, Any]
) -> None:
    linear, ease = add_film(), add_film(**{"pacing": "ease"} | other)
    cast(url, linear, ease, ease)
    assert by_pacing(url) == {}


def test_interpolations_are_tallied_where_nothing_else_differs(
    url: str, add_film: EnqueueWalk
) -> None:
    lerp, slerp, attention = (
        add_film(interpolation=name, pacing="ease") for name in ("lerp", "slerp", "attention")
    )
    other_pacing = add_film(interpolation="attention", pacing="linear")
    cast(url, lerp, attention, attention)
    cast(url, attention, lerp, attention, maker="bea")
    cast(url, slerp, lerp, None)
    cast(url, lerp, other_pacing, lerp)
    with reading(url) as session:
        counted = votes.tally_by("interpolation", session=session)
        known = votes.pairs_voted_on(
            session=session, maker="ada", among={lerp.id, slerp.id, attention.id}
        )
    assert counted == {("attention", "lerp"): Tally(won=2), ("lerp", "slerp"): Tally(neither=1)}
    assert known == {tuple(sorted((lerp.id, film.id))) for film in (slerp, attention)}
    assert by_pacing(url) == {}


def test_what_has_no_effect_in_two_films_may_differ(url: str, add_film: EnqueueWalk) -> None:
    """A film of a grid may be one that was made before, at another strength of linear pacing."""
    idle: list[dict[str, Any]] = [
        {"strength": 0.8, "guidance": 1.0},
        {"strength": 0.5, "guidance": 0.0, "negative": "a"},
    ]
    for pacing in ("linear", "ease"):
        one, other = (
            add_film(interpolation=name, pacing=pacing, **fields)
            for name, fields in zip(("lerp", "attention"), idle, strict=True)
        )
        cast(url, one, other, other, maker=pacing)
    one, other = (
        add_film(interpolation=name, guidance=4.0, negative=text)
        for name, text in (("lerp", ""), ("attention", "a"))
    )
    cast(url, one, other, one)
    with reading(url) as session:
        assert votes.tally_by("interpolation", session=session) == {
            ("attention", "lerp"): Tally(won=1)
        }


def test_votes_of_a_record_are_few_statements(url: str, add_film: EnqueueWalk) -> None:
    """One by one they kept all other programs from writing for minutes."""
    one, other = sorted((add_film(), add_film()), key=lambda walk: walk.id)
    moment = datetime(2026, 2, 2, tzinfo=UTC)
    ballot = {"left": one.id, "right": other.id, "chosen": Choice.LEFT, "created_at": moment}
    ballots = [ballot | {"maker": str(number)} for number in range(1_000)]
    statements: list[str] = []
    with writing(url) as session:
        listen = (
            session.get_bind(),
            "before_cursor_execute",
            lambda *call: statements.append(call[2]),
        )
        event.listen(*listen)
        assert votes.take_in(session=session, walk_id=one.id, votes=ballots)
        event.remove(*listen)
    assert len(statements) < 20
    with writing(url) as session:
        later = [b | {"chosen": Choice.NONE, "created_at": moment + timedelta(1)} for b in ballots]
        assert votes.take_in(session=session, walk_id=other.id, votes=[*ballots[:1], *later[:1]])
        unknown = ballots[0] | {"left": "0", "right": one.id}
        assert not votes.take_in(session=session, walk_id=one.id, votes=[unknown])
    assert tally(url, one, other) == Tally(won=999, neither=1)


def test_records_of_both_films_that_are_read_at_once_double_no_vote(
    url: str, add_film: EnqueueWalk
) -> None:
    """On PostgreSQL two machines that synced counted a vote twice."""
    one, other = sorted(add_film().id for _ in range(2))
    vote = {"left": one, "right": other, "chosen": "left", "maker": "m", "created_at": utc_now()}
    second_began, second_ended = threading.Event(), threading.Event()

    def take_in(walk_id: str, session: Session) -> None:
        curation.take_in(
            session=session,
            walk_id=walk_id,
            fields={"title": "", "tags": [], "star": False, "notes": ""},
            edit_times={},
            edited_at=None,
            parent=None,
            recorded_votes=[vote],
            record_stored_at=None,
        )

    def read_second() -> None:
        second_began.set()
        with writing(url) as session:
            take_in(other, session)
        second_ended.set()

    thread = threading.Thread(target=read_second)
    with writing(url) as session:
        take_in(one, session)
        thread.start()
        second_began.wait()
        second_ended.wait(0.5)
    thread.join()
    with reading(url) as session:
        assert votes.tally(session=session, one=one, other=other) == (1, 0, 0)
