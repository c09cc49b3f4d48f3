"""The command `doctor`: says in sentences whether everything works, and what to do."""

import argparse
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from db.error_messages import HistoryError
from momalisa.errors import MomaLisaError
from momalisa.health import configuration, films, machine, readiness
from momalisa.health.deadline import DeadlineRunner
from momalisa.health.finding import Check, Finding, Level, count_of, wrong
from momalisa.settings import Settings, settings

ALL_WELL, SOMETHING_WRONG = 0, 1
DEADLINE, LOAD_DEADLINE = 60.0, 600.0
"""Seconds for all checks; with --load, for the model as well."""
CHECKS: dict[str, Check] = {
    "settings": configuration.check_settings,
    "home": machine.check_home,
    "history": films.check_history,
    "disk": readiness.check_disk,
    "outbox": readiness.check_outbox,
    "store": machine.check_store,
    "cache": machine.check_cache,
    "device": machine.check_device,
    "model": machine.check_model,
    "backup": machine.check_backup,
}


def add_to(commands: Any) -> None:
    """Add `doctor`."""
    doctor = commands.add_parser(
        "doctor",
        help="check history, workers, storage, disks, device, model, settings, exposure",
        description="Says what works, what is wrong and what to do. The exit code is 1 if "
        "something is wrong. Changes nothing: what it writes to try, it takes back.",
    )
    doctor.add_argument("--load", action="store_true", help="load the model too (takes a while)")
    doctor.add_argument("--port", type=int, help="the app's port, if it is another than usual")
    doctor.add_argument("--json", action="store_true", help="the findings as JSON")
    doctor.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    # It says at its import that no app runs in this process, which is known.
    logging.getLogger("streamlit.runtime.caching.cache_data_api").addFilter(lambda _record: False)
    from momalisa.ui.http.health import check_exposure  # imports Streamlit, which takes a second

    checks = CHECKS | {"exposure": partial(check_exposure, port=options.port)}
    if options.load:
        checks |= {"loading": machine.check_model_loads}
    findings = run_checks(checks, settings(), LOAD_DEADLINE if options.load else DEADLINE)
    faults = sum(finding.level is Level.WRONG for finding in findings)
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        print("\n".join(_format(finding) for finding in findings))
        print(f"\n{count_of(faults, 'fault')}." if faults else "\nNothing is wrong.")
    return SOMETHING_WRONG if faults else ALL_WELL


def run_checks(checks: Mapping[str, Check], current: Settings, seconds: float) -> list[Finding]:
    """Run checks at the same time; one that fails or hangs is a finding too."""
    findings: list[Finding] = []
    calls = {name: partial(check, current) for name, check in checks.items()}
    for name, future in DeadlineRunner().run(calls, seconds).items():
        if not future.done():
            told = f"The check of the {name} gave no answer in {seconds:.0f} s."
            findings += wrong(name, told, "Is a disk, server or network hung?")
        elif isinstance(error := future.exception(), MomaLisaError | HistoryError):
            findings += wrong(name, str(error), "See also what is told of the home and the store.")
        elif error:
            told = f"The check of the {name} failed: {type(error).__name__}: {error}"
            findings += wrong(name, told, "This is a fault of the program: please report it.")
        else:
            findings += future.result()
    return findings


def _format(finding: Finding) -> str:
    level = finding.level.upper() if finding.level is Level.WRONG else str(finding.level)
    line = f"{level:6} {finding.check:9} {finding.sentence}"
    show_remedy = finding.remedy and finding.level is not Level.OK
    return f"{line}\n{'':17}{finding.remedy}" if show_remedy else line
