"""Keeps the model that was used last."""

import gc
from collections.abc import Callable
from typing import Generic, TypeVar

M = TypeVar("M")


class ModelHolder(Generic[M]):
    """Holds one model in memory: the next walk probably needs the same.

    `load(name, device)` loads a model.
    """

    def __init__(self, load: Callable[[str, str], M], device: str) -> None:
        self._load = load
        self._device = device
        self._held: tuple[str, M] | None = None

    @property
    def current(self) -> M | None:
        """The model in memory."""
        held = self._held  # the heartbeat's thread asks, too
        return held[1] if held else None

    def get(self, name: str) -> M:
        """Return the model of that name; load it unless it is the current one."""
        if self._held is None or self._held[0] != name:
            self.release()  # first: two may not fit into memory
            self._held = name, self._load(name, self._device)
        return self._held[1]

    def release(self) -> None:
        """Drop the current model and free its memory; the next `get` loads it again."""
        if self._held is not None:
            self._held = None
            gc.collect()  # a traced network and its model refer to each other
