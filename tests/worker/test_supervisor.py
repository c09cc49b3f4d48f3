"""The supervisor runs one worker; real child processes stand in for it."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from db import queue, worker_registry
from db.models import State, WorkerHeartbeat
from db.session import reading, writing
from momalisa.logs import worker_log
from momalisa.settings import CHECKOUT, Settings
from momalisa.worker.identity import ProcessIdentity, identify
from momalisa.worker.launch import launch, launch_early
from momalisa.worker.supervisor import Supervisor
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk

DUTIFUL = """
import os
from dataclasses import asdict
from db import queue, worker_registry
from db.session import writing
from momalisa.settings import settings
from momalisa.worker.identity import identify
with writing(settings().database) as session:
    me = str(os.getpid())
    worker_registry.record_heartbeat(session=session, name=me, **asdict(identify()))
    queue.claim(session=session, owner=me, lease_seconds=600)
print("I live", flush=True)
while os.read(0, 1):
    pass
"""
SHORT_LIVED = "raise SystemExit(3)"
SILENT = """
import time
from momalisa.settings import settings
from momalisa.worker.sign_of_life import Pulse
Pulse(settings(), lambda: False).start()
time.sleep(600)
"""
PARENT = """
import sys, time
from pathlib import Path
from momalisa.settings import Settings
from momalisa.worker.supervisor import Supervisor
Supervisor(Settings(home=Path(sys.argv[1])), command=[sys.executable, "-c", sys.argv[2]]).start()
time.sleep(60)
"""


def supervisor(settings: Settings, code: str = DUTIFUL) -> Supervisor:
    return Supervisor(settings, command=[sys.executable, "-c", code], pauses=(0.05, 0.2))


def alive(settings: Settings) -> list[WorkerHeartbeat]:
    with reading(settings.database) as session:
        return worker_registry.list_alive(session=session)


def ended_process() -> ProcessIdentity:
    """The identity of a process that ran on this machine."""
    gone = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=-1)
    identity = identify(gone.pid)
    gone.communicate()
    return identity


def claim_by(settings: Settings, process: ProcessIdentity, lease_seconds: float) -> None:
    """Claim a walk for the worker "gone", which has been silent for some time."""
    with writing(settings.database) as session:
        worker_registry.record_heartbeat(session=session, name="gone", **asdict(process))
        session.get_one(WorkerHeartbeat, "gone").seen_at -= timedelta(seconds=11)
        queue.claim(session=session, owner="gone", lease_seconds=lease_seconds)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_worker_starts_and_stops_with_it(settings: Settings) -> None:
    one = supervisor(settings)
    one.start()
    pid = wait_until(lambda: alive(settings))[0].pid
    assert pid == one.pid
    wait_until(lambda: b"I live" in (settings.home / "logs" / "worker.log").read_bytes())
    one.stop()
    assert not runs(pid)
    assert alive(settings) == []


def test_a_worker_that_was_launched_early_is_kept_running(settings: Settings) -> None:
    command = [sys.executable, "-c", DUTIFUL]
    early = launch(settings, command)
    one = Supervisor(settings, command=command, pauses=(0.05, 0.2), early=early)
    one.start()
    wait_until(lambda: one.pid == early.pid and alive(settings))
    early.kill()
    wait_until(lambda: one.pid not in (None, early.pid) and alive(settings))
    one.stop()
    assert alive(settings) == []


def test_an_early_worker_ends_with_a_supervisor_that_cannot_begin(tmp_path: Path) -> None:
    early = launch(Settings(home=tmp_path), [sys.executable, "-c", "import os; os.read(0, 1)"])
    (tmp_path / "momalisa.db").mkdir()
    one = Supervisor(Settings(home=tmp_path), pauses=(0.05, 0.2), early=early)
    one.start()
    one.stop()
    assert early.poll() is not None


def test_a_worker_has_the_settings_of_its_app(tmp_path: Path) -> None:
    """It looked for models and LoRAs in a folder “None” where the settings name none."""
    chosen = Settings(home=tmp_path, store=str(tmp_path / "films"))
    tell = "from momalisa.settings import settings; print(settings().model_dump_json())"
    with launch(chosen, [sys.executable, "-c", tell]) as worker:
        assert worker.wait(60) == 0
    assert Settings.model_validate_json(worker_log(chosen).read_text()) == chosen


def test_only_the_running_app_launches_its_worker_early(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that is only imported launches none, nor one whose history homes may share."""
    started: list[Settings] = []
    monkeypatch.setattr("momalisa.worker.launch.launch", started.append)
    for changes, script in (
        ({}, "elsewhere.py"),
        ({"worker": "external"}, sys.argv[0]),
        ({"database_url": settings.database}, sys.argv[0]),
        ({}, sys.argv[0]),
    ):
        chosen = settings.model_copy(update={"database_url": "", **changes})
        monkeypatch.setattr("momalisa.worker.launch.settings", lambda chosen=chosen: chosen)
        launch_early(script)
    assert started == [chosen]


