"""Rendering one job: a walk or a still, with this machine's model or at an endpoint."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from db import queue, stills
from db.models import Still, Walk
from db.queue import LeaseStatus
from momalisa.deletion import delete_leftovers
from momalisa.engine.frame_cache import FrameCache, open_frame_cache
from momalisa.errors import BadInput, Cancelled, MomaLisaError
from momalisa.models.holder import ModelHolder
from momalisa.render import ModelRenderer, Progress, Renderer, StoredFilm
from momalisa.settings import Settings
from momalisa.spec import Place, WalkSpec, explain
from momalisa.storage import Storage, open_storage
from momalisa.storage.outbox import Outbox
from momalisa.worker.lease import ActiveJob, StopRequest
from momalisa.worker.stall import StallWatch

if TYPE_CHECKING:
    from momalisa.engine.runner import ModelRunner

LoadModel = Callable[[str, str], "ModelRunner"]
"""Loads a model by name onto a device."""
StillRenderer = Callable[[WalkSpec, Place, "ModelRunner", FrameCache], str]
"""Renders one frame; returns its key in the cache."""
JobEnd = tuple[Callable[..., bool], dict[str, Any]]
"""The function of `db.queue` or `db.stills` that ends a job's row, and its arguments."""

log = logging.getLogger(__name__)


