"""A walk far back in the queue is looked at less often, and every second once its turn is near."""

from typing import Any

import pytest
import streamlit as st

from momalisa.ui.create import progress
from tests.support.pages import MakeWalk, Visit, claim_walk, texts


@pytest.fixture
def paces(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds between two looks at the walk shown, one for each run of the page."""
    seen: list[float] = []
    fragment = st.fragment

    def noted(part: Any = None, *, run_every: Any = None) -> Any:
        if part is progress._show_until_final:
            seen.append(run_every)
        return fragment(part, run_every=run_every)

    monkeypatch.setattr(st, "fragment", noted)
    return seen


def test_the_pace_follows_the_place(
    visit: Visit, enqueue_walk: MakeWalk, paces: list[float]
) -> None:
    queued = [enqueue_walk(f"a moon {number}", "a lake") for number in range(progress.FAR)]
    at = visit("create", walk=queued[-1].id)
    assert f"Number {progress.FAR} in the queue" in texts(at)
    assert paces[-1] == progress.LOOK_FROM_AFAR
    claim_walk()
    at.run()
    assert f"Number {progress.FAR - 1} in the queue" in texts(at)
    assert paces[-1] == progress.LOOK


def test_a_look_from_afar_that_finds_the_turn_near_runs_the_page_anew(
    visit: Visit, enqueue_walk: MakeWalk, paces: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    queued = [enqueue_walk(f"a moon {number}", "a lake") for number in range(progress.FAR)]
    is_far = progress._is_far

    def far_until_claimed(walk: Any) -> bool:
        was_far = is_far(walk)
        if was_far and not paces:
            claim_walk()  # between the page's look and the fragment's
        return was_far

    monkeypatch.setattr(progress, "_is_far", far_until_claimed)
    at = visit("create", walk=queued[-1].id)
    assert f"Number {progress.FAR - 1} in the queue" in texts(at)
    assert paces[:2] == [progress.LOOK_FROM_AFAR, progress.LOOK]
