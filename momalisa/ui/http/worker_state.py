"""Says why no worker paints a picture that is asked for: none is there, or its machine is ill."""

from db import status, worker_registry
from db.error_messages import HistoryError
from momalisa.settings import settings
from momalisa.ui import history, machine_notice
from momalisa.worker.identity import identity_of

STARTING = (
    "The worker is being started; the picture comes in a moment. "
    "If it does not, the app's log says why."
)
NO_WORKER = "No worker is running. To have pictures, please start one: python -m momalisa worker"


def is_any_alive() -> bool:
    """Whether the history knows of a worker that lives, on this machine or another."""
    try:
        return bool(_find_living())
    except HistoryError:
        return False  # every page says so


def name_absence() -> str:
    """Say that no worker is there, and what to do."""
    return NO_WORKER if settings().worker == "external" else STARTING


def explain_silence() -> str:
    """Why no worker will paint: none is there, or all have faults; empty while one may.

    Raises HistoryError.
    """
    living = _find_living()
    if not living:
        return name_absence()
    with history.reading() as session:
        workers = [one for one in status.list_workers(session) if one.name in living]
    return machine_notice.describe(workers, in_full=False)


def _find_living() -> set[str]:
    """The names of the workers whose processes live. Raises HistoryError."""
    with history.reading() as session:
        workers = worker_registry.list_alive(session=session, within_seconds=history.WORKER_TIMEOUT)
    return {worker.name for worker in workers if not identity_of(worker).has_ended}
