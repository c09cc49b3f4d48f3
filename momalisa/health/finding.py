"""The result of a health check, and the status of the history that most checks read."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from db.session import reading
from db.status import HistoryStatus, read_status
from momalisa.settings import Settings


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing has to be done now."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What a check found: its name, how bad it is, a sentence, and what to do."""

    check: str
    level: Level
    sentence: str
    remedy: str = ""


Check = Callable[[Settings], list[Finding]]


def ok(check: str, sentence: str) -> list[Finding]:
    """One finding: all is well."""
    return [Finding(check, Level.OK, sentence)]


def note(check: str, sentence: str, remedy: str = "") -> list[Finding]:
    """One finding that is worth knowing."""
    return [Finding(check, Level.NOTE, sentence, remedy)]


def wrong(check: str, sentence: str, remedy: str) -> list[Finding]:
    """One finding of a fault."""
    return [Finding(check, Level.WRONG, sentence, remedy)]


def read_history(settings: Settings) -> HistoryStatus:
    """The status of the history. Raises HistoryError."""
    with reading(settings.database) as session:
        return read_status(session)


def describe_seconds(seconds: float) -> str:
    """A length of time as people say it, such as "3 min"."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def count_of(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun, such as "2 walks"."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
