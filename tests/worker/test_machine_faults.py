"""A fault of the machine fails no walk: each waits, and is done once the machine is well."""

import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from db import worker_registry
from db.models import State, Walk
from db.session import reading
from momalisa.cloud.endpoint import EndpointError
from momalisa.errors import MachineFault
from momalisa.render import StoredFilm
from momalisa.settings import CHECKOUT, Settings
from momalisa.spec import WalkSpec
from momalisa.worker.sign_of_life import life_path
from momalisa.worker.supervisor import DEVICE_BROKEN, Supervisor
from momalisa.worker.timing import Timing
from momalisa.worker.walk_ends import MOST_TRIES_OTHERWISE
from momalisa.worker.worker import Worker
from tests.support.mounts import may_mount
from tests.support.stub_worker import (
    HASTY,
    LOG,
    QUICK,
    StubRenderer,
    load,
    rendered_keys,
    running_worker,
    stub_worker,
)
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk

CUDA = "CUDA error: unspecified launch failure"


def enqueue_walks(settings: Settings, count: int) -> list[Walk]:
    return [
        enqueue_walk(settings.database, frames=3, stops=stops_of(number), maker=str(number))
        for number in range(count)
    ]


def stops_of(seed: int) -> tuple[dict[str, Any], ...]:
    return ({"prompt": "a square", "seed": seed}, {"prompt": "a sea", "seed": 7})


def states(settings: Settings, walks: list[Walk]) -> set[State]:
    return {read_walk(settings.database, walk).state for walk in walks}


def all_done(settings: Settings, walks: list[Walk]) -> Callable[[], bool]:
    return lambda: states(settings, walks) == {State.DONE}


def problems(settings: Settings) -> list[str]:
    with reading(settings.database) as session:
        return [worker.problem for worker in worker_registry.list_alive(session=session)]


@contextmanager
def restarting_worker(settings: Settings, **options: Any) -> Iterator[None]:
    """Run stub workers one after the other, as a supervisor does, each until its device breaks."""
    ended = threading.Event()
    current: list[Worker] = []

    def supervise() -> None:
        while not ended.is_set():
            worker = stub_worker(settings, **options)
            current[:] = [worker]
            worker.run()

    thread = threading.Thread(target=supervise)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        while thread.is_alive():
            for worker in current:
                worker.stop()
            thread.join(0.05)


def test_cuda_error_at_load_fails_no_walk(settings: Settings) -> None:
    """20 of 20 walks failed in 0.4 s."""
    queued = enqueue_walks(settings, 20)
    broken = settings.home / "broken"
    broken.touch()

    def load_or_fail(name: str, device: str) -> str:
        if broken.exists():
            raise RuntimeError(CUDA)
        return load(name, device)

    with restarting_worker(settings, load=load_or_fail):
        wait_until(lambda: any("unspecified launch failure" in text for text in problems(settings)))
        rows = [read_walk(settings.database, walk) for walk in queued]
        assert {row.state for row in rows} == {State.QUEUED}
        assert sum(row.attempt for row in rows) == 0, "none was claimed"
        broken.unlink()
        wait_until(all_done(settings, queued))
        wait_until(lambda: problems(settings) == [""])
    assert not life_path(settings).with_suffix(".json").exists()


def test_machine_waits_before_it_is_tried_again(settings: Settings) -> None:
    tries: list[float] = []

    def refuse(name: str, _device: str) -> str:
        tries.append(time.monotonic())
        raise MemoryError

    timing = Timing(**QUICK | {"machine_pauses": (0.3, 0.3)})
    with running_worker(settings, load=refuse, timing=timing):
        wait_until(lambda: len(tries) >= 4)
    assert min(later - earlier for earlier, later in pairwise(tries)) >= 0.29


