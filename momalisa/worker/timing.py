"""A worker's times: how often it looks, and how long it waits."""

from dataclasses import dataclass, field

from momalisa.worker.stall import StageLimits


@dataclass(frozen=True)
class Timing:
    """A worker's times in seconds."""

    lease: float = 30.0
    """How long a walk stays claimed without a heartbeat."""
    heartbeat: float = 1.0
    """Between two heartbeats."""
    poll: float = 0.5
    """Between two looks at an empty queue, and at the stills while a walk is rendered.

    The app of the same home wakes an idle worker, which need not look for that.
    """
    limits: StageLimits = field(default_factory=StageLimits)
    """How long the renderer may stand still."""
    storage_retries: float = 15.0
    """How long to retry the storage for a film just rendered, before the outbox takes it."""
    outbox_retries: float = 120.0
    """How long to retry the storage for a film of the outbox."""
    end_retries: tuple[float, float] = (0.2, 5.0)
    """Pauses between two tries to write how a walk ended: the first, and the longest."""
    walk_pauses: tuple[float, float] = (5.0, 3600.0)
    """How long a walk waits after a fault: at first, and at most."""
    machine_pauses: tuple[float, float] = (1.0, 600.0)
    """How long the worker waits after a fault of its machine: at first, and at most."""
