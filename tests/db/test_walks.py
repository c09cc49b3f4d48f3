"""Laws of the history: numbers, pages, search, deletion."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from sqlalchemy import update

from db import walks
from db.models import State, Walk, folded
from db.session import reading, writing

Ask = Callable[..., Walk]


def found(url: str, search: str, **filters: Any) -> list[str]:
    with reading(url) as session:
        titles = [walk.title for walk in walks.page(session=session, search=search, **filters)]
        assert walks.count(session=session, search=search, **filters) == len(titles)
    return titles


def test_no_accession_number_comes_twice(url: str, ask: Ask) -> None:
    numbers = [ask().accession for _ in range(3)]
    with writing(url) as session:
        last = walks.active(session=session)[-1]
        walks.cancel(session=session, walk_id=last.id)
        walks.delete(session=session, walk_id=last.id)
    numbers.append(ask().accession)
    year = last.created_at.year
    assert numbers == [f"ML.{year}.{n:04d}" for n in (1, 2, 3, 4)]


def test_ids_fit_in_urls_and_folders(ask: Ask) -> None:
    ids = {ask().id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(one) == 16 and one.isalnum() and one == one.lower() for one in ids)


def test_failed_enqueue_gives_no_number(url: str, ask: Ask) -> None:
    with pytest.raises(KeyError), writing(url) as session:
        walks.enqueue(session=session, spec={}, digest="d", title="t", frames_total=1)
    assert ask().accession.endswith(".0001")


def test_searched_columns_come_from_the_spec(ask: Ask) -> None:
    walk = ask(pacing="ease", size=512, guidance=2.5)
    assert (walk.pacing, walk.size, walk.guidance, walk.frames) == ("ease", 512, 2.5, 24)


def test_times_are_utc_and_aware(url: str, hang: Ask) -> None:
    hang()
    with reading(url) as session:
        row = walks.page(session=session)[0]
    for moment in (row.created_at, row.started_at, row.finished_at):
        assert moment is not None
        assert moment.tzinfo is UTC


def test_naive_times_are_refused(url: str, ask: Ask) -> None:
    walk = ask()
    with pytest.raises(Exception, match="no time zone"), writing(url) as session:
        session.get_one(Walk, walk.id).created_at = walk.created_at.replace(tzinfo=None)


def test_page_shows_done_walks_newest_first(url: str, ask: Ask, hang: Ask) -> None:
    for title in ("first", "second", "third"):
        hang(title)
    ask("waiting")
    assert found(url, "") == ["third", "second", "first"]


@pytest.mark.parametrize("same_moment", [False, True])
def test_pages_follow_each_other_without_gap(url: str, hang: Ask, same_moment: bool) -> None:
    hung = [hang(str(number)) for number in range(7)]
    if same_moment:
        with writing(url) as session:
            session.execute(update(Walk).values(finished_at=hung[0].created_at))
    seen: list[str] = []
    with reading(url) as session:
        for _ in range(4):
            before = seen[-1] if seen else None
            part = walks.page(session=session, limit=3, before=before)
            seen += [walk.id for walk in part]
        whole = [walk.id for walk in walks.page(session=session, limit=100)]
    assert seen == whole
    assert len(set(seen)) == 7


def test_nothing_comes_before_an_unknown_walk(url: str, hang: Ask, ask: Ask) -> None:
    hang()
    waiting = ask()
    with reading(url) as session:
        assert walks.page(session=session, before="nobody") == []
        assert walks.page(session=session, before=waiting.id) == []


@pytest.mark.parametrize(
    ("search", "titles"),
    [
        ("100%", ["100% red"]),
        ("%", ["100% red"]),
        ("_", ["snake_case"]),
        ("/", ["a/b"]),
        ("cafe NIGHT", ["Café at night"]),
        ("CAFÉ", ["Café at night"]),
        ("night sea", []),
        ("'; DROP TABLE walks; --", []),
        ("   ", ["a/b", "snake_case", "100% red", "Café at night"]),
        ("x" * 100_000, []),
        ("\0\ud800", ["a/b", "snake_case", "100% red", "Café at night"]),
    ],
)
def test_search_means_what_it_says(url: str, hang: Ask, search: str, titles: list[str]) -> None:
    for title in ("Café at night", "100% red", "snake_case", "a/b"):
        hang(title)
    assert found(url, search) == titles


def test_search_reads_notes_and_numbers(url: str, hang: Ask) -> None:
    walk = hang("plain")
    with writing(url) as session:
        session.get_one(Walk, walk.id).notes = "hung by the Stairs"
    assert found(url, "stairs") == ["plain"]
    assert found(url, walk.accession) == ["plain"]


def test_folding_is_stable() -> None:
    assert folded(["  Ça  ET\n", "Straße"]) == folded(["ça et", "STRASSE"]) == "ca et strasse"


def test_filters_and_their_choices(url: str, hang: Ask, ask: Ask) -> None:
    hang("one", pacing="ease")
    hang("two", model="tiny")
    ask("waiting", model="unseen")
    with reading(url) as session:
        assert walks.choices(session=session) == {
            "model": ["atelier", "tiny"],
            "pacing": ["ease", "linear"],
        }
    assert found(url, "", pacing="ease") == ["one"]
    assert found(url, "", model="tiny", pacing="ease") == []


def test_makers_find_their_own(url: str, ask: Ask) -> None:
    ask("old", maker="ada")
    ask("new", maker="ada")
    ask("other", maker="bob")
    with reading(url) as session:
        latest = walks.latest(session=session, maker="ada")
        assert latest is not None
        assert latest.title == "new"
        assert [w.title for w in walks.active(session=session, maker="ada")] == ["old", "new"]
        assert walks.latest(session=session, maker="nobody") is None


def test_same_film_is_a_done_one(url: str, ask: Ask, hang: Ask) -> None:
    hung = hang(digest="red")
    ask(digest="blue")
    with reading(url) as session:
        film = walks.same_film(session=session, digest="red")
        assert film is not None
        assert film.id == hung.id
        assert walks.same_film(session=session, digest="blue") is None


def test_only_what_is_over_is_deleted(url: str, ask: Ask, hang: Ask) -> None:
    hung = hang()
    waiting = ask()
    with writing(url) as session:
        assert walks.delete(session=session, walk_id=waiting.id) is None
        assert walks.delete(session=session, walk_id="nobody") is None
        removed = walks.delete(session=session, walk_id=hung.id)
    assert removed is not None
    assert removed.files == {"gif": "x.gif"}
    with reading(url) as session:
        assert walks.get(session=session, walk_id=hung.id) is None


def test_child_outlives_its_parent(url: str, hang: Ask, ask: Ask) -> None:
    parent = hang()
    child = ask(parent=parent.id)
    assert child.parent == parent.id
    with writing(url) as session:
        walks.delete(session=session, walk_id=parent.id)
    with reading(url) as session:
        row = walks.get(session=session, walk_id=child.id)
    assert row is not None
    assert (row.parent, row.state) == (None, State.QUEUED)
    assert ask(parent=parent.id).parent is None
