"""The worker: claim a walk, render it, finish it, and go on with the next one.

A heartbeat thread keeps the lease of the walk in hand and carries its progress to the row.
"""

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from pydantic import ValidationError

from db import queue
from db.models import Walk
from db.queue import Hold
from db.session import migrate, writing
from momalisa.errors import Cancelled, MomaLisaError
from momalisa.outbox import Courier, outbox_of
from momalisa.settings import Settings
from momalisa.spec import WalkSpec, explain
from momalisa.storage import Storage, open_storage
from momalisa.supervise import SUPERVISED

LEASE = 30.0
BEAT = 1.0
POLL = 0.3
GRACE = 10.0
PATIENCE = (15.0, 120.0)
"""How long to try to reach the storage: for a film just made, and for one that waits already."""

_State = tuple[str, list[list[Any]]]

log = logging.getLogger(__name__)


class Progress(Protocol):
    """What the renderer reports: a stage, and (place, frame key) of each picture so far."""

    @property
    def stage(self) -> str:
        """Loading, frames, film or storing."""

    @property
    def ready(self) -> tuple[tuple[int, str], ...]:
        """The frames, in the order they became ready."""

    @property
    def rough(self) -> tuple[tuple[int, str], ...]:
        """The previews of frames that are not ready."""


class Hand:
    """The walk in hand, as the rendering and the heartbeat thread share it."""

    def __init__(self, walk: Walk, owner: str) -> None:
        self.lease: dict[str, Any] = {
            "walk_id": walk.id,
            "owner": owner,
            "attempt": walk.attempt,
        }
        self.hold = Hold.KEPT
        self._now: _State = ("loading", [])
        self._written: _State = self._now

    def report(self, progress: Progress) -> None:
        """Note how far the walk is; the next heartbeat writes it."""
        rough = [[place, key, "rough"] for place, key in progress.rough]
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

    `load(name, device)` gives a model, `render` a film, `cache(settings)` the frame cache: by
    default those of momalisa.models.registry, momalisa.render and momalisa.frames. Times are
    seconds: how long a lease lasts, between heartbeats, between looks at an empty queue, and for
    how long to try to reach the storage.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        load: Callable[[str, str], Any] | None = None,
        render: Callable[..., Any] | None = None,
        cache: Callable[[Settings], Any] | None = None,
        lease: float = LEASE,
        beat: float = BEAT,
        poll: float = POLL,
        patience: tuple[float, float] = PATIENCE,
    ) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.settings = settings
        self._load = load or _load
        self._render = render or _render
        self._open_cache = cache or _cache
        self._storage: Storage | None = None
        self._patience = patience[0]
        self._outbox = outbox_of(settings)
        patiently = partial(open_storage, settings.store_root, patience=patience[1])
        self._courier = Courier(self._outbox, patiently, settings.database)
        self._cache: Any = None
        self._lease, self._beat, self._poll = lease, beat, poll
        self._model: tuple[str, Any] | None = None
        self._hand: Hand | None = None
        # Plain flags, not Events: a signal may come while this very thread holds an Event's lock.
        self._stop_since: float | None = None
        self._ended = False
        self._last_beat = 0.0
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
            while not self.stopping and (self._next() or not once):
                pass
            if once:
                self._courier.go()
        finally:
            self._ended = True
            heart.join()
            with writing(self.settings.database) as session:
                queue.gone(session=session, name=self.name)

    def _start_courier(self) -> None:
        """Send what waits in the outbox beside the rendering; it may be killed at any moment."""
        run = threading.Thread(
            target=self._courier.run, args=(lambda: self._ended,), name="courier", daemon=True
        )
        run.start()

    def _next(self) -> bool:
        """Make the next walk; False, after a short wait, when there was none."""
        try:
            with writing(self.settings.database) as session:
                walk = queue.claim(session=session, owner=self.name, lease_seconds=self._lease)
            if walk is not None:
                self._make(walk)
                return True
        except Exception:
            # The history itself, say, was out of reach: the lease brings the walk back.
            log.exception("The worker goes on after an error")
        time.sleep(self._poll)
        return False

    def _make(self, walk: Walk) -> None:
        """Render a walk and write its end, whatever happens to it."""
        hand = self._hand = Hand(walk, self.name)
        try:
            end, detail = self._outcome(walk, hand)
            news, _ = hand.news()
            with writing(self.settings.database) as session:
                queue.heartbeat(session=session, **hand.lease, lease_seconds=self._lease, **news)
                if not end(session=session, **hand.lease, **detail):
                    log.info("%s was not this worker's any more", walk.accession)
        finally:
            self._hand = None

    def _outcome(self, walk: Walk, hand: Hand) -> tuple[Callable[..., bool], dict[str, Any]]:
        """How the walk ended: the function of `db.queue` that says so, and what it is told."""
        try:
            rendered = self._rendered(walk, hand)
        except Cancelled as error:
            if hand.hold is Hold.STOP:
                return queue.cancelled, {}
            if self.stopping or hand.hold is Hold.LOST:
                return queue.give_back, {}
            return queue.fail, {"error": str(error)}
        except MomaLisaError as error:
            log.warning("%s failed: %s", walk.accession, error)
            return queue.fail, {"error": str(error)}
        except ValidationError as error:
            sentences = " ".join(explain(error).values())
            return queue.fail, {"error": f"This walk's settings cannot be used. {sentences}"}
        except Exception as error:
            log.exception("%s failed", walk.accession)
            # Whatever went wrong may have damaged the model in memory: load it anew.
            self._model = None
            sentence = f"Something unforeseen happened to this film ({type(error).__name__})."
            where = self.settings.home / "logs"
            return queue.fail, {"error": f"{sentence} The log in {where} says more."}
        result = {name: getattr(rendered, name) for name in queue.RESULT}
        return queue.finish, {"result": result, "waiting": rendered.waiting}

    def _rendered(self, walk: Walk, hand: Hand) -> Any:
        spec = WalkSpec.model_validate(walk.spec)
        if self._cache is None:
            self._cache = self._open_cache(self.settings)
        if self._storage is None:
            self._storage = open_storage(self.settings.store_root, patience=self._patience)
        return self._render(
            spec,
            walk_id=walk.id,
            model=self._loaded(spec.model),
            cache=self._cache,
            storage=self._storage,
            outbox=self._outbox,
            entry=_entry(walk),
            on_progress=hand.report,
            cancelled=lambda: self.stopping or hand.hold is not Hold.KEPT,
        )

    def _loaded(self, name: str) -> Any:
        """The model of that name, loaded unless it is the one of the last walk."""
        if self._model is None or self._model[0] != name:
            # Let go of the last one first: two may not fit.
            self._model = None
            self._model = (name, self._load(name, self.settings.device))
        return self._model[1]

    def _warm(self) -> None:
        """Load the usual model before anybody asks for it: that takes seconds."""
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
                try:
                    self._tick()
                except Exception:
                    log.warning("A heartbeat was lost", exc_info=True)
            if self._stop_since and time.monotonic() - self._stop_since > GRACE:
                if self.last_resort:
                    self.last_resort()
                return

    def _due(self) -> bool:
        hand = self._hand
        leaving = self.stopping and hand is not None and hand.hold is not Hold.LOST
        return leaving or time.monotonic() - self._last_beat >= self._beat

    def _tick(self) -> None:
        """One heartbeat: the worker lives; the walk in hand is kept, or given back at the end."""
        self._last_beat = time.monotonic()
        device = str(getattr(self._model[1], "device", "")) if self._model else ""
        hand = self._hand
        with writing(self.settings.database) as session:
            queue.seen(
                session=session,
                name=self.name,
                pid=os.getpid(),
                host=socket.gethostname(),
                device=device,
            )
        if hand is None or hand.hold is Hold.LOST:
            return
        with writing(self.settings.database) as session:
            if self.stopping:
                # At once, not when the renderer notices: whoever ends us may not wait for that.
                queue.give_back(session=session, **hand.lease)
                hold, written = Hold.LOST, _nothing
            else:
                news, written = hand.news()
                hold = queue.heartbeat(
                    session=session, **hand.lease, lease_seconds=self._lease, **news
                )
        written()
        hand.hold = hold


