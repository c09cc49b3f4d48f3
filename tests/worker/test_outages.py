"""Outages and models that are away fail no walk, however long they last, and hold up no others."""

import errno
import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from db import worker_registry
from db.models import State, Walk
from db.session import reading
from momalisa.cloud.endpoint import EndpointError
from momalisa.errors import ModelNotFound
from momalisa.render import StoredFilm
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.worker.sign_of_life import life_path
from momalisa.worker.timing import Timing
from momalisa.worker.walk_ends import MOST_TRIES_AMONG_OTHERS, MOST_TRIES_OTHERWISE
from tests.support.noise_worker import render_noise
from tests.support.stub_worker import HASTY, LOG, StubRenderer, load, running_worker, stub_worker
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk


def is_failed(settings: Settings, walk: Walk) -> bool:
    return read_walk(settings.database, walk).state is State.FAILED


def test_lone_walk_outlasts_an_outage(settings: Settings) -> None:
    """It failed at the sixth try: "A smaller picture or fewer frames may fit"."""
    walk = enqueue_walk(settings.database, frames=3, remote=True)
    away = settings.home / "away"
    away.touch()

    def at_the_endpoint(spec: WalkSpec, **how: Any) -> StoredFilm:
        if away.exists():
            raise EndpointError("The endpoint is out of reach.")
        return StubRenderer(settings.home / LOG)(spec, runner="far", **how)

    with running_worker(settings, remote=at_the_endpoint):
        wait_until(
            lambda: read_walk(settings.database, walk).machine_failures > MOST_TRIES_OTHERWISE
        )
        row = read_walk(settings.database, walk)
        assert row.state is not State.FAILED
        assert row.troubles[-1]["reason"] == "The endpoint is out of reach."
        away.unlink()
        wait_until(lambda: read_walk(settings.database, walk).state is State.DONE)


def test_model_that_is_away_fails_no_walk_and_lets_others_pass(settings: Settings) -> None:
    """5 of 5 walks failed while the disk of their model was not mounted."""
    away = settings.home / "away"
    away.touch()

    def load_or_miss(name: str, device: str) -> str:
        if name == "mine" and away.exists():
            raise ModelNotFound("There is no model “mine” here.")
        return load(name, device)

    waiting = [enqueue_walk(settings.database, frames=n, model="mine") for n in (2, 3)]
    with running_worker(settings, load=load_or_miss):
        wait_until(
            lambda: all(read_walk(settings.database, one).machine_failures > 3 for one in waiting)
        )
        counted = life_path(settings).with_suffix(".json")
        assert not counted.exists(), "no fault of the machine, which would pause all walks"
        other = enqueue_walk(settings.database, frames=3)
        wait_until(lambda: read_walk(settings.database, other).state is State.DONE)
        rows = [read_walk(settings.database, one) for one in waiting]
        assert State.FAILED not in {row.state for row in rows}
        with reading(settings.database) as session:
            workers = worker_registry.list_alive(session=session)
        assert {worker.problem for worker in workers} == {""}, "the machine is sound"
        away.unlink()
        wait_until(
            lambda: all(read_walk(settings.database, one).state is State.DONE for one in waiting)
        )


def test_probe_looks_at_the_disk_of_the_cache(settings: Settings) -> None:
    apart = settings.frame_cache
    shutil.rmtree(apart, ignore_errors=True)
    worker = stub_worker(settings)
    assert worker._renderer.probe() is None
    shutil.rmtree(apart)
    apart.symlink_to("/proc")  # takes no files
    fault = worker._renderer.probe()
    assert fault is not None


def test_probe_asks_whether_the_endpoint_answers(settings: Settings) -> None:
    unused = settings.model_copy(update={"endpoint": "http://127.0.0.1:9/predict"})
    fault = stub_worker(unused)._renderer.probe()
    assert fault is not None
    assert "out of reach" in fault.sentence


def test_two_walks_that_break_the_machine_fail_one_after_the_other(settings: Settings) -> None:
    """After the first was given up, the second was tried for ever."""

    def break_down(spec: WalkSpec, **how: Any) -> StoredFilm:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with running_worker(settings, render=break_down, timing=Timing(**HASTY)):
        for frames in (3, 4):
            poison = enqueue_walk(settings.database, frames=frames)
            wait_until(partial(is_failed, settings, poison))
            failed = read_walk(settings.database, poison)
            assert failed.machine_failures == MOST_TRIES_OTHERWISE


def test_two_such_walks_at_once_fail_after_more_tries(settings: Settings) -> None:
    def break_down(spec: WalkSpec, **how: Any) -> StoredFilm:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    poison = [enqueue_walk(settings.database, frames=frames) for frames in (3, 4)]
    with running_worker(settings, render=break_down, timing=Timing(**HASTY)):
        wait_until(
            lambda: all(read_walk(settings.database, one).state is State.FAILED for one in poison)
        )
    tries = [read_walk(settings.database, one).machine_failures for one in poison]
    assert max(tries) <= MOST_TRIES_AMONG_OTHERS


@pytest.mark.parametrize(
    ("mountpoint", "store"),
    [
        ("mnt/disk", "mnt/disk"),
        ("mnt/disk", "mnt/disk/store"),
        ("store", "store"),  # beside the history
        ("mnt/disk", "link"),
    ],
)
def test_film_waits_while_the_disk_of_its_store_is_not_mounted(
    settings: Settings, mountpoint: str, store: str
) -> None:
    """It was stored at the mountpoint, and vanished once the disk was mounted."""
    disk, away = settings.home / mountpoint, settings.home / "away"
    disk.mkdir(parents=True)
    (settings.home / "link").symlink_to(disk)
    settings = settings.model_copy(update={"store": str(settings.home / store)})
    first = enqueue_walk(settings.database, frames=3)
    stub_worker(settings, render=render_noise).run(once=True)
    disk.rename(away)
    disk.mkdir()  # the mountpoint
    second = enqueue_walk(settings.database, frames=4)
    with running_worker(settings, render=render_noise):
        wait_until(lambda: read_walk(settings.database, second).waiting)
        assert list(disk.iterdir()) == []
        away.rename(disk)  # in one step: one that is away, beside the history, may be made
        wait_until(lambda: not read_walk(settings.database, second).waiting)
    for walk in (first, second):
        row = read_walk(settings.database, walk)
        assert row.state is State.DONE
        assert (Path(settings.store) / row.files["gif"]).stat().st_size == row.bytes
