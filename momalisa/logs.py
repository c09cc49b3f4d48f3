"""Logs of web process and worker: plain lines or JSON, to standard error or a rotating file."""

import json
import logging
import os
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from momalisa.settings import Settings

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_walk: ContextVar[dict[str, str]] = ContextVar("walk", default={})  # noqa: B039 - never changed

log = logging.getLogger(__name__)


def worker_log(settings: Settings) -> Path:
    """The log file of the worker that the app starts."""
    return settings.home / "logs" / "worker.log"


def name_walk(walk_id: str = "", accession: str = "") -> None:
    """Name the walk that the log entries of this thread are about from now on; blank: none."""
    _walk.set({"walk": walk_id, "accession": accession} if walk_id else {})


def configure_logs(settings: Settings, *, file: Path | None = None) -> None:
    """Send this process's log entries to standard error, or to a file that rotates.

    With a file, standard output and error go there too, so that what libraries print and the
    last words of a crash are kept.
    """
    handler: logging.Handler = logging.StreamHandler()
    if file is not None:
        handler = OutputLogHandler(file, int(settings.log_mb * 1e6), settings.log_files)
    formatter = JsonFormatter() if settings.log == "json" else TextFormatter()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("momalisa", "db"):
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(True)
    if settings.log == "json":
        _format_other_handlers(formatter)
        sys.excepthook = _log_uncaught
        threading.excepthook = lambda details: _log_uncaught(
            details.exc_type, details.exc_value, details.exc_traceback
        )


class TextFormatter(logging.Formatter):
    """Writes an entry as one line, and its traceback in the lines that follow.

    What a visitor has written may be quoted in it: line breaks and other control characters are
    escaped, so that no visitor can add entries.
    """

    def __init__(self) -> None:
        super().__init__(TEXT_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of the library
        """The entry's line."""
        return "".join(
            one if one.isprintable() else one.encode("unicode-escape").decode()
            for one in super().formatMessage(record)
        )


class JsonFormatter(logging.Formatter):
    """Writes an entry as one line of JSON: time, level, logger, message, walk and exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry as JSON, without line breaks."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry: dict[str, Any] = {
            "time": time,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_walk.get(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class OutputLogHandler(RotatingFileHandler):
    """A rotating log file that receives this process's standard output and error as well."""

    def __init__(self, file: Path, max_bytes: int, kept_files: int) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(file, maxBytes=max_bytes, backupCount=kept_files, encoding="utf-8")
        self._redirect_output()

    def doRollover(self) -> None:  # noqa: N802 - the name of the standard library
        """Rename the files, and let the output follow to the new one."""
        super().doRollover()
        self._redirect_output()

    def _redirect_output(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for descriptor in (1, 2):
            os.dup2(self._open_stream().fileno(), descriptor)

    def _open_stream(self) -> TextIOWrapper:
        """The stream of the current file."""
        if self.stream is None:
            self.stream = self._open()
        return self.stream


def _format_other_handlers(formatter: logging.Formatter) -> None:
    """Give the handlers that libraries have installed, as Streamlit and uvicorn do, the format."""
    for logger in list(logging.Logger.manager.loggerDict.values()):
        for handler in getattr(logger, "handlers", ()):
            handler.setFormatter(formatter)


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    """Log an error that nothing caught, which Python would print over many lines."""
    if error is not None:
        log.critical("An error was not handled", exc_info=(kind, error, trace))
