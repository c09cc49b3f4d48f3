"""The walk shown on Create: unfinished, finished, and what can follow it."""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from db import queue
from db.clock import utc_now
from db.models import State
from db.session import writing
from momalisa.settings import settings
from momalisa.ui import history, submit
from momalisa.ui.create import progress
from tests.support.pages import (
    WALK,
    MakeWalk,
    UpdateWalk,
    Visit,
    all_text,
    all_walks,
    claim_walk,
    component_data,
    form_prompts,
    press,
    stored_walk,
    texts,
    type_prompts,
    widget,
)


def test_the_filmstrip_shows_the_finished_frames(visit: Visit, enqueue_walk: MakeWalk) -> None:
    walk = enqueue_walk(frames=24)
    with writing(settings().database) as session:
        queue.renew_lease(
            session=session,
            **claim_walk(),
            lease_seconds=60,
            stage="frames",
            progress=[
                [0, "a" * 64],
                [23, "b" * 64],
                [12, "c" * 64, "rough"],
                [23, "d" * 64, "replaced"],
            ],
        )
    at = visit("create", walk=walk.id)
    strip = component_data(at, "filmstrip")
    assert strip["total"] == 24
    assert strip["frames"] == [
        [0, f"/pictures/frames/{'a' * 64}.png", False],
        [23, f"/pictures/frames/{'b' * 64}.png", False],
        [12, f"/pictures/frames/{'c' * 64}.png", True],
    ]
    assert any(text.startswith("Frame 2 of 24") for text in texts(at))


def test_a_walk_that_stands_still_says_so(visit: Visit, enqueue_walk: MakeWalk) -> None:
    walk = enqueue_walk(frames=24)
    with writing(settings().database) as session:
        progress = [[0, "a" * 64]]
        lease = claim_walk()
        queue.renew_lease(
            session=session, **lease, lease_seconds=60, stage="frames", progress=progress
        )
    at = visit("create", walk=walk.id)
    assert not any("Nothing has moved" in text for text in texts(at))
    at.session_state[f"moved_{walk.id}"] = (
        at.session_state[f"moved_{walk.id}"][0],
        time.monotonic() - 7200,
    )
    assert any("Nothing has moved for about 2 h" in text for text in texts(at.run()))


def test_a_walk_whose_worker_died_says_so(enqueue_walk: MakeWalk) -> None:
    """It was said to be next in the queue, again and again where the memory does not do."""
    walk = enqueue_walk()
    claim_walk()
    with writing(settings().database) as session:
        queue.reclaim_from(session=session, owner="test")
    assert "perhaps for lack of memory" in progress.describe_status(stored_walk(walk.id))


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(hours=-3)])
def test_times_are_told_by_the_clock_of_the_history(
    enqueue_walk: MakeWalk,
    update_walk: UpdateWalk,
    monkeypatch: pytest.MonkeyPatch,
    ahead: timedelta,
) -> None:
    """A history in PostgreSQL has its own, which may differ from that of the web machine."""
    monkeypatch.setattr(history, "database_now", lambda _session: utc_now() + ahead)
    there, walk = utc_now() + ahead, enqueue_walk(frames=24)
    update_walk(walk, created_at=there - timedelta(seconds=10))
    assert not progress._waits_too_long(stored_walk(walk.id))
    update_walk(walk, not_before=there + timedelta(seconds=30))
    assert progress.describe_status(stored_walk(walk.id)).endswith("it goes on in about 30 s")
    started, made = there - timedelta(seconds=60), [[place, "a" * 64] for place in range(12)]
    update_walk(
        walk,
        state=State.RUNNING,
        stage="frames",
        not_before=None,
        started_at=started,
        progress=made,
    )
    assert progress.describe_status(stored_walk(walk.id)) == "Frame 12 of 24, about 60 s left"


