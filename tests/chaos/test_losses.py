"""Small runs of `tests.chaos.losses`: kills and network faults lose no film."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

import pytest

from db.session import get_engine
from tests.chaos.environment import Environment, new_environment
from tests.chaos.losses import kill_app, kill_worker, measure_faults, measure_kills
from tests.support.storage_emulator import LEFT_SOCKETS

pytestmark = LEFT_SOCKETS


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Environment]:
    """An environment whose workers soon give up an upload and use the outbox."""
    with new_environment(tmp_path, (0.5, 1.0)) as environment:
        yield environment
        get_engine(environment.settings.database).dispose()


@pytest.mark.parametrize(
    ("kills", "queued", "kill", "survivor"),
    [(3, 4, kill_worker, Environment.running_worker), (1, 2, kill_app, Environment.running_app)],
)
def test_no_film_is_lost_by_kills(
    impatient: Environment,
    kills: int,
    queued: int,
    kill: Callable[[Environment, Random], None],
    survivor: Callable[[Environment], AbstractContextManager[object]],
) -> None:
    figures = measure_kills(impatient, kills, seed=1, kill=kill, survivor=survivor, queued=queued)
    assert sum(figures["killed at"].values()) == kills
    assert not any(figures["worst counts after a kill"].values())
    assert not any(figures["in the end"].values())


def test_every_film_arrives_once_despite_faults_and_an_outage(impatient: Environment) -> None:
    figures = measure_faults(impatient, films=3, offline=4.0)
    assert sum(figures["faults injected"].values()) > 0
    assert figures["films waiting in the outbox then"] > 0
    assert not any(figures["in the end"].values())
