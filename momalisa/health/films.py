"""Checks of doctor: what the history says about workers, queue, films and clocks."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from db.error_messages import HistoryError, NotUpgraded
from db.file_system import find_network_file_system
from db.models import State
from db.session import reading, require_newest_schema, sqlite_file
from db.status import (
    HistoryStatus,
    check_writable,
    list_failures,
    read_status,
)
from momalisa.health.finding import (
    Finding,
    Level,
    count_of,
    describe_seconds,
    note,
    ok,
    wrong,
)
from momalisa.health.readiness import check_workers
from momalisa.settings import Settings

LATE_SECONDS = 3600.0
"""Age at which waiting films, deletions and walks in the queue are reported."""
SKEW_NOTED, SKEW_WRONG = 2.0, 60.0
"""Seconds between the clocks of this machine and of the database."""
FAILURES_WITHIN = timedelta(days=7)
REASONS_SHOWN = 5


def check_history(settings: Settings) -> list[Finding]:
    """Whether the history can be read and written, and what it says."""
    file = sqlite_file(settings.database)
    if file is not None and not file.exists():
        return note("history", f"There is no history at {file} yet.", "The app makes it.")
    findings = [] if file is None else _check_file_system(file)
    try:
        require_newest_schema(settings.database)
        with reading(settings.database) as session:
            status = read_status(session)
            failures = list_failures(session, within=FAILURES_WITHIN)
        check_writable(settings.database)
    except NotUpgraded:
        return [
            *findings,
            *note(
                "history",
                "The history is of an earlier version of this program.",
                "The next start of the app brings it up to date; make a backup before.",
            ),
        ]
    except HistoryError as error:
        return [*findings, *wrong("history", str(error), "Nothing works until this does.")]
    return [
        *findings,
        *ok("history", "The history can be read and written."),
        *check_clock(status),
        *check_workers(status, settings),
        *_find_silent_workers(status),
        *check_queue(status),
        *describe_failures(failures),
        *check_films(status),
    ]


def _check_file_system(file: Path) -> list[Finding]:
    kind = find_network_file_system(file)
    if not kind:
        return []
    return wrong(
        "history",
        f"{file} is on a network disk ({kind}), where SQLite's locks do not hold: the history can "
        "be damaged.",
        "Put MOMALISA_HOME on a disk of this machine, or use PostgreSQL (MOMALISA_DATABASE_URL).",
    )


def check_clock(status: HistoryStatus) -> list[Finding]:
    """Whether this machine's clock agrees with the database's."""
    return compare_clocks(status.clock_skew, "database")


def compare_clocks(skew: float, whose: str) -> list[Finding]:
    """What to say of so many seconds between this machine's clock and another's."""
    skew = abs(skew)
    if skew < SKEW_NOTED:
        return ok("clock", f"This machine's clock and the {whose}'s agree.")
    told = f"This machine's clock and the {whose}'s differ by {skew:.0f} s."
    remedy = "Set the clocks by NTP; signed addresses of a bucket depend on them."
    return (wrong if skew > SKEW_WRONG else note)("clock", told, remedy)


def _find_silent_workers(status: HistoryStatus) -> list[Finding]:
    """Workers that left without a word, and those that pause while others work."""
    findings: list[Finding] = []
    for worker in status.workers:
        if not worker.is_alive:
            silence = describe_seconds(worker.silent_seconds)
            told = f"Worker {worker.name} has been silent for {silence}."
            findings += note("worker", told, f"If it should run, look at {worker.host}.")
        elif worker.failures:
            told = f"Worker {worker.name} had {count_of(worker.failures, 'fault')} in a row"
            told = f"{told}: {worker.problem}" if worker.problem else f"{told}."
            findings += note("worker", told, f"Look at {worker.host}.")
    return findings


def check_queue(status: HistoryStatus) -> list[Finding]:
    """How long the queue is, and since when its oldest walk waits."""
    queued, running = status.walks[State.QUEUED], status.walks[State.RUNNING]
    told = f"{count_of(queued, 'walk')} in the queue, {running} being made"
    if status.oldest_queued_seconds < LATE_SECONDS:
        return ok("queue", f"{told}.")
    age = describe_seconds(status.oldest_queued_seconds)
    return note(
        "queue",
        f"{told}; the oldest waits for {age}.",
        "See why: python -m momalisa queue list. More workers: python -m momalisa worker",
    )


def describe_failures(failures: list[tuple[str, str]]) -> list[Finding]:
    """The walks that failed lately, by reason, the most frequent one first."""
    numbers = {reason: number for number, reason in reversed(failures)}
    return [
        Finding(
            "queue",
            Level.NOTE,
            f"{count_of(count, 'walk')} failed in the last week (such as {numbers[reason]}): "
            f"{reason or 'no reason was noted.'}",
            "Try them again: python -m momalisa queue retry --all-failed",
        )
        for reason, count in Counter(reason for _, reason in failures).most_common(REASONS_SHOWN)
    ]


def check_films(status: HistoryStatus) -> list[Finding]:
    """Films, deletions and records that wait for the storage."""
    bucket = "Check the storage (below) and that the machine that has them runs."
    rows = (
        (status.films_waiting, status.oldest_waiting_seconds, "film", "to reach the storage"),
        (status.open_deletions, status.oldest_deletion_seconds, "deletion", "for the storage"),
    )
    findings: list[Finding] = []
    for count, age, noun, what in rows:
        if count:
            waits = "waits" if count == 1 else "wait"
            told = (
                f"{count_of(count, noun)} {waits} {what}, the oldest for {describe_seconds(age)}."
            )
            findings += (wrong if age > LATE_SECONDS else note)("films", told, bucket)
    if status.records_to_write:
        told = f"{count_of(status.records_to_write, 'record')} (walk.json) lack the last edit."
        findings += note("films", told, "The courier writes them; they are in the history.")
    return findings or ok("films", "No film, deletion or record waits.")
