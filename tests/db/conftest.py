"""A blank history for each test, and a quick way to ask for a walk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from db import queue, walks
from db.models import Walk
from db.session import engine_for, migrate, writing

SPEC: dict[str, Any] = {
    "stops": [{"prompt": "a red square", "seed": 7}, {"prompt": "a stormy sea", "seed": 7}],
    "model": "atelier",
    "pacing": "linear",
    "interpolation": "lerp",
    "frames": 24,
    "steps": 16,
    "guidance": 4.0,
    "size": 256,
}


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    address = f"sqlite:///{tmp_path}/deep/history.db"
    migrate(address)
    yield address
    engine_for(address).dispose()


@pytest.fixture
def ask(url: str) -> Callable[..., Walk]:
    """Enqueue a walk; keywords are of `enqueue` or of the spec."""

    def _ask(title: str = "a → b", **other: Any) -> Walk:
        spec = SPEC | {name: other.pop(name) for name in tuple(other) if name in SPEC}
        told: dict[str, Any] = {"digest": "d", "frames_total": 24} | other
        with writing(url) as session:
            return walks.enqueue(session=session, spec=spec, title=title, **told)

    return _ask


@pytest.fixture
def hang(url: str, ask: Callable[..., Walk]) -> Callable[..., Walk]:
    """A walk that is done."""

    def _hang(title: str = "a → b", **other: Any) -> Walk:
        walk = ask(title, **other)
        with writing(url) as session:
            claimed = queue.claim(session=session, owner="hanger", lease_seconds=60)
            assert claimed is not None
            assert claimed.id == walk.id
            assert queue.finish(
                session=session,
                walk_id=walk.id,
                owner="hanger",
                attempt=claimed.attempt,
                result={"files": {"gif": "x.gif"}},
            )
        return walk

    return _hang
