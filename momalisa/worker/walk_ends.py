"""Writing how a walk ended, while the history may be out of reach."""

import time

from db import queue
from db.error_messages import HistoryError
from db.session import writing
from momalisa.backoff import Backoff
from momalisa.worker.lease import ActiveJob, StopRequest, Timing, log_error
from momalisa.worker.rendering import JobEnd

END_GRACE = 5.0
"""Seconds that a stopping worker goes on trying to write how a walk ended."""
MOST_END_TRIES = 5
"""Tries to write how a walk ended, after errors that are not the history's being away."""


def write_end(
    end: JobEnd, job: ActiveJob, database: str, timing: Timing, stop: StopRequest, *, once: bool
) -> bool:
    """Write how a walk ended; False if its lease is lost.

    While the history is away it is tried again, until the worker must stop, unless it works only
    `once`. The film is stored already: the next worker finds it. Raises what the last try raised.
    """
    backoff = Backoff(*timing.end_retries)
    tries = 0
    while True:
        try:
            changes, _ = job.changes()
            with writing(database) as session:
                queue.renew_lease(
                    session=session, **job.lease, lease_seconds=timing.lease, **changes
                )
                return end.write(session=session, **job.lease, **end.fields)
        except Exception as error:
            tries += 1
            may_last = not once and isinstance(error, HistoryError)
            gives_up = not may_last and tries >= MOST_END_TRIES
            if gives_up or stop.seconds > END_GRACE:
                raise
            if tries == 1:
                log_error("The end of a walk is written later", error)
            time.sleep(backoff.next_pause())
