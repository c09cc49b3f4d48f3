"""The model of a container and the line before it: one walk at a time, a few may wait.

What imports torch is imported where it is used: health is answered from the first second.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from momalisa import render
from momalisa.cloud.background import run_in_thread
from momalisa.cloud.weights import download_weights
from momalisa.engine.frame_cache import open_frame_cache
from momalisa.errors import Cancelled, MomaLisaError
from momalisa.models.registry import ModelCard, find, load
from momalisa.settings import Settings
from momalisa.spec import WalkSpec

if TYPE_CHECKING:
    from momalisa.engine.runner import ModelRunner

LINE = 8
"""Walks that may wait for the one in hand; who comes then is asked to come back."""
LOOK = 0.1
"""Seconds between two looks whether the container is to stop."""

log = logging.getLogger(__name__)


class NotNow(MomaLisaError):
    """The walk cannot be painted now, but may be later: `code` says why, `after` seconds when."""

    def __init__(self, code: str, message: str, after: int) -> None:
        super().__init__(message)
        self.code, self.after = code, after


class Studio:
    """Loads a model in the background and paints one walk after the other with it.

    `artifacts` is where Vertex AI keeps the weights; empty: the model of the settings.
    """

    def __init__(self, settings: Settings, artifacts: str = "") -> None:
        self.settings = settings
        self.trouble = ""
        self._artifacts = artifacts
        self._served: tuple[ModelCard, ModelRunner] | None = None
        self._cache = open_frame_cache(settings)
        self._places = threading.BoundedSemaphore(1 + LINE)
        self._easel = threading.Lock()
        self._last_seconds = 5.0
        self._leaving: Callable[[], bool] = _never
        self._grace = 0.0
        self._left_at: float | None = None

    def open(self) -> None:
        """Begin to load the model; until then, and if that fails, `served` raises."""
        self._served, self.trouble = None, ""
        threading.Thread(target=self._load, name="load", daemon=True).start()

    def served(self) -> tuple[ModelCard, "ModelRunner"]:
        """The model, and its card under the name that walks call it by. Raises NotNow."""
        if self._served is None:
            raise NotNow("loading", self.trouble or "The model is being loaded.", 10)
        return self._served

    def leave_when(self, leaving: Callable[[], bool], grace: float) -> None:
        """What tells that the process is to end, and for how many seconds a walk may go on."""
        self._leaving, self._grace = leaving, grace

    def paint(self, spec: WalkSpec) -> render.RenderedFrames:
        """Paint a walk when its turn comes.

        Raises NotNow when the model is not there, the line is full or the container stops; else
        what `render.render_frames` raises. After any other error the model is loaded anew.
        """
        with self._turn() as runner:
            began = time.monotonic()
            self._cache.trim()
            painting = run_in_thread(
                lambda: render.render_frames(
                    spec, runner, self._cache, cancelled=self._grace_is_over
                )
            )
            try:
                # The walk is given back even when the painter is deep in a batch.
                while not wait([painting], timeout=LOOK).done:
                    if self._grace_is_over():
                        raise _stopping()
                painted = painting.result()
            except Cancelled:
                raise _stopping() from None
            except MomaLisaError:
                raise
            except Exception:
                # Whatever went wrong may have damaged the model in memory.
                self.open()
                raise
            self._last_seconds = time.monotonic() - began
            return painted

    @contextmanager
    def _turn(self) -> Iterator["ModelRunner"]:
        """Wait in the line, and hold the model."""
        if not self._places.acquire(blocking=False):
            after = round(self._last_seconds * (1 + LINE) / 2) + 1
            raise NotNow("busy", "Too many walks wait already. Please come back later.", after)
        try:
            while not self._easel.acquire(timeout=LOOK):
                self._go_on()
            try:
                self._go_on()
                yield self.served()[1]
            finally:
                self._easel.release()
        finally:
            self._places.release()

    def _go_on(self) -> None:
        if self._leaving():
            raise _stopping()

    def _grace_is_over(self) -> bool:
        if not self._leaving():
            return False
        if self._left_at is None:
            self._left_at = time.monotonic()
        return time.monotonic() - self._left_at > self._grace

    def _load(self) -> None:
        settings = self.settings
        try:
            source = settings.model
            if self._artifacts:
                source = str(download_weights(self._artifacts, settings.home / "weights"))
            card = replace(find(source), name=settings.model)
            self._served = card, load(source, settings.device)
            log.info("The model is ready")
        except MomaLisaError as error:
            log.error("%s", error)
            self.trouble = str(error)
        except Exception as error:
            log.exception("The model could not be loaded")
            self.trouble = f"The model could not be loaded ({type(error).__name__})."


def _stopping() -> NotNow:
    return NotNow("stopping", "This container stops. Please ask again; another one answers.", 5)


def _never() -> bool:
    return False
