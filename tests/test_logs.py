"""Logs rotate while a process runs, keep what is printed, and are JSON where that is asked for."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from momalisa.logs import JsonFormatter, TextFormatter, name_walk
from momalisa.settings import CHECKOUT

PROGRAM = """
import ctypes, logging, os, sys, threading, warnings
from pathlib import Path
from momalisa.logs import configure_logs, worker_log
from momalisa.settings import Settings
settings = Settings(home=Path(sys.argv[1]), log=sys.argv[2], log_mb=0.01, log_files=2)
configure_logs(settings, file=worker_log(settings))
log = logging.getLogger("momalisa.worker")
{body}
"""


def run_program(home: Path, body: str, kind: str = "text") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body=body), str(home), kind],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def logs_of(home: Path) -> dict[str, str]:
    """The log files' texts by name."""
    return {path.name: path.read_text() for path in sorted((home / "logs").iterdir())}


def test_the_log_rotates_while_the_process_runs(tmp_path: Path) -> None:
    run_program(tmp_path, "for n in range(1000): log.info('entry %d of a long night', n)")
    found = logs_of(tmp_path)
    assert list(found) == ["worker.log", "worker.log.1", "worker.log.2"]
    assert all(len(text) <= 10_000 for text in found.values())
    assert "entry 999" in found["worker.log"]


def test_what_is_printed_is_kept_and_follows_to_the_new_file(tmp_path: Path) -> None:
    body = (
        "print('printed before', flush=True)\n"
        "for n in range(100): log.info('%s', 'x' * 100)\n"
        "os.write(2, b'a library in C says so\\n')\n"
        "ctypes.string_at(0)"
    )
    ended = run_program(tmp_path, "import faulthandler; faulthandler.enable()\n" + body)
    assert ended.returncode != 0
    assert (ended.stdout, ended.stderr) == ("", "")
    found = logs_of(tmp_path)
    assert "printed before" in found["worker.log.1"]
    assert "a library in C says so" in found["worker.log"]
    assert "Segmentation fault" in found["worker.log"]


def test_what_is_printed_counts_for_the_size(tmp_path: Path) -> None:
    run_program(tmp_path, "print('y' * 20_000, flush=True)\nlog.info('after')")
    assert "after" in logs_of(tmp_path)["worker.log"]
    assert len(logs_of(tmp_path)["worker.log"]) < 1000


def test_an_entry_is_one_line_whatever_a_visitor_writes() -> None:
    """A line break in an address added entries to the log that nothing had written."""
    text = "no film\r\n2026-11-26 ERROR all is lost\x1b[2J\u2028"
    record = logging.LogRecord("momalisa", logging.INFO, "", 0, "%s", (text,), None)
    assert len(TextFormatter().format(record).splitlines()) == 1
    assert "\x1b" not in TextFormatter().format(record)
    try:
        raise ValueError("a reason")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert TextFormatter().format(record).splitlines()[1].startswith("Traceback")


def test_json_is_one_object_a_line_with_walk_and_exception() -> None:
    name_walk("abc", "ML.2026.0042")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord(
            "momalisa.worker", logging.ERROR, "", 1, "It %s\nfailed", ("really",), sys.exc_info()
        )
    finally:
        line = JsonFormatter().format(record)
        name_walk()
    assert "\n" not in line
    entry = json.loads(line)
    assert entry["message"] == "It really\nfailed"
    assert (entry["level"], entry["logger"]) == ("ERROR", "momalisa.worker")
    assert (entry["walk"], entry["accession"]) == ("abc", "ML.2026.0042")
    assert "ValueError: two" in entry["exception"]
    assert entry["time"].endswith("+00:00")
    assert "walk" not in json.loads(JsonFormatter().format(record))


def test_errors_that_nothing_caught_and_warnings_are_json_too(tmp_path: Path) -> None:
    body = (
        "warnings.warn('old')\n"
        "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()\n"
        "raise SystemError('the end')"
    )
    assert run_program(tmp_path, body, "json").returncode == 1
    entries = [json.loads(line) for line in logs_of(tmp_path)["worker.log"].splitlines()]
    assert [entry["level"] for entry in entries] == ["WARNING", "CRITICAL", "CRITICAL"]
    assert "ZeroDivisionError" in entries[1]["exception"]
    assert "the end" in entries[2]["exception"]


@pytest.mark.browser
def test_the_app_and_its_worker_write_json(tmp_path: Path) -> None:
    from tests.support.app import running_app
    from tests.support.waiting import wait_until

    log = tmp_path / "logs" / "worker.log"
    with running_app(tmp_path, environment={"MOMALISA_LOG": "json"}):
        wait_until(lambda: whole_lines(log) and json_lines(tmp_path / "server.log"))
        entry, *_ = map(json.loads, whole_lines(log))
    assert entry["logger"].startswith("momalisa")
    assert all(json.loads(line)["logger"] for line in json_lines(tmp_path / "server.log"))


def whole_lines(log: Path) -> list[str]:
    """The lines of a log that are written to their ends; none before there is one."""
    return log.read_text().rpartition("\n")[0].splitlines() if log.exists() else []


def json_lines(log: Path) -> list[str]:
    """Those of them that are JSON: the server prints others, too."""
    return [line for line in whole_lines(log) if line[:1] == "{"]
