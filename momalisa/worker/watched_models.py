"""The model in memory, watched while it is loaded and at each of its steps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from momalisa.errors import Cancelled
from momalisa.models.holder import ModelHolder
from momalisa.settings import Settings
from momalisa.worker.core_share import load_to_share_cores
from momalisa.worker.last_device import load_where_before
from momalisa.worker.renderers import LoadModel
from momalisa.worker.stall import StallWatch

if TYPE_CHECKING:
    from momalisa.engine.runner import ModelRunner


class WatchedModels:
    """Holds one model in memory, and reports its steps to the worker's watch for hangs."""

    def __init__(self, load: LoadModel, settings: Settings, watch: StallWatch) -> None:
        load = load_to_share_cores(load_where_before(load, settings))
        self._holder = ModelHolder(load, settings.device)
        self._watch = watch
        self._cancelled: Callable[[], bool] = lambda: False

    def get_device(self) -> str:
        """The device of the model in memory, empty if there is none."""
        return str(getattr(self._holder.current, "device", ""))

    def get_name(self) -> str:
        """The name of the model in memory, empty if there is none."""
        return self._holder.current_name

    def get_loading_name(self) -> str:
        """The name of the model that is being loaded, empty if there is none."""
        return self._holder.loading

    def load(self, name: str) -> "ModelRunner":
        """A model, loaded unless it is in memory. Raises what loading raises."""
        with self._watch.stage("loading"):
            model = self._holder.get(name)
        if hasattr(model, "on_step"):
            model.on_step = self._follow_step
        return model

    def quicken(self) -> None:
        """Trace the model in memory, where that pays; once."""
        if trace := getattr(self._holder.current, "trace", None):
            with self._watch.stage("loading"):
                trace()

    def release(self) -> None:
        """Drop the model in memory."""
        self._holder.release()

    @contextmanager
    def cancelled_by(self, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Ask `cancelled` at every step of the body, which ends by Cancelled then."""
        before, self._cancelled = self._cancelled, cancelled
        try:
            yield
        finally:
            self._cancelled = before

    def _follow_step(self) -> None:
        """Note a sign of life; raise Cancelled if the walk is, without waiting for its frame."""
        self._watch.sign()
        if self._cancelled():
            raise Cancelled("The walk was cancelled.")
