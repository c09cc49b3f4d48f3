"""Small runs of `tests.chaos.losses`: kills and network faults lose no film."""

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

import pytest

from db.session import engine_for
from tests.chaos.environment import House, house
from tests.chaos.losses import app_dies, faulty, killed, worker_dies

# The client library leaves the socket of an answer that it tries again to the collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[House]:
    """A house whose workers soon put a film into the outbox."""
    with house(tmp_path, (0.5, 1.0)) as one:
        yield one
        engine_for(one.settings.database).dispose()
    gc.collect()


@pytest.mark.parametrize(
    ("kills", "dies", "finishes"), [(5, worker_dies, House.worker), (2, app_dies, House.app)]
)
def test_who_is_killed_loses_no_film(
    impatient: House,
    kills: int,
    dies: Callable[[House, Random], None],
    finishes: Callable[[House], AbstractContextManager[object]],
) -> None:
    figures = killed(impatient, kills, seed=1, dies=dies, finishes=finishes)
    assert sum(figures["killed at"].values()) == kills
    assert not any(figures["at the worst of these moments"].values())
    assert not any(figures["in the end"].values())


def test_every_film_arrives_once_through_faults_and_absence(impatient: House) -> None:
    figures = faulty(impatient, films=3, gone=4.0)
    assert sum(figures["faults met"].values()) > 0
    assert figures["films waiting in the outbox by then"] > 0
    assert not any(figures["in the end"].values())
