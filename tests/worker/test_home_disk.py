"""A home whose disk takes nothing: the worker starts all the same, and the pages say why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db import worker_registry
from db.models import State
from db.session import get_engine, migrate, reading
from momalisa.settings import CHECKOUT, Settings
from momalisa.worker.sign_of_life import Pulse, life_path
from tests.support.mounts import may_mount
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk

MOUNTS = {
    "full": 'mount -t tmpfs -o nr_inodes=1 full "$1"',
    "read-only": 'mount -t tmpfs none "$1" && mount -o remount,ro "$1"',
}
WORKER = """
import os
os.environ["MOMALISA_SUPERVISED"] = "1"
from db.session import migrate
from momalisa.settings import settings
from momalisa.worker import process
from tests.support.stub_worker import stub_worker
process.Worker = stub_worker
process.run(settings())
"""


@pytest.mark.parametrize("kind", MOUNTS)
@pytest.mark.skipif(not may_mount(), reason="no file systems can be mounted here")
def test_worker_says_on_the_pages_what_is_wrong(kind: str, tmp_path: Path) -> None:
    """It died at its start, since its sign of life could not be written."""
    home = tmp_path / "home"
    home.mkdir()
    database, store = f"sqlite:///{tmp_path}/history.db", str(tmp_path / "store")
    settings = Settings(home=home, database_url=database, store=store)
    migrate(settings.database)
    walk = enqueue_walk(settings.database, frames=3)
    environment = {"MOMALISA_DATABASE_URL": database, "MOMALISA_STORE": store}
    environment |= {"MOMALISA_HOME": str(home), "PYTHONPATH": str(CHECKOUT)}
    script = ["sh", "-c", f'{MOUNTS[kind]} && exec "$2" -c "$3"', "sh", str(home)]
    command = ["unshare", "-rm", *script, sys.executable, WORKER]
    with subprocess.Popen(command, env=os.environ | environment, stdin=-1) as worker:
        try:
            wait_until(lambda: any("disk" in text for text in problems(settings)), 60)
            assert read_walk(settings.database, walk).state is State.QUEUED
        finally:
            worker.terminate()
    get_engine(settings.database).dispose()


def problems(settings: Settings) -> list[str]:
    with reading(settings.database) as session:
        return [worker.problem for worker in worker_registry.list_alive(session=session)]


def test_sign_of_life_is_written_once_the_disk_takes_it(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("momalisa.worker.sign_of_life.PULSE", 0.02)
    in_the_way = life_path(settings).parent
    in_the_way.touch()
    Pulse(settings, lambda: True).start()
    wait_until(lambda: "sign of life" in caplog.text)
    in_the_way.unlink()
    wait_until(life_path(settings).exists)
    assert caplog.text.count("sign of life") == 1
