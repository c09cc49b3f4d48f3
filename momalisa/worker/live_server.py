"""Takes questions for pictures from the web process of the same home, and lets them wait in turn.

Of one maker only the newest question waits. Threads read and answer; the worker's own takes the
next question when it has time for it, and paints.
"""

import contextlib
import logging
import socketserver
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any, NamedTuple

from db.stills import LOCAL, group_of_maker
from momalisa.engine.frame_cache import Frame
from momalisa.errors import MomaLisaError
from momalisa.settings import Settings
from momalisa.worker.live_socket import (
    ANSWER_SECONDS,
    LOADING,
    MOST_BYTES,
    WAKE,
    AnswerHead,
    Question,
    encode_pictures,
    short_name,
    socket_path,
)

READ_SECONDS = 1.0
"""How long the web process may take to send a question, or to read an answer."""
WAITING_EACH = 4
"""Questions of one account or address that may wait at a time."""
SPARE_CONNECTIONS = 24
"""Connections beyond the questions that may wait."""
TURN_SECONDS = 60.0
"""The next question is of those for whom the fewest were answered in this time."""
TOO_MANY = "Many pictures are being asked for just now."
SUPERSEDED = "Another place was asked for since."
BUSY = "The worker has much to do just now."
OTHER_MODEL = "The worker has another model in memory."

log = logging.getLogger(__name__)


class LiveError(MomaLisaError):
    """There are no pictures; the message says why."""


class Waiting(NamedTuple):
    """A question, and where its pictures go."""

    question: Question
    pictures: Future[Sequence[Frame]]