class JobRenderer:
    """Renders walks and stills, and says how each of them ended. Raises nothing."""

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        *,
        load: LoadModel,
        render: ModelRenderer,
        remote: Renderer | None,
        render_still: StillRenderer,
        retry_seconds: float,
        watch: StallWatch,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._models = ModelHolder(load, settings.device)
        self._watch = watch
        self._cancelled: Callable[[], bool] = lambda: False
        self._render, self._render_still = render, render_still
        self._remote = remote or _endpoint_renderer(settings.endpoint)
        self._retry_seconds = retry_seconds
        self._cache = open_frame_cache(settings)
        self._storage: Storage | None = None

    def get_device(self) -> str:
        """The device of the model in memory, empty if there is none."""
        return str(getattr(self._models.current, "device", ""))

    def load_default_model(self) -> None:
        """Load the settings' model ahead of the first walk, since that takes seconds."""
        if self._settings.endpoint:
            return
        try:
            self._get_model(self._settings.model)
        except Exception as error:
            # The first walk of this model fails with the same error, which its curator reads.
            log.warning("%s is not ready: %s", self._settings.model, error)

    def trim_cache(self) -> None:
        """Delete the least recently used frames beyond the cache's limit. Raises nothing."""
        try:
            self._cache.trim()
        except OSError as error:
            log.warning("the frame cache could not be trimmed: %s", error)

    def render_walk(
        self,
        walk: Walk,
        job: ActiveJob,
        stop: StopRequest,
        on_progress: Callable[[Progress], None],
        still_mine: Callable[[], bool],
    ) -> JobEnd:
        """Render a walk until it is done, fails, is cancelled, or the worker must stop.

        `still_mine` is asked right before the film's record is stored.
        """

        def cancelled() -> bool:
            self._watch.sign()
            return stop.is_set or job.status is not LeaseStatus.HELD

        try:
            with self._watch.stage("frames", walk.model, walk.size), self._cancelled_by(cancelled):
                film = self._make_film(
                    walk, on_progress=on_progress, cancelled=cancelled, still_mine=still_mine
                )
        except Cancelled as error:
            if job.status is LeaseStatus.CANCEL_REQUESTED:
                return queue.confirm_cancel, {}
            if stop.is_set or job.status is LeaseStatus.LOST:
                return queue.give_back, {}
            return queue.fail, {"error": str(error)}
        except Exception as error:
            return queue.fail, {"error": self._error_message(error, walk.accession)}
        result = film.result.model_dump(include=set(queue.RESULT))
        return queue.finish, {"result": result, "waiting": film.waiting}

    def render_still(self, still: Still) -> JobEnd:
        """Render a still into the cache."""
        try:
            if self._settings.endpoint:
                raise BadInput(
                    "Walks are made at an endpoint here, which paints whole walks only. "
                    "Please make the walk to see what lies between its stops."
                )
            spec, place = WalkSpec.from_stored(still.spec), Place(still.leg, still.t)
            model = self._get_model(spec.model)
            stage = self._watch.stage("still", spec.model, spec.size)
            with stage, self._cancelled_by(lambda: False):
                key = self._render_still(spec, place, model, self._cache)
        except Exception as error:
            return stills.fail, {"error": self._error_message(error, f"Still {still.id}")}
        return stills.finish, {"key": key}

    def _make_film(
        self,
        walk: Walk,
        *,
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        still_mine: Callable[[], bool],
    ) -> StoredFilm:
        spec = WalkSpec.from_stored(walk.spec)
        render = self._renderer(spec.model, remote=walk.remote)
        return render(
            spec,
            walk_id=walk.id,
            cache=self._cache,
            storage=self._open_storage(),
            outbox=self._outbox,
            entry=_record_entry(walk),
            on_progress=on_progress,
            cancelled=cancelled,
            still_mine=still_mine,
        )

    def delete_leftovers(self, walk: Walk) -> None:
        """Delete what was stored of a walk that was deleted or cancelled meanwhile."""
        delete_leftovers(walk.id, self._open_storage(), self._outbox, self._settings.database)

    def _open_storage(self) -> Storage:
        """The storage, opened on first use."""
        if self._storage is None:
            self._storage = open_storage(
                self._settings.store_root, retry_seconds=self._retry_seconds
            )
        return self._storage

    def _renderer(self, model: str, *, remote: bool) -> Renderer:
        """This machine with its model, or the endpoint. Raises BadInput if there is none."""
        if not remote:
            return partial(self._render, runner=self._get_model(model))
        if self._remote is None:
            raise BadInput(
                "This walk was to be made at an endpoint, but the worker knows of none. "
                "Please set MOMALISA_ENDPOINT, or make the walk here."
            )
        return self._remote

    def _get_model(self, name: str) -> "ModelRunner":
        """A model; its steps, if it tells them, are signs of life. Raises what loading raises."""
        with self._watch.stage("loading"):
            model = self._models.get(name)
        if hasattr(model, "on_step"):
            model.on_step = self._follow_step
        return model

    def _follow_step(self) -> None:
        """Note a sign of life; raise Cancelled if the walk is, without waiting for its frame."""
        self._watch.sign()
        if self._cancelled():
            raise Cancelled("The walk was cancelled.")

    @contextmanager
    def _cancelled_by(self, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Ask `cancelled` at every step of the body."""
        before, self._cancelled = self._cancelled, cancelled
        try:
            yield
        finally:
            self._cancelled = before

    def _error_message(self, error: Exception, job: str) -> str:
        """The sentence for the curator. Unexpected errors are logged with their traceback."""
        if isinstance(error, MomaLisaError):
            log.warning("%s failed: %s", job, error)
            return str(error)
        if isinstance(error, ValidationError):
            sentences = " ".join(explain(error).values())
            return f"This walk's settings cannot be used. {sentences}"
        log.exception("%s failed", job)
        # The error may have damaged the model in memory: load it again.
        self._models.release()
        where = self._settings.home / "logs"
        return (
            f"Something unforeseen happened ({type(error).__name__}). The log in {where} says more."
        )


def _record_entry(walk: Walk) -> dict[str, Any]:
    """Fields of the film's record besides spec and result."""
    return {
        "accession": walk.accession,
        "created_at": walk.created_at.isoformat(),
        "parent": walk.parent,
        "maker": walk.maker,
    }


def _endpoint_renderer(address: str) -> Renderer | None:
    if not address:
        return None
    from momalisa.cloud.endpoint import Endpoint

    return Endpoint(address).render
