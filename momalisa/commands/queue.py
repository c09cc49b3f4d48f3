"""The command `queue`: list the queue, try walks again, and cancel walks."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db import operations, walks
from db.clock import database_now
from db.models import State, Walk
from db.session import reading, require_newest_schema, sqlite_file, writing
from db.status import WorkerStatus, list_workers
from momalisa.errors import BadInput
from momalisa.health.finding import count_of, describe_seconds
from momalisa.settings import settings

DONE, FAILED = 0, 1
SHORT_ID = 8
"""Characters of a maker's id in the list; enough to tell makers apart and to select one."""
TITLE_WIDTH, REASON_WIDTH = 32, 60
EPILOG = """
examples:
  python -m momalisa queue list
  python -m momalisa queue list --failed --limit 50
  python -m momalisa queue retry ML.2026.0042
  python -m momalisa queue retry --all-failed
  python -m momalisa queue cancel ML.2026.0042 ML.2026.0043
  python -m momalisa queue cancel --maker 1f9a03bc
"""


def add_to(commands: Any) -> None:
    """Add `queue` with its actions."""
    queue = commands.add_parser(
        "queue",
        help="list the queue, try walks again, cancel walks",
        description="What waits and what is being made; walks that failed, to be tried again.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = queue.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="running walks, then queued ones in their order")
    listing.add_argument(
        "--failed", action="store_true", help="failed and cancelled walks instead, the last first"
    )
    listing.add_argument("--limit", type=int, default=100, help="at most so many (100)")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(run=_run_list)
    retry = actions.add_parser(
        "retry",
        help="queue failed or cancelled walks again, with all their tries",
        description="Each goes to its maker's end of the queue and may fail as often as a new one.",
    )
    _add_selection(retry, "--all-failed", "all failed walks; cancelled ones by number only")
    retry.set_defaults(run=_run_retry)
    cancel = actions.add_parser(
        "cancel",
        help="cancel queued walks, and stop running ones",
        description="A running walk stops after the frame that is being made.",
    )
    _add_selection(cancel, "--all", "all walks in the queue")
    cancel.set_defaults(run=_run_cancel)


def _add_selection(parser: argparse.ArgumentParser, option: str, text: str) -> None:
    parser.add_argument(
        "walks",
        nargs="*",
        metavar="WALK",
        help="an accession number such as ML.2026.0042, or an id",
    )
    parser.add_argument(option, dest="all", action="store_true", help=text)
    parser.add_argument("--maker", default="", help="all such walks of a maker, by the short id")


@dataclass(frozen=True)
class Row:
    """A walk in the list."""

    number: str
    id: str
    state: str
    maker: str
    title: str
    frames: str
    age_seconds: float
    worker: str
    tries: int
    why: str
    """Why it waits, or why it failed."""


def _run_list(options: argparse.Namespace) -> int:
    if options.limit < 1:
        raise BadInput("--limit is 1 or more.")
    with reading(_open_history()) as session:
        if options.failed:
            found = operations.list_given_up(session=session, limit=options.limit)
        else:
            found = operations.list_queue(session=session)[: options.limit]
        rows = _build_rows(found, list_workers(session), database_now(session))
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        print(_format_table(rows) if rows else "No walk failed." if options.failed else "Empty.")
    return DONE


def _open_history() -> str:
    """The URL of a history that this version can read; it is not brought up to date here.

    Raises BadInput if there is none, or HistoryError.
    """
    url = settings().database
    file = sqlite_file(url)
    if file is not None and not file.exists():
        raise BadInput(f"There is no history at {file} yet. The app makes it at its first start.")
    require_newest_schema(url)
    return url


def _build_rows(found: Iterable[Walk], workers: list[WorkerStatus], moment: datetime) -> list[Row]:
    ahead, rows = 0, []
    for walk in found:
        why = walk.error
        if walk.state is State.QUEUED:
            why = _explain_wait(walk, workers, ahead, moment)
            ahead += 1
        elif walk.state is State.RUNNING:
            why = "is being cancelled" if walk.cancel_requested else walk.stage
        since = walk.created_at if walk.finished_at is None else walk.finished_at
        rows.append(
            Row(
                number=walk.accession,
                id=walk.id,
                state=str(walk.state),
                maker=walk.maker[:SHORT_ID],
                title=_printable(walk.title),
                frames=f"{sum(len(entry) == 2 for entry in walk.progress)}/{walk.frames_total}",
                age_seconds=round((moment - since).total_seconds(), 1),
                worker=walk.owner or "",
                tries=walk.attempt,
                why=_printable(why),
            )
        )
    return rows


def _explain_wait(walk: Walk, workers: list[WorkerStatus], ahead: int, moment: datetime) -> str:
    """Why a queued walk is not being made yet."""
    if walk.not_before is not None and walk.not_before > moment:
        left = describe_seconds((walk.not_before - moment).total_seconds())
        reason = str(walk.troubles[-1].get("reason", "")) if walk.troubles else ""
        return f"tried again in {left}: {reason}".removesuffix(": ")
    alive = [worker for worker in workers if worker.is_alive]
    if not alive:
        return "no worker is alive"
    if all(worker.paused_seconds > 0 for worker in alive):
        return "all workers pause after faults of their machines"
    return f"{count_of(ahead, 'walk')} ahead" if ahead else "next"


def _printable(text: str) -> str:
    """A visitor's text in one line, without what a terminal would take for commands."""
    return "".join(c if c.isprintable() else " " for c in text)


def _format_table(rows: list[Row]) -> str:
    """The rows below their headings, in columns."""
    lines = [["number", "state", "maker", "title", "frames", "age", "tries", "worker", "why"]]
    lines += [
        [
            row.number,
            row.state,
            row.maker,
            _shorten(row.title, TITLE_WIDTH),
            row.frames,
            describe_seconds(row.age_seconds),
            str(row.tries),
            row.worker,
            _shorten(row.why, REASON_WIDTH),
        ]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _shorten(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _run_retry(options: argparse.Namespace) -> int:
    def select(session: Session) -> list[Walk]:
        given_up = operations.list_given_up(session=session, limit=10**9, maker=options.maker)
        return [walk for walk in given_up if walk.state is State.FAILED]

    return _change(options, select, _retry)


def _run_cancel(options: argparse.Namespace) -> int:
    def select(session: Session) -> list[Walk]:
        active = operations.list_queue(session=session)
        return [walk for walk in active if walk.maker.startswith(options.maker)]

    return _change(options, select, _cancel)


def _retry(session: Session, walk: Walk) -> tuple[bool, str]:
    if operations.retry(session=session, walk_id=walk.id):
        return True, "queued again"
    return False, f"is {walk.state}; only failed and cancelled walks are tried again"


def _cancel(session: Session, walk: Walk) -> tuple[bool, str]:
    was_running = walk.state is State.RUNNING
    if walks.cancel(session=session, walk_id=walk.id):
        return True, "stops after this frame" if was_running else "cancelled"
    return False, f"is {walk.state}; only queued and running walks are cancelled"


def _change(
    options: argparse.Namespace,
    select: Callable[[Session], list[Walk]],
    change: Callable[[Session, Walk], tuple[bool, str]],
) -> int:
    """Change the selected walks, print a line for each; FAILED if one cannot be changed."""
    if not (options.walks or options.all or options.maker):
        raise BadInput("Please name walks by number or id, or see --help for all of them.")
    succeeded = True
    with writing(_open_history()) as session:
        chosen: dict[str, Walk | None] = {}
        if options.all or options.maker:
            chosen |= {walk.accession: walk for walk in select(session)}
        for reference in options.walks:
            chosen[reference] = operations.find(session=session, reference=reference)
        for reference, walk in chosen.items():
            if walk is None:
                done, told = False, "there is no such walk"
            else:
                done, told = change(session, walk)
            succeeded = succeeded and done
            print(f"{reference}: {told}", file=sys.stdout if done else sys.stderr)
    if not chosen:
        print("There is none.")
    return DONE if succeeded else FAILED
