"""Stub walks, and what a queue can bear: who asks, claims and finishes them in a hurry."""

import multiprocessing
import os
import random
import time
from collections import Counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import queue, walks
from db.models import State, Walk
from db.session import engine_for, reading, writing
from tests.support.databases import Databases

WALKS, WORKERS = 2_000, 4
NOUNS = ("square", "circle", "sea", "star", "moon", "stripe", "desert", "wave", "tower", "bird")
COLOURS = ("red", "blue", "ochre", "teal", "black", "white", "crimson", "umber", "ivory", "amber")
FORK = multiprocessing.get_context("fork")


def spec(random_: random.Random) -> dict[str, Any]:
    """Settings of some walk."""
    prompts = [f"a {random_.choice(COLOURS)} {random_.choice(NOUNS)} at night" for _ in range(2)]
    return {
        "stops": [{"prompt": prompt, "seed": random_.randrange(2**31)} for prompt in prompts],
        "model": random_.choices(["atelier", "sd15", "rare"], [90, 9.9, 0.1])[0],
        "pacing": random_.choice(["linear", "ease", "dense-middle"]),
        "interpolation": "lerp",
        "frames": 24,
        "steps": 16,
        "guidance": 4.0,
        "size": 256,
    }


def ask(session: Session, number: int = 0) -> str:
    """Put a stub walk into the queue, of one of three makers."""
    return walks.enqueue(
        session=session,
        spec=spec(random.Random(number)),
        digest="d",
        title="a → b",
        frames_total=24,
        maker=f"maker {number % 3}",
    ).id


def claims(databases: Databases) -> dict[str, float]:
    """Four processes empty a queue of 2,000 walks."""
    url = databases.fresh()
    with writing(url) as session:
        asked = {ask(session, number) for number in range(WALKS)}
    engine_for(url).dispose()
    finished = FORK.SimpleQueue()
    workers = [FORK.Process(target=_empty, args=(url, finished)) for _ in range(WORKERS)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    done = Counter(one for _ in workers for one in finished.get())
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    with reading(url) as session:
        states = Counter(session.scalars(select(Walk.state)))
    return {
        "walks claimed and finished a second, 4 processes": WALKS / seconds,
        "of 2,000 walks finished exactly once": sum(done[one] == 1 for one in asked),
        "of 2,000 rows done": states[State.DONE],
    }


def _empty(url: str, finished: Any) -> None:
    done = []
    while (walk := claim(url)) is not None:
        if finish(url, walk):
            done.append(walk.id)
    engine_for(url).dispose()
    finished.put(done)


def claim(url: str, lease_seconds: float = 60) -> Walk | None:
    """The next walk in the queue, for this process."""
    with writing(url) as session:
        return queue.claim(session=session, owner=str(os.getpid()), lease_seconds=lease_seconds)


def lease(walk: Walk) -> dict[str, Any]:
    """What shows that this walk is ours."""
    return {"walk_id": walk.id, "owner": walk.owner, "attempt": walk.attempt}


def finish(url: str, walk: Walk) -> bool:
    """Say that a walk is done; False if it is no longer ours."""
    result = {"files": {"gif": f"{walk.id}.gif"}, "evenness": 0.5}
    with writing(url) as session:
        return queue.finish(session=session, **lease(walk), result=result)