def test_it_is_an_async_context(settings: Settings) -> None:
    async def serve() -> int:
        async with supervisor(settings):
            while not (workers := alive(settings)):
                await asyncio.sleep(0.02)
            return workers[0].pid

    assert not runs(asyncio.run(serve()))


def test_external_worker_is_left_to_others(settings: Settings) -> None:
    one = supervisor(settings.model_copy(update={"worker": "external"}))
    one.start()
    assert one._thread is None
    one.stop()


def test_no_second_beside_a_living_one(settings: Settings) -> None:
    with writing(settings.database) as session:
        worker_registry.record_heartbeat(
            session=session, name="other", pid=os.getpid(), host="elsewhere"
        )
    one = supervisor(settings, SHORT_LIVED)
    one.start()
    time.sleep(0.3)  # six times the pause after which it would have started one
    one.stop()
    assert not (settings.home / "logs").exists()


def test_dead_worker_of_this_machine_does_not_count(settings: Settings) -> None:
    """After kill -9 of everything, a new start need not wait for heartbeats and leases to age."""
    walk = enqueue_walk(settings.database, frames=6)
    claim_by(settings, ended_process(), lease_seconds=600)
    one = supervisor(settings)
    one.start()
    wait_until(lambda: [worker.pid for worker in alive(settings)] == [one.pid])
    wait_until(lambda: read_walk(settings.database, walk).attempt == 2)
    one.stop()


@pytest.mark.parametrize(
    "change",
    [
        {"boot_id": "another boot pid:[1]"},
        {"boot_id": f"{identify().boot_id} of another PID namespace"},
        {"boot_id": "", "process_start": 0},
    ],
)
def test_worker_that_is_silent_keeps_its_walk_unless_its_process_certainly_ended(
    settings: Settings, change: dict[str, Any]
) -> None:
    """A worker of the same host's name in another PID namespace was declared dead after 3 s."""
    walk = enqueue_walk(settings.database, frames=6)
    claim_by(settings, replace(ended_process(), **change), lease_seconds=600)
    one = supervisor(settings)
    one.start()
    wait_until(lambda: one.pid in [worker.pid for worker in alive(settings)])
    one.stop()
    assert read_walk(settings.database, walk).owner == "gone"


def test_pid_that_was_given_anew_is_another_process(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=6)
    me = identify()
    claim_by(settings, replace(me, process_start=me.process_start - 1), lease_seconds=600)
    one = supervisor(settings)
    one.start()
    wait_until(lambda: read_walk(settings.database, walk).attempt == 2)
    one.stop()


def test_container_beside_this_one_is_not_taken_for_dead(settings: Settings) -> None:
    """It has this machine's boot and host name, and a PID that means nothing here."""
    code = "from momalisa.worker.identity import identify; me = identify(); "
    code += "print(me.host, me.pid, me.process_start, me.boot_id)"
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", code]
    found = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=False, text=True)
    if found.returncode:
        pytest.skip("a PID namespace may not be made here")
    host, pid, start, boot_id = found.stdout.strip().split(" ", 3)
    other = ProcessIdentity(host, boot_id, int(pid), int(start))
    assert (host, pid) == (socket.gethostname(), "1")
    assert not other.has_ended
    assert replace(other, boot_id=identify().boot_id).has_ended


