"""The scenario `hung-renderers`: the renderer hangs at a random stage while others wait.

It sleeps for ever, holds Python's lock in C code, or its whole process is stopped. Some of its
curators call their walk off. Every other walk must become a film, whatever hung before it.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from db import walks
from db.models import State, Walk
from db.session import get_engine, migrate, reading, writing
from momalisa.settings import Settings
from momalisa.storage import open_storage
from momalisa.worker.supervisor import Supervisor
from tests.chaos.findings import Findings, Scenario
from tests.support.hanging_worker import HANGS, SILENCE, STAGES, has_hung, request_hang
from tests.support.stub_worker import request_still
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk

COMMAND = (sys.executable, "-m", "tests.support.hanging_worker")
PATIENCE = 300.0
"""Seconds until a hung walk and the one that waits behind it must have ended."""
CANCELLED = 0.3
"""The share of hung walks that their curators call off."""


def run(count: int) -> Findings:
    """Let a renderer hang `count` times in one home, with a walk of another curator behind each."""
    random_ = random.Random(17)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        migrate(settings.database)
        supervisor = Supervisor(settings, command=COMMAND, pauses=(0.05, 0.2), silence=SILENCE)
        supervisor.start()
        try:
            runs = [_hang_once(settings, number, random_) for number in range(count)]
            return _count(settings, runs)
        finally:
            supervisor.stop()
            get_engine(settings.database).dispose()


def _hang_once(settings: Settings, number: int, random_: random.Random) -> dict[str, Any]:
    """Enqueue a walk or a still that hangs and a walk behind it; wait until both have ended."""
    how, stage = random_.choice(list(HANGS)), random_.choice(STAGES)
    is_called_off = stage != "still" and random_.random() < CANCELLED
    request, began = request_hang(how, stage, number), time.monotonic()
    own: dict[str, Any] = {"frames": 4, "maker": f"maker {number}"}
    hung = None
    if stage == "still":
        request_still(settings.database, 0.5, negative=request)
    else:
        field = "model" if stage == "loading" else "negative"
        hung = enqueue_walk(settings.database, **own, **{field: request})
    # Whatever is queued before the worker hangs waits behind it.
    waiting = enqueue_walk(settings.database, **own | {"frames": 5, "maker": "another"})
    with suppress(TimeoutError):
        wait_until(lambda: has_hung(settings, request), PATIENCE)
        if is_called_off and hung is not None:
            with writing(settings.database) as session:
                walks.cancel(session=session, walk_id=hung.id)
        both = [walk for walk in (hung, waiting) if walk is not None]
        wait_until(_all_ended(settings, both), PATIENCE)
    return {
        "how": how,
        "stage": stage,
        "called off": is_called_off,
        "hung": hung,
        "waiting": waiting,
        "followed": has_hung(settings, request),
        "seconds": round(time.monotonic() - began, 1),
    }


def _all_ended(settings: Settings, some: list[Walk]) -> Callable[[], bool]:
    return lambda: all(read_walk(settings.database, walk).state.is_final for walk in some)


def _count(settings: Settings, runs: list[dict[str, Any]]) -> Findings:
    """Compare every walk with what its curator was promised."""
    lost = doubled = 0
    storage, numbers = open_storage(settings.store_root), []
    for one in runs:
        for name, expected in (
            ("hung", State.CANCELLED if one["called off"] else State.DONE),
            ("waiting", State.DONE),
        ):
            walk = one.pop(name)
            if walk is None:
                continue
            with reading(settings.database) as session:
                row = session.get_one(Walk, walk.id)
            numbers.append(row.accession)
            one[name] = f"{row.state}, {row.attempt} attempts, {row.troubles}"
            stored = row.state is State.DONE and storage.exists(row.files["gif"])
            lost += row.state is not expected or (expected is State.DONE and not stored)
            doubled += len(list(storage.list(f"saved_predictions/{row.id}/"))) > 2
    figures = {f"{number}": one for number, one in enumerate(runs)}
    return Findings(
        len(runs),
        lost=lost,
        doubled=doubled,
        numbers_given_twice=len(numbers) - len(set(numbers)),
        figures=figures,
    )


SCENARIO = Scenario("hung-renderers", 50, run)