def run(settings: Settings, *, once: bool = False) -> None:
    """Be a worker process, until SIGTERM or SIGINT; with `once`, until the queue is empty."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("momalisa").setLevel(logging.INFO)
    migrate(settings.database)
    run_process(_worker(settings), once=once)


def _worker(settings: Settings) -> Worker:
    """A worker that paints here or, if the settings name an endpoint, has walks painted there."""
    if not settings.endpoint:
        return Worker(settings)
    from momalisa.cloud.endpoint import Endpoint

    endpoint = Endpoint(settings.endpoint)
    return Worker(settings, load=endpoint.load, render=endpoint.render)


def run_process(worker: Worker, *, once: bool = False) -> None:
    """Run `worker` as what this process is for: signals end it, and so does a lost parent."""
    supervised = os.environ.get(SUPERVISED) == "1"
    worker.last_resort = _leave
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: _asked_to_end(worker, number))
    if supervised:
        threading.Thread(target=_watch_parent, args=(worker,), daemon=True).start()
        if hasattr(os, "nice"):
            # The pages stay quick while a film is made on the same cores.
            os.nice(5)
    log.info("%s works", worker.name)
    worker.run(once=once)
    log.info("%s ends", worker.name)


def _asked_to_end(worker: Worker, number: int) -> None:
    worker.stop()
    # Asked twice: end at once.
    signal.signal(number, signal.SIG_DFL)


def _watch_parent(worker: Worker) -> None:
    """End with the process that holds the other end of standard input, however it ends."""
    # Not sys.stdin: a thread blocked in there makes the interpreter's own end fail.
    while os.read(0, 4096):
        pass
    worker.stop()


def _leave() -> None:
    """The renderer did not stop in time; its walk is given back already."""
    logging.shutdown()
    os._exit(1)


def _entry(walk: Walk) -> dict[str, Any]:
    """What the film's record says of the walk beside its spec and its result."""
    return {
        "accession": walk.accession,
        "created_at": walk.created_at.isoformat(),
        "parent": walk.parent,
    }


def _nothing() -> None:
    pass


def _load(name: str, device: str) -> Any:
    from momalisa.models.registry import load

    return load(name, device)


def _render(spec: WalkSpec, **how: Any) -> Any:
    from momalisa.render import render

    return render(spec, **how)


def _cache(settings: Settings) -> Any:
    from momalisa.frames import FrameCache

    return FrameCache(settings.frame_cache, int(settings.cache_gb * 1e9))