def test_worker_from_before_the_clock_was_put_back_does_not_count(settings: Settings) -> None:
    with writing(settings.database) as session:
        worker_registry.record_heartbeat(session=session, name="gone", pid=1, host="elsewhere")
        session.get_one(WorkerHeartbeat, "gone").seen_at += timedelta(minutes=50)
    one = supervisor(settings)
    one.start()
    wait_until(lambda: one.pid in [worker.pid for worker in alive(settings)])
    one.stop()


def test_relative_places_are_those_of_the_web_process(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "from momalisa.settings import settings; open('here', 'w').write(settings().store)"
    one = supervisor(settings.model_copy(update={"store": "films"}), code)
    one.start()
    wait_until(lambda: (tmp_path / "here").exists() and (tmp_path / "here").read_text() == "films")
    one.stop()


def test_dead_worker_is_replaced_and_its_walk_freed(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    walk = enqueue_walk(settings.database, frames=6)
    one = supervisor(settings)
    with caplog.at_level(logging.WARNING):
        one.start()
        wait_until(lambda: read_walk(settings.database, walk).state is State.RUNNING)
        first = alive(settings)[0].pid
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: read_walk(settings.database, walk).attempt == 2)
        one.stop()
    assert "exit code -9" in caplog.text
    assert read_walk(settings.database, walk).deaths == 2


def test_restarts_come_ever_slower(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    one = Supervisor(settings, command=[sys.executable, "-c", SHORT_LIVED], pauses=(0.001, 1_000.0))
    with caplog.at_level(logging.WARNING):
        one.start()
        wait_until(lambda: caplog.text.count("another starts in") >= 3)
        one.stop()
    ends = [record.args for record in caplog.records if "another starts in" in record.message]
    assert [args[1] for args in ends[:3] if isinstance(args, tuple)] == [0.001, 0.002, 0.004]


def test_worker_that_does_not_answer_is_killed_and_another_started(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    command = [sys.executable, "-c", SILENT]
    one = Supervisor(settings, command=command, pauses=(0.05, 0.2), silence=(0.5, 600.0))
    one.start()
    wait_until(lambda: caplog.text.count("exit code -9") >= 2, 60)
    one.stop()
    assert "does not answer any more" in caplog.text


def test_command_that_cannot_start_is_reported(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    one = Supervisor(settings, command=["/no/such/program"], pauses=(0.05, 0.2))
    with caplog.at_level(logging.ERROR):
        one.start()
        wait_until(lambda: "could not be started" in caplog.text)
        one.stop()


def test_worker_dies_with_a_killed_parent(settings: Settings) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(settings.home), DUTIFUL], cwd=CHECKOUT
    )
    pid = wait_until(lambda: alive(settings))[0].pid
    parent.kill()
    parent.wait()
    wait_until(lambda: not runs(pid) or _zombie(pid))


def _zombie(pid: int) -> bool:
    """Dead, but not yet reaped by this container's first process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return False


def test_import_is_light() -> None:
    heavy = "{'torch', 'diffusers', 'streamlit', 'alembic', 'google.cloud.storage'}"
    loaded = "momalisa.worker.supervisor, momalisa.storage"
    code = f"import sys, {loaded}; print({heavy} & {{*sys.modules}})"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "set()"


def test_a_home_that_cannot_be_made_is_one_sentence_each_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    runner = supervisor(Settings(home=tmp_path / "file" / "home"))
    runner.start()
    try:
        wait_until(lambda: len(caplog.records) >= 2)
    finally:
        runner.stop()
    assert all("MOMALISA_HOME" in entry.getMessage() for entry in caplog.records)
    assert not [entry for entry in caplog.records if entry.exc_info]
