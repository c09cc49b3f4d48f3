"""The command line: `python -m momalisa walk "a red square on white" "a stormy sea at night"`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from momalisa.commands import doctor, models, queue, sync, walk, works
from momalisa.errors import BadInput, MomaLisaError
from momalisa.field_checks import count_from_one
from momalisa.logs import configure_logs
from momalisa.settings import settings
from momalisa.spec import explain

DONE, FAILED, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0, 2 for bad input, 1 for any other error."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("momalisa", "db"):
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        options = build_parser().parse_args(arguments)
        return int(options.run(options))
    except ValidationError as error:
        for field, sentence in explain(error).items():
            print(f"{count_from_one(field)}: {sentence}", file=sys.stderr)
        return BAD_INPUT
    except BadInput as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except (MomaLisaError, OSError) as error:
        print(_describe(error), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("Stopped. What was ready is kept.", file=sys.stderr)
        return FAILED


def _describe(error: Exception) -> str:
    """An error's sentence; for a file or folder that the system refuses, which one and why."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename} cannot be used: {error.strerror}."
    return str(error)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m momalisa",
        description="MOMA Lisa walks from one prompt to another and films the way.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    walk.add_to(commands)
    works.add_to(commands)
    sync.add_to(commands)
    worker = commands.add_parser(
        "worker",
        help="render the walks of the queue until stopped",
        description="Renders the walks of the queue until SIGTERM or Ctrl-C. A worker that hangs, "
        "dies or loses its device is replaced by a new one.",
    )
    once = "stop when the queue is empty, or when something is wrong; nothing is restarted"
    worker.add_argument("--once", action="store_true", help=once)
    worker.set_defaults(run=_run_worker)
    backup = commands.add_parser("backup", help="copy the history into a new file")
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.set_defaults(run=_run_backup)
    restore = commands.add_parser("restore", help="bring a backup of the history back")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.set_defaults(run=_run_restore)
    upgrade = commands.add_parser(
        "upgrade",
        help="bring the history up to date, without starting the app",
        description="Brings a history of an earlier release up to date, as the next start of the "
        "app would. Make a backup before.",
    )
    upgrade.set_defaults(run=_run_upgrade)
    queue.add_to(commands)
    doctor.add_to(commands)
    models.add_to(commands)
    return parser


def _run_worker(options: argparse.Namespace) -> int:
    from momalisa.worker.launch import is_supervised
    from momalisa.worker.supervisor import Supervisor

    if options.once or is_supervised():
        from momalisa.worker.process import run

        run(settings(), once=options.once)
    else:
        configure_logs(settings())
        Supervisor(settings(), by_hand=True).run()
    return DONE


def _run_backup(options: argparse.Namespace) -> int:
    from db.backup import backup
    from momalisa.health.machine import note_backup

    backup(settings().database, options.file)
    print(f"{options.file}: the history, whole and checked")
    try:
        note_backup(settings(), options.file)
    except OSError as error:  # a full disk may be the reason for the backup
        print(f"doctor will not know of it: {_describe(error)}", file=sys.stderr)
    return DONE


def _run_restore(options: argparse.Namespace) -> int:
    from db.backup import restore

    previous = restore(options.file, settings().database)
    print(f"The history is that of {options.file}.")
    if previous is not None:
        print(f"The one until now: {previous}")
    return DONE


def _run_upgrade(options: argparse.Namespace) -> int:
    from db.session import describe_location, migrate

    migrate(settings().database)
    print(f"The history is up to date: {describe_location(settings().database)}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