def test_device_that_breaks_in_a_frame_costs_no_frame_and_no_turn(settings: Settings) -> None:
    first, second = enqueue_walks(settings, 2)
    painter = StubRenderer(settings.home / LOG)
    faults = iter([True] * 3)

    def break_down(spec: WalkSpec, **how: Any) -> StoredFilm:
        def follow(progress: Any) -> None:
            how["on_progress"](progress)
            if len(progress.ready) == 2 and next(faults, False):
                raise RuntimeError(CUDA)

        return painter(spec, **how | {"on_progress": follow})

    with restarting_worker(settings, render=break_down):
        wait_until(all_done(settings, [first, second]))
    done = read_walk(settings.database, first)
    assert (done.turn, done.due, done.deaths) == (first.turn, first.due, 0)
    # Both walks end at the same stop.
    assert len(rendered_keys(settings)) == len(set(rendered_keys(settings))) == 5


def test_lasting_fault_that_the_probe_does_not_see_fails_no_walk(settings: Settings) -> None:
    queued = enqueue_walks(settings, 3)
    broken = settings.home / "broken"
    broken.touch()

    def break_down(spec: WalkSpec, **how: Any) -> StoredFilm:
        if broken.exists():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return StubRenderer(settings.home / LOG)(spec, **how)

    def most_attempts() -> int:
        return max(read_walk(settings.database, walk).attempt for walk in queued)

    with running_worker(settings, render=break_down):
        wait_until(lambda: most_attempts() > MOST_TRIES_OTHERWISE + 2)
        assert State.FAILED not in states(settings, queued)
        broken.unlink()
        wait_until(all_done(settings, queued))


def test_walk_that_alone_breaks_the_machine_fails_while_others_succeed(settings: Settings) -> None:
    poison = enqueue_walk(settings.database, frames=2)

    def break_down(spec: WalkSpec, **how: Any) -> StoredFilm:
        if spec.frames == 2:
            raise RuntimeError(CUDA)
        return StubRenderer(settings.home / LOG)(spec, **how)

    with restarting_worker(settings, render=break_down):
        for _ in range(3):
            (sound,) = enqueue_walks(settings, 1)
            wait_until(all_done(settings, [sound]))
        wait_until(lambda: read_walk(settings.database, poison).state is State.FAILED)
        (sound,) = enqueue_walks(settings, 1)
        wait_until(all_done(settings, [sound]))
    failed = read_walk(settings.database, poison)
    assert failed.machine_failures == MOST_TRIES_OTHERWISE
    assert "not with other films" in failed.error
    assert CUDA in failed.error


def test_passing_faults_of_a_device_leave_an_unforeseen_error_its_tries(settings: Settings) -> None:
    """A walk failed as its third fault in a row happened to be an unknown one."""
    walk = enqueue_walk(settings.database, frames=6)
    errors = iter(
        [RuntimeError(CUDA), RuntimeError(CUDA), *[RuntimeError("Unknown exception")] * 4]
    )

    def break_down(spec: WalkSpec, **how: Any) -> StoredFilm:
        if error := next(errors, None):
            raise error
        return StubRenderer(settings.home / LOG)(spec, **how)

    with restarting_worker(settings, render=break_down):
        wait_until(lambda: read_walk(settings.database, walk).state.is_final)
    assert read_walk(settings.database, walk).state is State.DONE


def test_unforeseen_error_is_tried_again_four_times(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=6)

    def stumble(spec: WalkSpec, **how: Any) -> StoredFilm:
        raise KeyError("x")

    stub_worker(settings, render=stumble, timing=Timing(**HASTY)).run(once=True)
    failed = read_walk(settings.database, walk)
    assert (failed.state, failed.attempt) == (State.FAILED, 5)
    assert "Something unforeseen happened (KeyError). The log in" in failed.error


def test_another_worker_serves_the_queue_meanwhile(settings: Settings, tmp_path: Path) -> None:
    def refuse(name: str, _device: str) -> str:
        raise MemoryError

    elsewhere = Settings(home=tmp_path / "b", database_url=settings.database)
    elsewhere.home.mkdir()
    with running_worker(settings, load=refuse):
        wait_until(lambda: any("memory is full" in text for text in problems(settings)))
        queued = enqueue_walks(settings, 5)
        with running_worker(elsewhere):
            wait_until(all_done(settings, queued))
            assert "" in problems(settings)


