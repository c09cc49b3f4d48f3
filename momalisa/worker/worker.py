"""The worker: claim a walk, render it, finish it, and go on with the next one.

A heartbeat thread keeps the lease of the walk in hand and carries its progress to the row. Stills
are answered between walks, and between the frames of one.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import ValidationError

from db import queue, stills, worker_registry
from db.error_messages import HistoryError
from db.models import Still, Walk
from db.queue import LeaseStatus
from db.session import writing
from momalisa import render as engine
from momalisa.backoff import Backoff
from momalisa.engine.frame_cache import open_frame_cache
from momalisa.errors import BadInput, Cancelled, MomaLisaError
from momalisa.models import registry
from momalisa.settings import Settings
from momalisa.spec import Place, WalkSpec, explain
from momalisa.storage import Storage, open_storage
from momalisa.storage.outbox import open_outbox
from momalisa.worker.courier import Courier

LEASE = 30.0
BEAT = 1.0
POLL = 0.2
GRACE = 10.0
LONGEST_PAUSE = 30.0
"""Seconds between two tries to reach a history that is away."""
PATIENCE = (15.0, 120.0)
"""How long to try to reach the storage: for a film just made, and for one that waits already."""

_State = tuple[str, list[list[Any]]]

log = logging.getLogger(__name__)


class Hand:
    """The walk in hand, as the rendering and the heartbeat thread share it."""

    def __init__(self, walk: Walk, owner: str) -> None:
        self.lease: dict[str, Any] = {
            "walk_id": walk.id,
            "owner": owner,
            "attempt": walk.attempt,
        }
        self.hold = LeaseStatus.HELD
        self._now: _State = ("loading", [])
        self._written: _State = self._now

    def report(self, progress: engine.Progress) -> None:
        """Note how far the walk is; the next heartbeat writes it."""
        rough = [[place, key, "rough"] for place, key in progress.previews]
        self._now = (progress.stage, [[place, key] for place, key in progress.ready] + rough)

    def news(self) -> tuple[dict[str, Any], Callable[[], None]]:
        """What the row does not know yet, and what to call once it is written."""
        now = self._now
        news: dict[str, Any] = {}
        if now[0] != self._written[0]:
            news["stage"] = now[0]
        if now[1] != self._written[1]:
            news["progress"] = now[1]

        def written() -> None:
            self._written = now

        return news, written


class Worker:
    """Renders one walk after the other. No walk's error ends it.

    `load(name, device)` gives a model, `render` a film, `remote` one painted at the endpoint of
    the settings, `still` a frame's key. Times are seconds: how long a lease lasts, between
    heartbeats, between looks at an empty queue, and for how long to try to reach the storage.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        load: Callable[[str, str], Any] = registry.load,
        render: Callable[..., Any] = engine.render,
        remote: Callable[..., Any] | None = None,
        still: Callable[..., str] = engine.render_still,
        lease: float = LEASE,
        beat: float = BEAT,
        poll: float = POLL,
        patience: tuple[float, float] = PATIENCE,
    ) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.settings = settings
        self._load, self._render, self._still = load, render, still
        self._remote = remote or _remote(settings.endpoint)
        self._cache = open_frame_cache(settings)
        self._storage: Storage | None = None
        self._patience = patience[0]
        self._outbox = open_outbox(settings)
        patiently = partial(open_storage, settings.store_root, retry_seconds=patience[1])
        self._courier = Courier(self._outbox, patiently, settings.database)
        self._lease, self._beat, self._poll = lease, beat, poll
        self._backoff, self._heard = Backoff(2 * poll, LONGEST_PAUSE), True
        self._model: tuple[str, Any] | None = None
        self._hand: Hand | None = None
        # Plain flags, not Events: a signal may come while this very thread holds an Event's lock.
        self._stop_since: float | None = None
        self._ended = False
        self._last_beat = self._last_look = 0.0
        self.last_resort: Callable[[], None] | None = None

    def stop(self) -> None:
        """Give the walk in hand back and end; safe in a signal handler and in any thread."""
        if self._stop_since is None:
            self._stop_since = time.monotonic()

    @property
    def stopping(self) -> bool:
        """Whether the worker was asked to end."""
        return self._stop_since is not None

    def run(self, *, once: bool = False) -> None:
        """Work until `stop`, or, with `once`, until the queue is empty."""
        heart = threading.Thread(target=self._heart, name="heartbeat", daemon=True)
        self._tick()
        heart.start()
        try:
            if not once:
                self._start_courier()
                self._warm()
            while not self.stopping and (self._next(patient=not once) or not once):
                pass
            if once:
                self._courier.go()
        finally:
            self._ended = True
            heart.join()
            with writing(self.settings.database) as session:
                worker_registry.remove(session=session, name=self.name)

    def _start_courier(self) -> None:
        """Send what waits in the outbox beside the rendering; it may be killed at any moment."""
        run = threading.Thread(
            target=self._courier.run, args=(lambda: self._ended,), name="courier", daemon=True
        )
        run.start()

    def _next(self, *, patient: bool) -> bool:
        """Answer a still and make the next walk; False, after a short wait, when nobody asks.

        After an error of the history the wait gets ever longer, or, not `patient`, it is raised.
        """
        try:
            answered = self._answer()
            with writing(self.settings.database) as session:
                walk = queue.claim(session=session, owner=self.name, lease_seconds=self._lease)
            if walk is not None:
                self._make(walk)
            self._backoff.reset()
            if answered or walk is not None:
                return True
        except Exception as error:
            # The history itself, say, was out of reach: the lease brings the walk back.
            if not patient:
                raise
            _tell("The worker goes on after an error", error)
            self._rest(self._backoff.next_pause())
        else:
            self._rest(self._poll)
        return False

    def _rest(self, seconds: float) -> None:
        """Do nothing for so long, or until the worker shall stop."""
        end = time.monotonic() + seconds
        while not self.stopping and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self._poll))

    def _make(self, walk: Walk) -> None:
        """Render a walk and write its end, whatever happens to it."""
        hand = self._hand = Hand(walk, self.name)
        try:
            end, detail = self._outcome(walk, hand)
            news, _ = hand.news()
            with writing(self.settings.database) as session:
                queue.renew_lease(session=session, **hand.lease, lease_seconds=self._lease, **news)
                if not end(session=session, **hand.lease, **detail):
                    log.info("%s was not this worker's any more", walk.accession)
        finally:
            self._hand = None

    def _outcome(self, walk: Walk, hand: Hand) -> tuple[Callable[..., bool], dict[str, Any]]:
        """How the walk ended: the function of `db.queue` that says so, and what it is told."""
        try:
            film = self._rendered(walk, hand)
        except Cancelled as error:
            if hand.hold is LeaseStatus.CANCEL_REQUESTED:
                return queue.confirm_cancel, {}
            if self.stopping or hand.hold is LeaseStatus.LOST:
                return queue.give_back, {}
            return queue.fail, {"error": str(error)}
        except Exception as error:
            return queue.fail, {"error": self._sentence(error, walk.accession)}
        result = film.result.model_dump(include=set(queue.RESULT))
        return queue.finish, {"result": result, "waiting": film.waiting}

    def _sentence(self, error: Exception, failed: str) -> str:
        """What to tell the curator; what nobody foresaw, the log tells whole."""
        if isinstance(error, MomaLisaError):
            log.warning("%s failed: %s", failed, error)
            return str(error)
        if isinstance(error, ValidationError):
            sentences = " ".join(explain(error).values())
            return f"This walk's settings cannot be used. {sentences}"
        log.exception("%s failed", failed)
        # Whatever went wrong may have damaged the model in memory: load it anew.
        self._model = None
        where = self.settings.home / "logs"
        return (
            f"Something unforeseen happened ({type(error).__name__}). The log in {where} says more."
        )

    def _rendered(self, walk: Walk, hand: Hand) -> Any:
        spec = WalkSpec.stored(walk.spec)
        if self._storage is None:
            self._storage = open_storage(self.settings.store_root, retry_seconds=self._patience)
        render = self._way(spec.model, remote=walk.remote)
        return render(
            spec,
            walk_id=walk.id,
            cache=self._cache,
            storage=self._storage,
            outbox=self._outbox,
            entry=_entry(walk),
            on_progress=lambda progress: self._follow(progress, hand, spec.model),
            cancelled=lambda: self.stopping or hand.hold is not LeaseStatus.HELD,
        )

    def _way(self, model: str, *, remote: bool) -> Callable[..., Any]:
        """What renders a walk: this machine with its model, or the endpoint."""
        if not remote:
            return partial(self._render, runner=self._loaded(model))
        if self._remote is None:
            raise BadInput(
                "This walk was to be made at an endpoint, but the worker knows of none. "
                "Please set MOMALISA_ENDPOINT, or make the walk here."
            )
        return self._remote

    def _follow(self, progress: engine.Progress, hand: Hand, model: str) -> None:
        """Note how far the walk is; now and then answer a still that its model can paint."""
        hand.report(progress)
        if self.stopping or time.monotonic() - self._last_look < self._poll:
            return
        try:
            self._answer(model)
        except Exception:
            # Not the walk's fault.
            log.warning("A still was lost", exc_info=True)

    def _answer(self, model: str = "") -> bool:
        """Paint a still, one of that model if it is named; False when nobody asks for one."""
        self._last_look = time.monotonic()
        with writing(self.settings.database) as session:
            still = stills.claim(session=session, owner=self.name, model=model)
        if still is None:
            return False
        end: Callable[..., bool] = stills.finish
        try:
            told = {"key": self._painted(still)}
        except Exception as error:
            end, told = stills.fail, {"error": self._sentence(error, f"Still {still.id}")}
        with writing(self.settings.database) as session:
            end(session=session, still_id=still.id, owner=self.name, **told)
        return True

    def _painted(self, still: Still) -> str:
        """The key of a still's frame in the cache."""
        if self.settings.endpoint:
            raise BadInput(
                "Walks are made at an endpoint here, which paints whole walks only. "
                "Please make the walk to see what lies between its stops."
            )
        spec, place = WalkSpec.stored(still.spec), Place(still.leg, still.t)
        return self._still(spec, place, self._loaded(spec.model), self._cache)

    def _loaded(self, name: str) -> Any:
        """The model of that name, loaded unless it is the one of the last walk."""
        if self._model is None or self._model[0] != name:
            # Let go of the last one first: two may not fit.
            self._model = None
            self._model = (name, self._load(name, self.settings.device))
        return self._model[1]

    def _warm(self) -> None:
        """Load the usual model before anybody asks for it: that takes seconds."""
        if self.settings.endpoint:
            return
        try:
            self._loaded(self.settings.model)
        except Exception as error:
            # The walk that wants it will say so to its curator.
            log.warning("%s is not ready: %s", self.settings.model, error)

    def _heart(self) -> None:
        """Beat until the worker has ended."""
        while not self._ended:
            time.sleep(min(self._beat, 0.1))
            if not self._ended and self._due():
                self._beat_once()
            if self._stop_since and time.monotonic() - self._stop_since > GRACE:
                if self.last_resort:
                    self.last_resort()
                return

    def _beat_once(self) -> None:
        """A heartbeat; of those that are lost one after another the log tells the first."""
        try:
            self._tick()
            self._heard = True
        except Exception as error:
            if self._heard:
                _tell("A heartbeat was lost", error)
            self._heard = False

    def _due(self) -> bool:
        hand = self._hand
        leaving = self.stopping and hand is not None and hand.hold is not LeaseStatus.LOST
        return leaving or time.monotonic() - self._last_beat >= self._beat

    def _tick(self) -> None:
        """One heartbeat: the worker lives; the walk in hand is kept, or given back at the end."""
        self._last_beat = time.monotonic()
        device = str(getattr(self._model[1], "device", "")) if self._model else ""
        hand = self._hand
        with writing(self.settings.database) as session:
            worker_registry.record_heartbeat(
                session=session,
                name=self.name,
                pid=os.getpid(),
                host=socket.gethostname(),
                device=device,
            )
        if hand is None or hand.hold is LeaseStatus.LOST:
            return
        with writing(self.settings.database) as session:
            if self.stopping:
                # At once, not when the renderer notices: whoever ends us may not wait for that.
                queue.give_back(session=session, **hand.lease)
                hold, written = LeaseStatus.LOST, _nothing
            else:
                news, written = hand.news()
                hold = queue.renew_lease(
                    session=session, **hand.lease, lease_seconds=self._lease, **news
                )
        written()
        hand.hold = hold


def _entry(walk: Walk) -> dict[str, Any]:
    """What the film's record says of the walk beside its spec and its result."""
    return {
        "accession": walk.accession,
        "created_at": walk.created_at.isoformat(),
        "parent": walk.parent,
    }


def _nothing() -> None:
    pass


def _tell(what: str, error: Exception) -> None:
    """Log an error: one of the history as its sentence, any other whole."""
    known = isinstance(error, HistoryError)
    log.warning("%s: %s", what, error, exc_info=not known)


def _remote(endpoint: str) -> Callable[..., Any] | None:
    if not endpoint:
        return None
    from momalisa.cloud.endpoint import Endpoint

    return Endpoint(endpoint).render
