"""The container's model and its queue: one walk is rendered at a time, a few can wait.

Modules that import torch are imported when the model is loaded, so that the health route responds
immediately.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from momalisa import render
from momalisa.cloud.background import run_in_thread
from momalisa.cloud.weights import download_weights
from momalisa.engine.frame_cache import Frame, open_frame_cache
from momalisa.errors import Cancelled, MomaLisaError
from momalisa.models.cards import ModelCard
from momalisa.models.registry import find, load
from momalisa.settings import Settings
from momalisa.spec import WalkSpec

if TYPE_CHECKING:
    from momalisa.engine.runner import ModelRunner

QUEUE_LENGTH = 8
"""Walks that can wait for the current one; further requests are refused."""
CHECKED = 3
"""Frames of a walk from which the size of its answer is estimated."""
POLL_SECONDS = 0.1
"""Seconds between two checks whether the container is stopping."""

log = logging.getLogger(__name__)


class Unavailable(MomaLisaError):
    """The server cannot render now; retry after `retry_after` seconds. `code` is the reason."""

    def __init__(self, code: str, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.code, self.retry_after = code, retry_after


class ModelServer:
    """Loads a model in the background and renders walks with it, one after the other.

    `artifacts` is the gs:// folder of the weights; if empty, the settings name the model.
    """

    def __init__(self, settings: Settings, artifacts: str = "") -> None:
        self.settings = settings
        self.load_error = ""
        self._artifacts = artifacts
        self._loaded: tuple[ModelCard, ModelRunner] | None = None
        self._cache = open_frame_cache(settings)
        self._slots = threading.BoundedSemaphore(1 + QUEUE_LENGTH)
        self._model_lock = threading.Lock()
        self._last_seconds = 5.0
        self._is_stopping: Callable[[], bool] = _is_never_stopping
        self._grace = 0.0
        self._stopping_since: float | None = None

    def start_loading(self) -> None:
        """Load the model in a thread; `loaded_model` raises until it is loaded."""
        self._loaded, self.load_error = None, ""
        threading.Thread(target=self._load, name="load", daemon=True).start()

    def loaded_model(self) -> tuple[ModelCard, "ModelRunner"]:
        """The model's card, with the name that walks use, and its runner. Raises Unavailable."""
        if self._loaded is None:
            raise Unavailable("loading", self.load_error or "The model is being loaded.", 10)
        return self._loaded

    def watch_for_stop(self, is_stopping: Callable[[], bool], grace: float) -> None:
        """Set the check for a shutdown, and the seconds that the current walk has to finish."""
        self._is_stopping, self._grace = is_stopping, grace

    def render_frames(
        self,
        spec: WalkSpec,
        check: Callable[[Frame], None] | None = None,
        pictures: Mapping[str, bytes] = MappingProxyType({}),
    ) -> render.RenderedFrames:
        """Wait for the model and render a walk's frames; `pictures` are its stops', by digest.

        `check` is called with the first CHECKED frames when they are ready, and may raise to stop.
        Raises Unavailable if the model is not loaded, the queue is full or the container stops,
        and the errors of `render.render_frames`. After an unexpected error the model is reloaded.
        """
        with self._acquire_model() as runner:
            start = time.monotonic()
            self._cache.trim()
            for digest, data in pictures.items():
                self._cache.put_file(digest, data)
            rendering = run_in_thread(
                lambda: render.render_frames(
                    spec,
                    runner,
                    self._cache,
                    on_progress=self._checking(check),
                    cancelled=self._grace_has_ended,
                )
            )
            try:
                # Raises even while the renderer is within a batch, where it cannot be cancelled.
                while not wait([rendering], timeout=POLL_SECONDS).done:
                    if self._grace_has_ended():
                        raise _stopping_error()
                frames = rendering.result()
            except Cancelled:
                raise _stopping_error() from None
            except MomaLisaError:
                raise
            except Exception:
                # The error may have corrupted the model in memory.
                self.start_loading()
                raise
            self._last_seconds = time.monotonic() - start
            return frames

    def _checking(self, check: Callable[[Frame], None] | None) -> Callable[[render.Progress], None]:
        """Pass the first frames that are ready to `check`."""
        checked: set[str] = set()

        def follow(progress: render.Progress) -> None:
            if check is None:
                return
            for _, key in progress.ready:
                if len(checked) < CHECKED and key not in checked:
                    checked.add(key)
                    if (frame := self._cache.get(key)) is not None:
                        check(frame)

        return follow

    @contextmanager
    def _acquire_model(self) -> Iterator["ModelRunner"]:
        """Wait in the queue for exclusive use of the model."""
        if not self._slots.acquire(blocking=False):
            retry_after = round(self._last_seconds * (1 + QUEUE_LENGTH) / 2) + 1
            message = "Too many walks wait already. Please come back later."
            raise Unavailable("busy", message, retry_after)
        try:
            while not self._model_lock.acquire(timeout=POLL_SECONDS):
                self._raise_if_stopping()
            try:
                self._raise_if_stopping()
                yield self.loaded_model()[1]
            finally:
                self._model_lock.release()
        finally:
            self._slots.release()

    def _raise_if_stopping(self) -> None:
        if self._is_stopping():
            raise _stopping_error()

    def _grace_has_ended(self) -> bool:
        """Whether the container stops and the time for the current walk is over."""
        if not self._is_stopping():
            return False
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
        return time.monotonic() - self._stopping_since > self._grace

    def _load(self) -> None:
        settings = self.settings
        try:
            source = settings.model
            if self._artifacts:
                source = str(download_weights(self._artifacts, settings.home / "weights"))
            card = replace(find(source), name=settings.model)
            self._loaded = card, load(source, settings.device)
            log.info("The model is ready")
        except MomaLisaError as error:
            log.error("%s", error)
            self.load_error = str(error)
        except Exception as error:
            log.exception("The model could not be loaded")
            self.load_error = f"The model could not be loaded ({type(error).__name__})."


def _stopping_error() -> Unavailable:
    return Unavailable(
        "stopping", "This container stops. Please ask again; another one answers.", 5
    )


def _is_never_stopping() -> bool:
    return False