def test_endpoint_out_of_reach_fails_no_walk(settings: Settings) -> None:
    walks = [enqueue_walk(settings.database, frames=n, remote=True) for n in (2, 3, 4)]
    away = settings.home / "away"
    away.touch()

    def at_the_endpoint(spec: WalkSpec, **how: Any) -> StoredFilm:
        if away.exists():
            raise EndpointError("The endpoint does not let this machine in: 401.")
        return StubRenderer(settings.home / LOG)(spec, runner="far", **how)

    with running_worker(settings, remote=at_the_endpoint):
        wait_until(
            lambda: all(read_walk(settings.database, walk).machine_failures for walk in walks),
            seconds=120,
        )
        wait_until(lambda: any("let this machine in" in text for text in problems(settings)))
        away.unlink()
        wait_until(all_done(settings, walks))


def test_worker_that_works_once_says_what_is_wrong_with_its_machine(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=3)

    def refuse(name: str, _device: str) -> str:
        raise RuntimeError(CUDA)

    with pytest.raises(MachineFault, match="unspecified launch failure"):
        stub_worker(settings, load=refuse).run(once=True)
    assert read_walk(settings.database, walk).state is State.QUEUED


BREAKING = f"""
import sys
from momalisa.settings import settings
from momalisa.worker.process import run_process
from tests.support.stub_worker import stub_worker
def load(name, device):
    if (settings().home / "broken").exists():
        raise RuntimeError({CUDA!r})
    return name
run_process(stub_worker(settings(), load=load))
"""


def test_supervisor_starts_a_worker_with_a_broken_device_anew_without_delay(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    queued = enqueue_walks(settings, 3)
    (settings.home / "broken").touch()
    command = [sys.executable, "-c", BREAKING]
    one = Supervisor(settings, command=command, pauses=(0.01, 1000.0))
    one.start()
    try:
        wait_until(
            lambda: sum(f"exit code {DEVICE_BROKEN}" in text for text in caplog.messages) >= 3, 120
        )
        ends = [one.args for one in caplog.records if "exit code" in one.getMessage()]
        assert {args[:2] for args in ends if isinstance(args, tuple)} == {(DEVICE_BROKEN, 0.01)}
        (settings.home / "broken").unlink()
        wait_until(all_done(settings, queued), seconds=120)
    finally:
        one.stop()


FULL_DISK = """
mount -t tmpfs -o size=80m full "$1/frames" && exec "$2" -c "$3"
"""
ON_A_FULL_DISK = """
import os, threading, time
from momalisa.settings import settings
from momalisa.worker.process import run_process
from tests.support.stub_worker import stub_worker
home = settings().home
(home / "frames" / "filler").write_bytes(bytes(80 * 2**20 - 8192))
def make_room():
    while not (home / "make-room").exists():
        time.sleep(0.02)
    (home / "frames" / "filler").unlink()
threading.Thread(target=make_room, daemon=True).start()
run_process(stub_worker(settings()))
"""


@pytest.mark.skipif(not may_mount(), reason="no file systems can be mounted here")
def test_full_disk_fails_no_walk(settings: Settings) -> None:
    """5 of 5 walks failed. The frame cache is a real file system without room."""
    queued = enqueue_walks(settings, 5)
    settings.frame_cache.mkdir()
    script = ["sh", "-c", FULL_DISK, "sh", str(settings.home), sys.executable, ON_A_FULL_DISK]
    environment = {"MOMALISA_HOME": str(settings.home), "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(["unshare", "-rm", *script], env=os.environ | environment) as worker:
        try:
            wait_until(lambda: any("disk is full" in text for text in problems(settings)))
            assert State.FAILED not in states(settings, queued)
            (settings.home / "make-room").touch()
            wait_until(all_done(settings, queued))
        finally:
            worker.terminate()


def test_record_of_faults_is_json(settings: Settings) -> None:
    def refuse(name: str, _device: str) -> str:
        raise MemoryError

    with running_worker(settings, load=refuse):
        path = life_path(settings).with_suffix(".json")
        wait_until(path.exists)
    assert json.loads(path.read_text())["failures"] >= 1
