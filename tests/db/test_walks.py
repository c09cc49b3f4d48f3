"""Laws of walks: accession numbers, titles, tags, adopted films, deletion."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from db import adoption, curation, gallery_query, queue, walks
from db.models import State, Tag, Walk
from db.session import reading, writing
from db.text import normalize_words
from tests.support.walks import SPEC

EnqueueWalk = Callable[..., Walk]
THEN = datetime(2024, 5, 1, 12, tzinfo=UTC)


def adopt(url: str, walk_id: str = "found", **other: Any) -> Walk | None:
    fields: dict[str, Any] = {"title": "a film", "finished_at": THEN} | other
    with writing(url) as session:
        return adoption.adopt(session=session, walk_id=walk_id, **fields)


def tag(url: str, walk: Walk, *names: str) -> list[str]:
    with writing(url) as session:
        return curation.set_tags(session=session, walk_id=walk.id, tags=names)


def tags_left(url: str) -> int:
    with reading(url) as session:
        return session.scalar(select(func.count()).select_from(Tag)) or 0


def test_no_accession_number_comes_twice(url: str, enqueue_walk: EnqueueWalk) -> None:
    numbers = [enqueue_walk().accession for _ in range(3)]
    with writing(url) as session:
        last = walks.list_active(session=session)[-1]
        walks.cancel(session=session, walk_id=last.id)
        walks.delete(session=session, walk_id=last.id)
    numbers.append(enqueue_walk().accession)
    year = last.created_at.year
    assert numbers == [f"ML.{year}.{n:04d}" for n in (1, 2, 3, 4)]


def test_ids_fit_in_urls_and_folders(enqueue_walk: EnqueueWalk) -> None:
    ids = {enqueue_walk().id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(one) == 16 and one.isalnum() and one == one.lower() for one in ids)


def test_failed_enqueue_gives_no_number(url: str, enqueue_walk: EnqueueWalk) -> None:
    with pytest.raises(KeyError), writing(url) as session:
        walks.enqueue(session=session, spec={}, digest="d", title="t", frames_total=1)
    assert enqueue_walk().accession.endswith(".0001")


def test_searched_columns_come_from_the_spec(enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk(pacing="ease", size=512, guidance=2.5)
    assert (walk.pacing, walk.size, walk.guidance, walk.frames) == ("ease", 512, 2.5, 24)


def test_times_are_utc_and_aware(url: str, add_film: EnqueueWalk) -> None:
    add_film()
    with reading(url) as session:
        row = walks.list_page(session=session)[0]
    for moment in (row.created_at, row.started_at, row.finished_at):
        assert moment is not None
        assert moment.tzinfo is UTC


def test_naive_times_are_refused(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    with pytest.raises(Exception, match="no time zone"), writing(url) as session:
        session.get_one(Walk, walk.id).created_at = walk.created_at.replace(tzinfo=None)


def test_folding_is_stable() -> None:
    assert (
        normalize_words(["  Ça  ET\n", "Straße"])
        == normalize_words(["ça et", "STRASSE"])
        == "ca et strasse"
    )


def test_makers_find_their_own(url: str, enqueue_walk: EnqueueWalk) -> None:
    enqueue_walk("old", maker="ada")
    enqueue_walk("new", maker="ada")
    enqueue_walk("other", maker="bob")
    with reading(url) as session:
        assert [w.title for w in walks.list_active(session=session, maker="ada")] == ["old", "new"]


def test_same_film_is_a_done_one(
    url: str, enqueue_walk: EnqueueWalk, add_film: EnqueueWalk
) -> None:
    film_walk = add_film(digest="red")
    enqueue_walk(digest="blue")
    with reading(url) as session:
        films = walks.list_same_films(session=session, digest="red")
        assert [film.id for film in films] == [film_walk.id]
        assert walks.list_same_films(session=session, digest="blue") == []


def test_same_film_is_by_the_same_weights_as_far_as_they_are_known(
    url: str, add_film: EnqueueWalk
) -> None:
    unknown_weights, known_weights = add_film(digest="red"), add_film(digest="blue")
    with writing(url) as session:
        session.get_one(Walk, known_weights.id).model_digest = "older"
    with reading(url) as session:
        for digest, weights, expected in (
            ("red", "newer", [unknown_weights.id]),
            ("blue", "older", [known_weights.id]),
            ("blue", "newer", []),
        ):
            films = walks.list_same_films(session=session, digest=digest, model_digest=weights)
            assert [film.id for film in films] == expected


def test_only_what_is_over_is_deleted(
    url: str, enqueue_walk: EnqueueWalk, add_film: EnqueueWalk
) -> None:
    film_walk = add_film()
    waiting = enqueue_walk()
    with writing(url) as session:
        assert walks.delete(session=session, walk_id=waiting.id) is None
        assert walks.delete(session=session, walk_id="no such walk") is None
        removed = walks.delete(session=session, walk_id=film_walk.id)
    assert removed is not None
    assert removed.files == {"gif": "x.gif"}
    with reading(url) as session:
        assert walks.get(session=session, walk_id=film_walk.id) is None


def test_child_outlives_its_parent(
    url: str, add_film: EnqueueWalk, enqueue_walk: EnqueueWalk
) -> None:
    parent = add_film()
    child = enqueue_walk(parent=parent.id)
    assert child.parent == parent.id
    with writing(url) as session:
        walks.delete(session=session, walk_id=parent.id)
    with reading(url) as session:
        row = walks.get(session=session, walk_id=child.id)
    assert row is not None
    assert (row.parent, row.state) == (None, State.QUEUED)
    assert enqueue_walk(parent=parent.id).parent is None


def test_tags_are_plain_words_without_repetition(url: str, add_film: EnqueueWalk) -> None:
    walk = add_film()
    assert tag(url, walk, " Blue  sky", "blue sky", "", "\n\0", "x" * 99) == ["blue sky", "x" * 64]
    assert tag(url, walk, "sea", "blue sky") == ["blue sky", "sea"]
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).tags == ["blue sky", "sea"]
    assert tag(url, walk) == []
    assert tags_left(url) == 0


def test_tags_of_a_missing_walk_raise(url: str) -> None:
    with pytest.raises(KeyError), writing(url) as session:
        curation.set_tags(session=session, walk_id="no such walk", tags=["red"])


def test_tags_go_with_their_walk(url: str, add_film: EnqueueWalk) -> None:
    walk = add_film()
    tag(url, walk, "red")
    with writing(url) as session:
        walks.delete(session=session, walk_id=walk.id)
    assert tags_left(url) == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Night \n walk ", "Night walk"),
        ("a\0b", "ab"),
        ("x" * 501, "x" * 500),
        (" \0 ", "square to sea"),
    ],
)
def test_title_is_one_plain_line_and_never_blank(
    url: str, add_film: EnqueueWalk, given: str, kept: str
) -> None:
    walk = add_film("square to sea")
    with writing(url) as session:
        assert curation.set_title(session=session, walk_id=walk.id, title=given) == kept
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).title == kept


def test_search_and_order_follow_a_new_title(url: str, add_film: EnqueueWalk) -> None:
    add_film("b")
    walk = add_film("square to sea")
    with writing(url) as session:
        curation.set_title(session=session, walk_id=walk.id, title="Abendgang")
    with reading(url) as session:
        assert [w.id for w in walks.list_page(session=session, search="abend")] == [walk.id]
        assert walks.count(session=session, search="square to") == 0
        assert walks.list_page(session=session, sort="title")[0].id == walk.id


def test_title_of_a_missing_walk_raises(url: str) -> None:
    with pytest.raises(KeyError), writing(url) as session:
        curation.set_title(session=session, walk_id="no such walk", title="x")


def test_film_that_waits_for_storage_is_done_and_listed(url: str, add_film: EnqueueWalk) -> None:
    add_film()
    walk = add_film(waiting=True)
    with writing(url) as session:
        assert [one.id for one in walks.list_page(session=session, waiting=True)] == [walk.id]
        assert queue.mark_stored(session=session, walk_id=walk.id)
        assert not queue.mark_stored(session=session, walk_id=walk.id)
        assert walks.list_page(session=session, waiting=True) == []


def test_adopted_walk_is_the_walk_it_was(url: str) -> None:
    fields: dict[str, Any] = {
        "spec": SPEC,
        "digest": "d1",
        "accession": "ML.2024.0042",
        "result": {"files": {"gif": "a.gif"}, "evenness": 0.5, "frames": 24, "unheard": "of"},
        "notes": "found again",
        "star": True,
        "tags": ["Red"],
    }
    adopt(url, **fields)
    with reading(url) as session:
        walk = session.get_one(Walk, "found")
        assert [one.id for one in walks.list_page(session=session, search="stormy")] == ["found"]
    assert (walk.accession, walk.state, walk.finished_at) == ("ML.2024.0042", State.DONE, THEN)
    assert (walk.spec, walk.pacing, walk.frames_total) == (SPEC, "linear", 24)
    assert (walk.files, walk.evenness, walk.star, walk.tags) == (
        {"gif": "a.gif"},
        0.5,
        True,
        ["red"],
    )


def test_film_of_another_program_has_blank_settings(url: str) -> None:
    walk = adopt(url, "b6ee1c3e-6f4f-4f0e-9d5a-0d2f6f0f3a11", title="dog to cat")
    assert walk is not None
    assert (walk.accession, walk.spec, walk.model, walk.prompts) == ("ML.2024.0001", {}, "", [])
    with reading(url) as session:
        assert gallery_query.list_filter_values(session=session) == {
            "model": [],
            "pacing": [],
            "tag": [],
            "museum": [],
            "artist": [],
        }
        assert [row["title"] for row in walks.export(session=session)] == ["dog to cat"]


def test_adopting_twice_changes_nothing(url: str, add_film: EnqueueWalk) -> None:
    film_walk = add_film("first")
    assert adopt(url, film_walk.id, title="second") is None
    with reading(url) as session:
        assert session.get_one(Walk, film_walk.id).title == "first"


def test_adopted_number_is_kept_or_replaced_but_never_given_twice(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    year = enqueue_walk().created_at.year
    numbers = [
        walk.accession
        for walk_id, number in (
            ("a", f"ML.{year}.0007"),
            ("b", f"ML.{year}.0007"),
            ("c", f"ML.{year}.0001"),
            ("d", "ML.1.'; --"),
        )
        if (walk := adopt(url, walk_id, accession=number))
    ]
    assert numbers == [f"ML.{year}.0007", "ML.2024.0001", "ML.2024.0002", "ML.2024.0003"]
    assert enqueue_walk().accession == f"ML.{year}.0008"


def test_only_existing_ids_are_found(
    url: str, enqueue_walk: EnqueueWalk, add_film: EnqueueWalk
) -> None:
    ids = {enqueue_walk().id, adopt(url).id}  # type: ignore[union-attr]
    with reading(url) as session:
        assert walks.find_existing_ids(session=session, ids=[*ids, *map(str, range(2000))]) == ids
        assert walks.find_existing_ids(session=session, ids=[]) == set()


def test_export_is_flat_and_complete(
    url: str, add_film: EnqueueWalk, enqueue_walk: EnqueueWalk
) -> None:
    walk = add_film('Ünïcode, "quoted"')
    tag(url, walk, "sea", "red")
    enqueue_walk("waiting")
    with reading(url) as session:
        [row] = walks.export(session=session)
    assert row["id"] == walk.id
    assert (row["title"], row["tags"]) == ('Ünïcode, "quoted"', "red, sea")
    assert (row["prompts"], row["seeds"]) == ("a red square → a stormy sea", "7, 7")
    assert row["file"] == "x.gif"
    assert all(isinstance(value, str | int | float | None) for value in row.values())


def test_concurrent_walks_get_different_numbers(url: str, enqueue_walk: EnqueueWalk) -> None:
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda _: enqueue_walk().accession, range(24)))
    assert sorted(number[-4:] for number in numbers) == [f"{n:04d}" for n in range(1, 25)]


@pytest.mark.parametrize("odd", ["\0", "a\0b", "../..", "'; DROP TABLE walks; --", "x" * 10_000])
def test_odd_ids_lead_nowhere(url: str, add_film: EnqueueWalk, odd: str) -> None:
    add_film()
    with writing(url) as session:
        assert walks.get(session=session, walk_id=odd) is None
        assert walks.list_page(session=session, before=odd) == []
        assert walks.list_page(session=session, model=odd, tags=[odd]) == []
        assert walks.get_queue_position(session=session, walk_id=odd) == 0
        assert not walks.cancel(session=session, walk_id=odd)
        assert walks.delete(session=session, walk_id=odd) is None
        assert walks.count(session=session) == 1


def test_notes_may_hold_anything_that_is_typed(url: str, add_film: EnqueueWalk) -> None:
    walk = add_film()
    with writing(url) as session:
        session.get_one(Walk, walk.id).notes = "<b>\0'\"; % _ \\ 赤 ✓" + "long " * 50_000
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).notes.startswith("<b>")
        assert [w.id for w in walks.list_page(session=session, search="赤 long")] == [walk.id]
