"""The scenario `previous-release`: a program of the previous release runs beside the new one.

It makes a history, the new release migrates it, and both go on working on it: they submit walks,
make films, search, edit, vote and delete, and the previous release draws its pages. On SQLite and,
where it is installed, on PostgreSQL.
"""

import tempfile
from pathlib import Path

from db.session import get_engine
from tests.chaos.findings import Findings, Scenario
from tests.support.databases import SQLite, postgresql_programs, running_postgresql
from tests.support.previous_release import run_beside_previous_release


def run(seconds: int) -> Findings:
    """Let both releases work for so many seconds on each kind of database."""
    parts: list[tuple[str, Findings]] = []
    with tempfile.TemporaryDirectory() as folder:
        parts.append(("SQLite", _run_on(SQLite(Path(folder)).blank(), seconds)))
    if programs := postgresql_programs():
        with running_postgresql(programs) as server:
            parts.append(("PostgreSQL", _run_on(server.blank(), seconds)))
    return Findings.add(parts)


def _run_on(database: str, seconds: int) -> Findings:
    with tempfile.TemporaryDirectory() as folder:
        outcome = run_beside_previous_release(database, Path(folder), seconds=seconds)
    get_engine(database).dispose()
    return Findings(
        outcome.rounds,
        lost=outcome.lost,
        numbers_given_twice=outcome.numbers_given_twice,
        broken=len(outcome.faults),
        figures={"operations": outcome.done, "faults": outcome.faults},
    )


SCENARIO = Scenario("previous-release", 60, run, unit="seconds")