class LiveServer:
    """The questions that wait, and the socket that they come from.

    `get_model` returns the name of the model in memory: questions for others are refused at once,
    since loading takes too long. `get_loading_name` tells which one is being loaded. At most `most`
    questions wait.
    """

    def __init__(
        self,
        settings: Settings,
        get_model: Callable[[], str],
        get_loading_name: Callable[[], str] = str,
    ) -> None:
        self._path, self.most = socket_path(settings), settings.stills
        self._get_model, self._get_loading_name = get_model, get_loading_name
        self._waiting: dict[str, Waiting] = {}
        self._is_woken = False
        self._changed = threading.Condition()
        self._served: deque[tuple[float, str]] = deque()
        self._server: socketserver.BaseServer | None = None

    def open(self) -> None:
        """Listen, in a daemon thread. Where that cannot be, a log entry says so and no more."""
        try:
            self._server = _listen(self._path, self)
        except (AttributeError, OSError) as error:  # the former on Windows
            log.warning("Pictures cannot be asked for directly: %s", error)
            return
        threading.Thread(target=self._server.serve_forever, name="live", daemon=True).start()

    def close(self) -> None:
        """Listen no more, and refuse those who wait."""
        if self._server is not None:
            self._path.unlink(missing_ok=True)
            self._server.shutdown()
            self._server.server_close()
        with self._changed:
            for waiting in self._waiting.values():
                waiting.pictures.cancel()
            self._waiting.clear()

    def wait(self, seconds: float) -> bool:
        """Wait until there is a question, or the worker is woken; whether so it is."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._waiting) or self._is_woken, seconds)

    def take_wake(self) -> bool:
        """Whether the worker was woken since it was asked last, to look into the queue."""
        with self._changed:
            was_woken, self._is_woken = self._is_woken, False
        return was_woken

    def take(self, model: str = "") -> Waiting | None:
        """Take the question whose turn it is; None without one.

        The oldest of the account or address for which the fewest were answered lately. `model` is
        that of a walk that would be interrupted: then only a question for it, and none that is
        ahead of a drag.
        """
        with self._changed:
            now = time.monotonic()
            while self._served and self._served[0][0] < now - TURN_SECONDS:
                self._served.popleft()
            served = Counter(group for _, group in self._served)
            fitting = [
                maker
                for maker, waiting in self._waiting.items()
                if not model
                or (waiting.question.spec.model == model and not waiting.question.ahead)
            ]

            def turn(maker: str) -> tuple[bool, int]:
                return self._waiting[maker].question.ahead, served[group_of_maker(maker)]

            for maker in sorted(fitting, key=turn):
                waiting = self._waiting.pop(maker)
                if waiting.pictures.set_running_or_notify_cancel():
                    if not waiting.question.ahead:  # which takes no turn from another
                        self._served.append((now, group_of_maker(maker)))
                    return waiting
        return None

    def must_give_way(self, question: Question) -> bool:
        """Whether to abandon a question ahead of a drag, since another waits.

        One that explores a leg goes on for those that gain by it.
        """
        with self._changed:
            return question.ahead and any(
                not waiting.pictures.cancelled()
                and not waiting.question.ahead
                and not (question.explores and waiting.question.shares_leg_with(question))
                for waiting in self._waiting.values()
            )

    def answer(self, line: bytes) -> bytes:
        """The answer to a question: pictures, or why there are none. Waits for the worker.

        To be woken is no question, and has no answer.
        """
        if line == WAKE:
            with self._changed:
                self._is_woken = True
                self._changed.notify()
            return b""
        try:
            return self._answer(Question.decode(line))
        except (LiveError, ValueError) as error:
            return AnswerHead(error=str(error)).encode()

    def _answer(self, question: Question) -> bytes:
        """Wait for a question's pictures. Raises LiveError."""
        is_loading = question.spec.model == self._get_loading_name()
        if question.spec.model != self._get_model():
            raise LiveError(LOADING if is_loading else OTHER_MODEL)
        pictures = self._enqueue(question)
        try:
            data = encode_pictures(pictures.result(ANSWER_SECONDS), rough=question.rough)
        except CancelledError:
            raise LiveError(SUPERSEDED) from None
        except TimeoutError:
            pictures.cancel()
            raise LiveError(BUSY) from None
        return AnswerHead(size=len(data)).encode() + data

    def _enqueue(self, question: Question) -> Future[Sequence[Frame]]:
        """Let a question wait instead of its maker's last one. Raises LiveError if too many do."""
        waiting = Waiting(question, Future())
        with self._changed:
            before = self._waiting.get(question.maker)
            if before is not None:
                if question.ahead and not before.question.ahead:
                    raise LiveError(SUPERSEDED)
                self._waiting.pop(question.maker).pictures.cancel()
            self._check_limits(question.maker, ahead=question.ahead)
            self._waiting[question.maker] = waiting
            self._changed.notify()
        return waiting.pictures

    def _check_limits(self, maker: str, *, ahead: bool) -> None:
        """Raise LiveError if too many wait. Those ahead of drags keep no others from waiting."""
        makers = [
            one
            for one, waiting in self._waiting.items()
            if not waiting.pictures.cancelled() and (ahead or not waiting.question.ahead)
        ]
        alike = sum(group_of_maker(one) == group_of_maker(maker) for one in makers)
        local = sum(one.startswith(LOCAL) for one in makers) if maker.startswith(LOCAL) else 0
        if len(makers) >= self.most or alike >= WAITING_EACH or 2 * local >= self.most:
            raise LiveError(TOO_MANY)


def _listen(path: Path, live: LiveServer) -> socketserver.BaseServer:
    """Bind the socket that stands for this worker. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)  # before there is a socket in it
    path.unlink(missing_ok=True)  # of a worker that was killed; the home's lock says that it is

    class Handler(socketserver.StreamRequestHandler):
        timeout = READ_SECONDS

        def handle(self) -> None:
            self.wfile.write(live.answer(self.rfile.readline(MOST_BYTES)))

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64
        free = threading.BoundedSemaphore(live.most + SPARE_CONNECTIONS)

        def process_request(self, request: Any, client_address: Any) -> None:
            if self.free.acquire(blocking=False):
                super().process_request(request, client_address)
            else:
                self.shutdown_request(request)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                super().process_request_thread(request, client_address)
            finally:
                self.free.release()

        def handle_error(self, request: Any, client_address: Any) -> None:
            log.debug("A question was lost", exc_info=True)

    with short_name(path) as name:
        server = Server(name, Handler)
    with contextlib.suppress(OSError):
        path.chmod(0o600)
    return server
