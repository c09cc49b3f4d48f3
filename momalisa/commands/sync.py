"""The command `sync`: bring history and store to agree, and repair what was lost."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from momalisa.errors import BadInput
from momalisa.settings import settings


def add_to(commands: Any) -> None:
    """Add `sync`: whether to repair, and which films."""
    sync = commands.add_parser(
        "sync",
        help="bring history and store to agree",
        description="Take in films that the history does not know, and report what is amiss; "
        "the exit code is 1 when something is. Nothing is ever deleted.",
    )
    sync.add_argument(
        "--repair", action="store_true", help="show what would be done about lost files"
    )
    sync.add_argument("--yes", action="store_true", help="with --repair: do it")
    sync.add_argument(
        "--only", nargs="+", default=[], metavar="FILM", help="numbers or ids of the films meant"
    )
    sync.add_argument("--json", action="store_true", help="the report as JSON")
    sync.set_defaults(run=_run_sync)


def _run_sync(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from db.session import migrate
    from momalisa.engine.frame_cache import open_frame_cache
    from momalisa.number_marks import exchange_marks
    from momalisa.storage import open_storage
    from momalisa.storage.outbox import open_outbox
    from momalisa.sync import sync

    if options.yes and not options.repair:
        raise BadInput("--yes is the answer to a repair. Please write sync --repair --yes.")
    current = settings()
    migrate(current.database)
    storage = open_storage(current.store_root)
    root = current.store_root
    if "://" in root or Path(root).expanduser().is_dir():  # else this would make a wrong folder
        exchange_marks(storage, current.database)  # first: a film keeps a number that was given
    quiet = True if options.json else None  # None: quiet unless in a terminal
    with tqdm(unit="film", desc="taking in", disable=quiet, leave=False) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = sync(
            storage,
            current.database,
            open_outbox(current),
            repair=options.repair,
            yes=options.yes,
            only=options.only,
            cache=open_frame_cache(current),
            on_progress=advance,
        )
    if options.json:
        print(json.dumps(asdict(report), indent=2))
    else:
        print("\n".join(report.sentences()))
    return 0 if report.agree else 1
