"""One worker for each home and device, whoever starts it; and its sign of life."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from momalisa.errors import BadInput
from momalisa.settings import CHECKOUT, Settings
from momalisa.worker import process, sign_of_life
from momalisa.worker.sign_of_life import HomeLock, LifeWatch, Pulse, life_path, read_process
from momalisa.worker.supervisor import Supervisor
from tests.support.waiting import wait_until

HOLDER = """
import sys, time
from pathlib import Path
from momalisa.settings import Settings
from momalisa.worker.sign_of_life import HomeLock, Pulse
settings = Settings(home=Path(sys.argv[1]))
lock = HomeLock(settings)
assert lock.acquire()
Pulse(settings, lambda: True).start()
print("held", flush=True)
time.sleep(600)
"""
STARTED = "from pathlib import Path; import os; Path(os.environ['MOMALISA_HOME'], 'here').touch()"


@contextmanager
def hold(settings: Settings) -> "Iterator[subprocess.Popen[str]]":
    """Run a process that holds the home's lock, as a worker of another app does."""
    command = [sys.executable, "-c", HOLDER, str(settings.home)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def test_second_app_waits_and_takes_over(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Two app servers on one home kept two workers."""
    with hold(settings) as holder:
        one = Supervisor(settings, command=[sys.executable, "-c", STARTED], pauses=(0.05, 0.2))
        one.start()
        wait_until(lambda: "this one waits until it ends" in caplog.text)
        assert not (settings.home / "here").exists()
        holder.kill()
        holder.wait()
        wait_until((settings.home / "here").exists, 60)
        one.stop()


def test_hung_worker_of_an_app_that_is_gone_is_killed(settings: Settings) -> None:
    with hold(settings) as holder:
        os.kill(holder.pid, signal.SIGSTOP)
        one = Supervisor(
            settings,
            command=[sys.executable, "-c", STARTED],
            pauses=(0.05, 0.2),
            silence=(3.0, 60.0),
        )
        one.start()
        wait_until((settings.home / "here").exists, 120)
        one.stop()
        assert holder.wait() == -signal.SIGKILL


def test_worker_that_works_once_says_that_another_is_there(settings: Settings) -> None:
    with hold(settings), pytest.raises(BadInput, match="Another worker"):
        process.run(settings, once=True)


def test_names_of_one_device_have_one_lock(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unset, "cpu" and "auto" kept three workers in one home."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    names = ("", "auto", "cpu", "cuda", "cuda:0", "mps")
    assert len({life_path(settings.model_copy(update={"device": name})) for name in names}) == 1
    second = life_path(settings.model_copy(update={"device": "cuda:1"}))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert life_path(settings.model_copy(update={"device": "cuda:0"})) == second


def test_each_device_has_a_worker_of_its_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine with several GPUs, as the architecture page says."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    others = [settings.model_copy(update={"device": name}) for name in ("cuda:0", "cuda:1")]
    paths = {life_path(one) for one in (settings, *others)}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert len(paths | {life_path(settings)}) == 3, "the first GPU is the one that is taken unset"
    held = [HomeLock(one) for one in others]
    assert [lock.acquire() for lock in held] == [True, True]
    for lock in held:
        lock.release()


def test_sign_of_life_is_the_files_change_not_its_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    path = tmp_path / "worker.alive"
    path.touch()
    os.utime(path, (1, 1))
    watch = LifeWatch(path)
    for _ in range(3):
        now[0] += 1
        watch.look()
    assert (watch.seconds_silent, watch.has_begun) == (3, False)
    os.utime(path, (0, 0))  # the clock was put back
    assert (watch.look(), watch.has_begun) == (0, True)
    now[0] += 100_000  # the machine slept
    assert watch.look() == sign_of_life.LONGEST_TICK


def test_pulse_beats_while_all_is_well(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_of_life, "PULSE", 0.02)
    is_well = [True]
    Pulse(settings, lambda: is_well[0]).start()
    path = life_path(settings)
    found = read_process(path)
    assert found is not None
    assert found.is_running
    before = path.stat().st_mtime_ns
    wait_until(lambda: path.stat().st_mtime_ns != before)
    is_well[0] = False
    time.sleep(0.2)
    before = path.stat().st_mtime_ns
    time.sleep(0.2)
    assert path.stat().st_mtime_ns == before
