"""How a job of the worker ended: done, failed, or to be tried again."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from momalisa.engine.frame_cache import Frame
from momalisa.worker.blame import Blame


class Fault(NamedTuple):
    """An error that is not the walk's."""

    blame: Blame
    sentence: str
    """What happened, in one sentence."""
    error: str
    """What the curator of the walk reads if it fails for good."""


class JobEnd(NamedTuple):
    """How a job ended."""

    write: Callable[..., bool]
    """The function of `db.queue` or `db.stills` that ends the job's row."""
    fields: dict[str, Any]
    """Its arguments besides the lease."""
    fault: Fault | None = None
    """Set if the job is to be tried again; `write` is for a walk that may not."""


class LiveEnd(NamedTuple):
    """The frames that were asked for directly, or why there are none."""

    frames: Sequence[Frame] = ()
    error: str = ""
    fault: Fault | None = None
