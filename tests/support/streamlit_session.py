"""A visitor's session with the app over Streamlit's WebSocket, as its browser client has one."""

import asyncio
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

SUCCESSFUL = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    ForwardMsg.FINISHED_EARLY_FOR_RERUN,
)


class StreamlitSession:
    """Opens pages and counts what comes back; reruns fragments that ask for it meanwhile."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: ClientConnection | None = None
        self._reruns: dict[str, asyncio.Task[None]] = {}
        self._intervals: dict[str, float] = {}
        self._finished = asyncio.Event()
        self._place = ("", "")
        self._reader: asyncio.Task[None] | None = None
        self.messages = 0
        self.kinds: set[str] = set()
        """The kinds of messages that came."""
        self.fragment_runs = 0
        self.errors: list[str] = []

    async def __aenter__(self) -> Self:
        socket = self._url.replace("http", "ws", 1) + "/_stcore/stream"
        self._connection = await connect(
            socket,
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
            open_timeout=60,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stop_reruns()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        if self._connection is not None:
            await self._connection.close()

    async def open(self, page: str = "", query: str = "", seconds: float = 60.0) -> float:
        """Open a page; return the seconds until its script has finished. Raises TimeoutError."""
        self._stop_reruns()
        self._place = (page, query)
        self._finished.clear()
        began = time.perf_counter()
        await self._send_rerun()
        await asyncio.wait_for(self._finished.wait(), seconds)
        return time.perf_counter() - began

    async def _send_rerun(self, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.query_string = self._place
        state.context_info.url = f"{self._url}/{self._place[0]}"
        state.context_info.timezone = "UTC"
        state.fragment_id = fragment
        state.is_auto_rerun = bool(fragment)
        await self.send(message)

    async def send(self, message: BackMsg) -> None:
        """Send a message, whatever the page itself would send."""
        assert self._connection is not None
        await self._connection.send(message.SerializeToString())

    async def _read(self) -> None:
        assert self._connection is not None
        async for data in self._connection:
            assert isinstance(data, bytes)
            self._take(ForwardMsg.FromString(data))

    def _take(self, message: ForwardMsg) -> None:
        self.messages += 1
        kind = message.WhichOneof("type")
        self.kinds.add(kind or "")
        if kind == "script_finished":
            if message.script_finished not in SUCCESSFUL:
                self.errors.append(f"script finished with {message.script_finished}")
            if message.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
                self.fragment_runs += 1
            else:
                self._finished.set()
        elif kind == "auto_rerun":
            self._rerun_every(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            self.errors.append(message.delta.new_element.exception.message)
        elif kind == "page_not_found":
            self.errors.append("no such page")

    def _rerun_every(self, fragment: str, interval: float) -> None:
        if self._intervals.get(fragment) == interval:
            return
        if fragment in self._reruns:
            self._reruns[fragment].cancel()
        self._intervals[fragment] = interval
        self._reruns[fragment] = asyncio.create_task(self._rerun(fragment, interval))

    async def _rerun(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._send_rerun(fragment)

    def _stop_reruns(self) -> None:
        for task in self._reruns.values():
            task.cancel()
        self._reruns.clear()
        self._intervals.clear()
