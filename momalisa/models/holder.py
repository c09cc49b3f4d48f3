"""Keeps the model that was used last."""

import gc
from collections.abc import Callable
from typing import Generic, TypeVar

from momalisa.models.registry import digest_of

M = TypeVar("M")


class ModelHolder(Generic[M]):
    """Holds one model in memory: the next walk probably needs the same.

    `load(name, device)` loads a model; `digest_of(name)` tells its present weights from those that
    were there before: they may be replaced under the same name.
    """

    def __init__(
        self,
        load: Callable[[str, str], M],
        device: str,
        digest_of: Callable[[str], str] = digest_of,
    ) -> None:
        self._load = load
        self._device = device
        self._digest_of = digest_of
        self._held: tuple[tuple[str, str], M] | None = None
        self.loading = ""
        """The name of the model that is being loaded; empty if there is none."""

    @property
    def current(self) -> M | None:
        """The model in memory."""
        held = self._held  # the heartbeat's thread asks, too
        return held[1] if held else None

    @property
    def current_name(self) -> str:
        """The name of the model in memory; empty if there is none."""
        held = self._held
        return held[0][0] if held else ""

    def get(self, name: str) -> M:
        """Return the model of that name; load it unless it is the current one, unchanged."""
        wanted = name, self._digest_of(name)
        if self._held is None or self._held[0] != wanted:
            self.release()  # first: two may not fit into memory
            self.loading = name
            try:
                self._held = wanted, self._load(name, self._device)
            finally:
                self.loading = ""
        return self._held[1]

    def release(self) -> None:
        """Drop the current model and free its memory; the next `get` loads it again."""
        if self._held is not None:
            self._held = None
            gc.collect()  # a traced network and its model refer to each other