def test_the_film_is_shown_as_soon_as_it_is_cut(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not a second later, when the page would look again."""
    walk = add_film()
    update_walk(walk, state=State.RUNNING, stage="film")

    def sleep(_seconds: float) -> None:
        update_walk(walk, state=State.DONE, stage="")

    monkeypatch.setattr(progress, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
    assert component_data(visit("create", walk=walk.id), "player")


@pytest.mark.parametrize(("age", "looks"), [(timedelta(seconds=1), 3), (timedelta(seconds=60), 0)])
def test_a_walk_that_was_just_taken_up_is_looked_at_closely(
    visit: Visit,
    enqueue_walk: MakeWalk,
    update_walk: UpdateWalk,
    monkeypatch: pytest.MonkeyPatch,
    age: timedelta,
    looks: int,
) -> None:
    """Quick walks become films between two looks; others would keep the page running."""
    enqueue_walk()
    walk = stored_walk(claim_walk()["walk_id"])
    update_walk(walk, started_at=datetime.now(UTC) - age)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == looks:
            update_walk(walk, state=State.DONE, stage="")

    # A clock of its own: on a busy machine the time until the next run would be over too soon.
    clock = SimpleNamespace(sleep=sleep, monotonic=lambda: sum(pauses))
    monkeypatch.setattr(progress, "time", clock)
    found = progress._look_closely(stored_walk(walk.id), runs_alone=True)
    assert (found.state.is_final, len(pauses)) == (looks > 0, looks)


def test_a_queued_walk_is_cancelled_at_once(visit: Visit, enqueue_walk: MakeWalk) -> None:
    walk = enqueue_walk()
    at = press(visit("create", walk=walk.id), "Cancel")
    assert stored_walk(walk.id).state is State.CANCELLED
    assert "Called off" in all_text(at)


def test_a_failed_walk_shows_its_error_and_can_be_resubmitted(
    visit: Visit, enqueue_walk: MakeWalk
) -> None:
    walk = enqueue_walk("a moon", "a lake", steps=3)
    with writing(settings().database) as session:
        queue.fail(session=session, **claim_walk(), error="Not even one frame fits.")
    at = visit("create", walk=walk.id)
    assert "Not even one frame fits." in texts(at)
    press(at, "Try again")
    first, second = all_walks()
    assert first.spec == second.spec
    assert at.query_params["walk"] == second.id
    assert widget(at, "number_input", "Steps").value == 3


def test_resubmitting_can_be_undone_in_the_form(visit: Visit, enqueue_walk: MakeWalk) -> None:
    walk = enqueue_walk("a moon", "a lake")
    with writing(settings().database) as session:
        queue.fail(session=session, **claim_walk(), error="Not even one frame fits.")
    at = type_prompts(visit("create", walk=walk.id), "a mask", "a hill").run()
    press(at, "Try again")
    assert form_prompts(at) == ["a moon", "a lake"]
    press(at, "Put back")
    assert form_prompts(at) == ["a mask", "a hill"]


@pytest.mark.parametrize("way", ["Try again", "Remix", "Compare with dense-middle"])
def test_walks_that_follow_a_local_walk_are_local(
    visit: Visit,
    enqueue_walk: MakeWalk,
    add_film: MakeWalk,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    monkeypatch.setenv("MOMALISA_ENDPOINT", "http://far:8080/predict")
    settings.cache_clear()
    if way == "Try again":
        walk = enqueue_walk()
        with writing(settings().database) as session:
            queue.fail(session=session, **claim_walk(), error="No memory.")
    else:
        walk = add_film()
    press(visit("create", walk=walk.id), way)
    assert [each.remote for each in all_walks()] == [False, False]


def test_a_pacing_of_strength_zero_is_compared_with_dense_middle(
    visit: Visit, add_film: MakeWalk
) -> None:
    walk = add_film(pacing="ease", strength=0.0)
    press(visit("create", walk=walk.id), "Compare with dense-middle")
    _, other = all_walks()
    assert (other.pacing, other.spec["strength"]) == ("dense-middle", 0.8)


def test_a_finished_walk_shows_film_and_label(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a moon", "a sea")
    at = visit("create", walk=walk.id)
    (film,) = component_data(at, "player")["films"]
    assert film["url"] == f"/pictures/store/{walk.files['gif']}".replace(".gif", ".webp")
    assert film["alt"] == "Film that turns a moon into a sea"
    assert walk.accession in texts(at)


def test_a_reload_loads_the_walk_into_the_form(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a moon", "a sea", steps=3, pacing="dense-middle")
    at = visit("create", walk=walk.id)
    assert widget(at, "text_input", "To").value == "a sea"
    assert widget(at, "number_input", "Steps").value == 3
    assert widget(at, "button_group", "Pacing").value == "dense-middle"


def test_the_previous_film_stays_until_the_new_one_is_finished(
    visit: Visit, add_film: MakeWalk
) -> None:
    walk = add_film("a moon", "a sea")
    at = visit("create", walk=walk.id)
    press(type_prompts(at, "a mask", "a skyline"), WALK)
    assert component_data(at, "player")["films"][0]["alt"] == "Film that turns a moon into a sea"
    assert component_data(at, "filmstrip")["frames"] == []


def test_a_remix_has_the_prompts_and_new_seeds(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a moon", "a sea")
    press(visit("create", walk=walk.id), "Remix")
    _, remix = all_walks()
    assert remix.title == walk.title
    assert remix.parent == walk.id
    assert remix.spec["stops"] != walk.spec["stops"]


def test_a_film_of_a_prompt_that_is_not_taken_any_more_can_be_remixed(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    """It was told as a fault that nobody foresaw."""
    walk = add_film("a moon", "a sea")
    stops = [{"prompt": "\u200b", "seed": 7}, {"prompt": "a sea", "seed": 7}]
    update_walk(walk, spec=walk.spec | {"stops": stops})
    press(visit("create", walk=walk.id), "Remix")
    _, remix = all_walks()
    assert remix.prompts == ["\u200b", "a sea"]


def test_compare_with_submits_the_walk_in_the_other_pacing(
    visit: Visit, add_film: MakeWalk
) -> None:
    walk = add_film("a moon", "a sea")
    at = press(visit("create", walk=walk.id), "Compare with dense-middle")
    _, other = all_walks()
    assert other.pacing == "dense-middle"
    assert dict(at.query_params) == {"a": walk.id, "b": other.id}


@pytest.mark.parametrize("pacing", ["ease", "dense-middle", "even"])
def test_a_non_linear_film_is_compared_with_the_linear_one(
    visit: Visit, add_film: MakeWalk, pacing: str
) -> None:
    press(visit("create", walk=add_film(pacing=pacing).id), "Compare with linear")
    assert [walk.pacing for walk in all_walks()] == [pacing, "linear"]


def test_a_walk_being_cancelled_can_be_submitted_again(visit: Visit) -> None:
    at = press(type_prompts(visit("create"), "a red square", "a sea"), WALK)
    claim_walk()
    submit.cancel_walk(all_walks()[0].id)
    press(at, WALK)
    first, second = all_walks()
    assert (first.cancel_requested, second.state) == (True, State.QUEUED)


def test_a_queued_walk_shows_its_place(visit: Visit, enqueue_walk: MakeWalk) -> None:
    enqueue_walk("a moon", "a lake")
    at = press(type_prompts(visit("create"), "a red square", "a sea"), WALK)
    assert "Number 2 in the queue" in texts(at)


def test_a_new_session_lists_the_walks_in_progress(visit: Visit, enqueue_walk: MakeWalk) -> None:
    enqueue_walk("a moon", "a sea")
    assert "In the queue: a moon → a sea" in texts(visit("create"))
    claim_walk()
    assert "Being made now: a moon → a sea" in texts(visit("create"))


@pytest.mark.parametrize("nonsense", ["nosuch", "../../etc/passwd", "'; drop table walks", ""])
def test_an_unknown_id_shows_an_empty_frame(visit: Visit, nonsense: str) -> None:
    at = visit("create", walk=nonsense, use=nonsense)
    assert component_data(at, "scrubber")["empty"] == "Your film will hang here."


def test_a_film_whose_settings_are_loaded_is_not_said_to_be_missing(
    visit: Visit, add_film: MakeWalk
) -> None:
    at = visit("create")
    for walk_id, said in ((add_film().id, False), ("gone", True)):
        at.query_params["use"] = walk_id  # until the browser has changed its address
        assert any("There is no film" in text for text in texts(at.run())) is said
