"""Rendering one job: a walk or a still, with this machine's model or at an endpoint."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pydantic import ValidationError

from db import queue, stills
from db.models import Still, Walk
from db.queue import LeaseStatus
from momalisa import stop_pictures
from momalisa.deletion import delete_leftovers
from momalisa.engine.frame_cache import FrameCache, open_frame_cache
from momalisa.errors import BadInput, Cancelled, MomaLisaError, NotHere, StorageError
from momalisa.files import check_disk
from momalisa.models.registry import name_of_weights
from momalisa.number_claims import claim_or_wait
from momalisa.records import entry_of
from momalisa.render import Progress, Renderer, StoredFilm
from momalisa.settings import Settings
from momalisa.spec import Place, Stop, WalkSpec, explain
from momalisa.storage import Storage, open_storage
from momalisa.storage.outbox import Outbox
from momalisa.store_folder import may_be_made
from momalisa.stored_films import find_result
from momalisa.worker.active_job import ActiveJob
from momalisa.worker.blame import Blame, assign_blame, describe_fault
from momalisa.worker.job_end import Fault, JobEnd, LiveEnd
from momalisa.worker.lease import StopRequest
from momalisa.worker.live_socket import Question
from momalisa.worker.renderers import Renderers
from momalisa.worker.stall import StallWatch
from momalisa.worker.watched_models import WatchedModels

if TYPE_CHECKING:
    from momalisa.engine.runner import ModelRunner

PROBE_BYTES = 64 * 2**20
"""Free bytes of the disk below which no walk is begun: a film and its frames need more."""


log = logging.getLogger(__name__)


class JobRenderer:
    """Renders walks and stills, and says how each of them ended. Raises nothing."""

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        renderers: Renderers,
        *,
        retry_seconds: float,
        watch: StallWatch,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._renderers, self._remote = renderers, renderers.remote
        self._watch = watch
        self._check_endpoint: Callable[[], None] | None = None
        if self._remote is None and settings.endpoint:
            from momalisa.cloud.endpoint import Endpoint

            endpoint = Endpoint(settings.endpoint)
            self._remote, self._check_endpoint = endpoint.render, endpoint.check_reach
        self._retry_seconds = retry_seconds
        self._cache = open_frame_cache(settings)
        self._storage: Storage | None = None
        self.models = WatchedModels(renderers.load, settings, watch)
        """The model in memory."""

    def load_default_model(self) -> Fault | None:
        """Load the settings' model ahead of the first walk, since that takes seconds.

        Returns the fault if the machine cannot; the model's own errors wait for its first walk.
        """
        if self._settings.endpoint:
            return None
        try:
            self.models.load(self._settings.model)
        except Exception as error:
            log.warning("%s is not ready: %s", self._settings.model, error)
            return self._find_fault(error)
        return None

    def probe(self) -> Fault | None:
        """Write files, paint a tiny frame or reach the endpoint; return what is wrong.

        Where the settings' model is missing, walks of others may still be painted.
        """
        try:
            for folder in (self._settings.home, self._settings.frame_cache):
                folder.mkdir(parents=True, exist_ok=True)
                check_disk(folder, PROBE_BYTES)
            if not self._settings.endpoint:
                self._paint_probe()
            elif self._check_endpoint:
                self._check_endpoint()
        except Exception as error:
            log.warning("This machine is not well yet: %s", error)
            fault = self._find_fault(error)
            return None if fault and fault.blame is Blame.MODEL else fault
        return None

    def _paint_probe(self) -> None:
        stops = (Stop(prompt="a red square"), Stop(prompt="a stormy sea"))
        model = self._settings.model
        spec = WalkSpec(stops=stops, model=model, frames=2, steps=2, size=64)
        with (
            TemporaryDirectory(dir=self._settings.home, prefix="probe-") as folder,
            self._painting_still(spec) as runner,
        ):
            self._renderers.render_probe(spec, Place(0, 0.5), runner, FrameCache(Path(folder)))

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
            pixels = walk.size * int(walk.spec.get("height", walk.size))
            with (
                self._watch.stage("frames", walk.model, pixels),
                self.models.cancelled_by(cancelled),
            ):
                film = self._make_film(
                    walk, on_progress=on_progress, cancelled=cancelled, still_mine=still_mine
                )
        except Cancelled as error:
            if job.status is LeaseStatus.CANCEL_REQUESTED:
                return JobEnd(queue.confirm_cancel, {})
            if stop.is_set or job.status is LeaseStatus.LOST:
                return JobEnd(queue.give_back, {})
            return JobEnd(queue.fail, {"error": str(error)})
        except Exception as error:
            message = self._error_message(error, walk.accession)
            return JobEnd(queue.fail, {"error": message}, self._find_fault(error, message))
        result = film.result.model_dump(include=set(queue.RESULT))
        return JobEnd(queue.finish, {"result": result, "waiting": film.waiting})

    def render_still(self, still: Still) -> JobEnd:
        """Render a still into the cache."""
        try:
            if self._settings.endpoint:
                raise BadInput(
                    "Walks are made at an endpoint here, which paints whole walks only. "
                    "Please make the walk to see what lies between its stops."
                )
            spec, place = WalkSpec.from_stored(still.spec), Place(still.leg, still.t)
            with self._painting_still(spec) as model:
                key = self._renderers.render_still(spec, place, model, self._cache)
        except Exception as error:
            message = self._error_message(error, f"Still {still.id}")
            return JobEnd(stills.fail, {"error": message}, self._find_fault(error))
        return JobEnd(stills.finish, {"key": key})

    def render_live(self, question: Question, cancelled: Callable[[], bool]) -> LiveEnd:
        """Render the frames that a question is for, unless it is `cancelled` on the way."""
        spec = question.spec
        try:
            with self._painting_still(spec, cancelled) as model:
                asked = spec, question.places, model, self._cache, question.rough
                return LiveEnd(self._renderers.render_live(*asked))
        except Cancelled as error:
            return LiveEnd(error=str(error))
        except Exception as error:
            message = self._error_message(error, "A picture that was asked for directly")
            return LiveEnd(error=message, fault=self._find_fault(error))

    @contextmanager
    def _painting_still(
        self, spec: WalkSpec, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator["ModelRunner"]:
        """Watch the body, which paints with this model. Raises what loading it raises."""
        self._bring_pictures(spec)
        model = self.models.load(spec.model)
        stage = self._watch.stage("still", spec.model, spec.pixels)
        with stage, self.models.cancelled_by(cancelled):
            yield model

    def _make_film(
        self,
        walk: Walk,
        *,
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        still_mine: Callable[[], bool],
    ) -> StoredFilm:
        spec = WalkSpec.from_stored(walk.spec)
        # Also at the first attempt: a restored history may not know of the earlier ones.
        if film := self._find_stored_film(walk.id, spec):
            log.info("%s was stored already, by an earlier attempt", walk.accession)
            return film
        self._bring_pictures(spec)
        model = name_of_weights(spec.model, walk.model_digest, guided=spec.guided)
        render = self._renderer(model, remote=walk.remote)
        database = self._settings.database
        number, outbox = claim_or_wait(walk, self._open_storage, self._outbox, database)
        return render(
            spec,
            walk_id=walk.id,
            cache=self._cache,
            storage=self._open_storage(),
            outbox=outbox,
            entry=entry_of(walk) | {"accession": number},
            on_progress=on_progress,
            cancelled=cancelled,
            still_mine=still_mine,
        )

    def _bring_pictures(self, spec: WalkSpec) -> None:
        stop_pictures.bring(spec, self._cache, self._settings.database, self._open_storage)

    def delete_leftovers(self, walk: Walk) -> None:
        """Delete what was stored of a walk that was deleted or cancelled meanwhile."""
        delete_leftovers(walk.id, self._open_storage(), self._outbox, self._settings.database)

    def _find_stored_film(self, walk_id: str, spec: WalkSpec) -> StoredFilm | None:
        """The film that an earlier attempt stored, but could not mark as done; usually None."""
        for storage, waiting in ((self._outbox.films, True), (self._open_storage(), False)):
            with suppress(StorageError):  # out of reach: render what can be rendered
                if result := find_result(storage, walk_id, spec.digest()):
                    return StoredFilm(result, waiting)
        return None

    def _open_storage(self) -> Storage:
        """The storage, opened once. Raises StorageError if the settings name none."""
        if self._storage is None:
            try:
                self._storage = open_storage(
                    self._settings.store_root,
                    retry_seconds=self._retry_seconds,
                    may_be_made=partial(may_be_made, database=self._settings.database),
                )
            except BadInput as error:  # the settings' fault, not the walk's
                raise StorageError(str(error)) from error
        return self._storage

    def _renderer(self, model: str, *, remote: bool) -> Renderer:
        """This machine with its model, or the endpoint. Raises NotHere if there is none."""
        if not remote:
            return partial(self._renderers.render, runner=self.models.load(model))
        if self._remote is None:
            raise NotHere(
                "This walk was to be made at an endpoint, but the worker knows of none. "
                "Please set MOMALISA_ENDPOINT, or make the walk here."
            )
        return self._remote

    def _find_fault(self, error: Exception, message: str = "") -> Fault | None:
        """Blame an error that the walk is not to blame for; None for one that is the walk's."""
        blame = assign_blame(error)
        if blame is Blame.WALK:
            return None
        if blame is not Blame.DEVICE:
            # The error may have damaged the model in memory: load it again.
            self.models.release()
        return Fault(blame, describe_fault(error), message)

    def _error_message(self, error: Exception, job: str) -> str:
        """The sentence for the curator. Unexpected errors are logged with their traceback."""
        if isinstance(error, MomaLisaError):
            log.warning("%s failed: %s", job, error)
            return str(error)
        if isinstance(error, ValidationError):
            sentences = " ".join(explain(error).values())
            return f"This walk's settings cannot be used. {sentences}"
        log.exception("%s failed", job)
        where = self._settings.home / "logs"
        return f"{describe_fault(error)} The log in {where} says more."
