"""How a walk ends: whether it is tried again after a fault, and writing it to the history."""

import time

from db import queue
from db.error_messages import HistoryError
from db.session import writing
from momalisa.backoff import Backoff
from momalisa.worker.active_job import ActiveJob
from momalisa.worker.blame import Blame
from momalisa.worker.job_end import Fault, JobEnd
from momalisa.worker.lease import StopRequest, log_error
from momalisa.worker.machine import Machine
from momalisa.worker.timing import Timing

MOST_TRIES = {Blame.UNFORESEEN: 5, Blame.MODEL: 30}
"""At how many such faults without a new frame a walk fails; 30 tries take a day."""
MOST_TRIES_OTHERWISE = 6
"""The same after faults of the machine, where only this walk has them; never after outages."""
MOST_TRIES_AMONG_OTHERS = 12
"""The same where others have them too, though the probe succeeds each time: hours, by the waits."""
LONGEST_PAUSE = {Blame.PASSING: 600.0, Blame.UNFORESEEN: 60.0}
"""Seconds that a walk waits at most after an outage, which may end at any moment, and after an
error that is either its own, which its curator should hear of, or that of a failing device."""
END_GRACE = 5.0
"""Seconds that a stopping worker goes on trying to write how a walk ended."""
MOST_END_TRIES = 5
"""Tries to write how a walk ended, after errors that are not the history's being away."""


def try_again(fault: Fault, walk_id: str, machine: Machine, timing: Timing) -> JobEnd:
    """The end of a walk that is not to blame, unless it alone has failed too often."""
    tries = MOST_TRIES.get(fault.blame)
    error = fault.error
    first, longest = timing.walk_pauses
    longest = min(longest, LONGEST_PAUSE.get(fault.blame, longest))
    if fault.blame is not Blame.PASSING and tries is None:
        is_alone = machine.is_only_suspect(walk_id)
        tries = MOST_TRIES_OTHERWISE if is_alone else MOST_TRIES_AMONG_OTHERS
        error = (
            f"This film was tried {tries} times, and the worker failed each time"
            f"{', but not with other films' if is_alone else ''}, so it was given up. "
            f"{fault.sentence} A smaller picture or fewer frames may fit this machine."
        )
    fields = {"kind": fault.blame, "reason": fault.sentence, "pause": (first, longest)}
    return JobEnd(queue.put_back, fields | {"most_tries": tries, "error": error})


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
