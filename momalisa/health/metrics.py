"""The app's figures in Prometheus' text form, read from the history at scrape time.

No prompts, titles, makers or other personal data.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from db.status import HistoryStatus
from momalisa.health.deadline import DeadlineRunner, Recent
from momalisa.health.finding import read_history
from momalisa.health.readiness import free_bytes, local_folders, measure_outbox
from momalisa.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
KEEP_SECONDS = 1.0
"""For how long figures are answered again without reading them anew."""
KEEP_CACHE_SIZE_SECONDS = 60.0
"""The same for the size of the frame cache, which takes a look at every file."""
DEADLINE = 5.0
"""Seconds after which a source that hangs is left out."""

Labels = dict[str, str]
Gauge = tuple[str, str, Sequence[tuple[Labels, float]]]
"""A metric's name without `momalisa_`, what it says, and its values by labels."""


class Metrics(Collector):
    """Reads the figures of history, outbox, frame cache and disks, each under a deadline."""

    def __init__(self, settings: Settings) -> None:
        self._runner = DeadlineRunner()
        cache_size = Recent(partial(measure_folder, settings.frame_cache), KEEP_CACHE_SIZE_SECONDS)
        self._sources: dict[str, Any] = {
            "history": partial(read_history, settings),
            "outbox": partial(measure_outbox, settings),
            "frame cache": cache_size.get,
            "disks": partial(measure_disks, settings),
        }
        self._limit = settings.cache_gb * 1e9
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        self._text = Recent(lambda: generate_latest(self._registry), KEEP_SECONDS)

    def text(self) -> bytes:
        """All figures in Prometheus' text form."""
        return self._text.get()

    def describe(self) -> list[Any]:
        """Nothing: else the registry would read the history when this is registered."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures of the sources that answer; `momalisa_up` tells which ones do."""
        futures = self._runner.run(self._sources, DEADLINE)
        values = {
            name: future.result()
            for name, future in futures.items()
            if future.done() and future.exception() is None
        }
        gauges: list[Gauge] = [
            (
                "up",
                "1 if this source of figures can be read, else 0",
                [({"source": name}, float(name in values)) for name in self._sources],
            )
        ]
        if "history" in values:
            gauges += [*history_gauges(values["history"]), *worker_gauges(values["history"])]
        if "outbox" in values:
            films, age = values["outbox"]
            gauges.append(_single("outbox_films", "films in this machine's outbox", films))
            gauges.append(_single("outbox_oldest_seconds", "age of the oldest of them", age))
        if "frame cache" in values:
            size = values["frame cache"]
            gauges.append(_single("frame_cache_bytes", "size of the frame cache", size))
            gauges.append(_single("frame_cache_limit_bytes", "its limit", self._limit))
        if "disks" in values:
            disks = [({"folder": name}, float(free)) for name, free in values["disks"].items()]
            gauges.append(("disk_free_bytes", "free space for this folder", disks))
        return (_build_family(*gauge) for gauge in gauges)


def history_gauges(status: HistoryStatus) -> list[Gauge]:
    """The figures of queue and films."""
    walks = [({"state": str(state)}, float(count)) for state, count in status.walks.items()]
    return [
        ("walks", "walks by state; the queue is `queued`", walks),
        *(
            _single(name, text, value)
            for name, text, value in (
                (
                    "queue_oldest_seconds",
                    "age of the oldest queued walk",
                    status.oldest_queued_seconds,
                ),
                ("frame_seconds", "seconds a frame, newest films", status.seconds_a_frame),
                ("films_waiting", "done films not in their storage yet", status.films_waiting),
                (
                    "films_waiting_oldest_seconds",
                    "age of the oldest of them",
                    status.oldest_waiting_seconds,
                ),
                ("open_deletions", "deleted walks that still have files", status.open_deletions),
                (
                    "open_deletions_oldest_seconds",
                    "age of the oldest of them",
                    status.oldest_deletion_seconds,
                ),
                (
                    "records_to_write",
                    "films whose record lacks the last edit",
                    status.records_to_write,
                ),
                (
                    "clock_skew_seconds",
                    "the database's clock minus this machine's",
                    status.clock_skew,
                ),
            )
        ),
    ]


def worker_gauges(status: HistoryStatus) -> list[Gauge]:
    """The figures of each worker."""
    names = [{"worker": worker.name} for worker in status.workers]

    def each(values: Iterator[float]) -> list[tuple[Labels, float]]:
        return list(zip(names, values, strict=True))

    workers = status.workers
    [worker.is_alive for worker in workers]
    return [
        _single(
            "workers_alive", "workers with a recent heartbeat", sum(w.is_alive for w in workers)
        ),
        (
            "worker_silent_seconds",
            "seconds since the last heartbeat",
            each(worker.silent_seconds for worker in workers),
        ),
        (
            "worker_failures",
            "faults of its machine in a row",
            each(float(worker.failures) for worker in workers),
        ),
        (
            "worker_paused_seconds",
            "until it claims walks again",
            each(worker.paused_seconds for worker in workers),
        ),
    ]


def measure_folder(folder: Path) -> int:
    """Bytes of the files in the folders of a folder."""
    total = 0
    for path in folder.glob("*/*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def measure_disks(settings: Settings) -> dict[str, int]:
    """Free bytes on the disks of home and store."""
    return {name: free_bytes(path) for name, path in local_folders(settings).items()}


def _single(name: str, text: str, value: float) -> Gauge:
    return name, text, [({}, float(value))]


def _build_family(
    name: str, text: str, values: Sequence[tuple[Labels, float]]
) -> GaugeMetricFamily:
    labels = list(values[0][0]) if values else []
    family = GaugeMetricFamily(f"momalisa_{name}", text, labels=labels)
    for given, value in values:
        family.add_metric(list(given.values()), value)
    return family
