"""Hostile messages on Streamlit's WebSocket: random bytes, addresses of pages, values of forms."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.chaos.hostile_requests import FIELDS, NASTY, PAGES
from tests.support.app import App

MESSAGES = 20
"""Messages on one connection."""
QUIET_SECONDS, GIVE_UP_SECONDS = 0.5, 60.0
"""How long nothing comes until bytes were ignored; how long a page may take to answer."""
UNFORESEEN = b"nobody foresaw"
"""Part of the sentence that a page shows where its code raises an unforeseen error."""
VALUES: dict[str, Callable[[Any, Random], None]] = {
    "text_input": lambda state, random: _set(state, "string_value", random.choice(NASTY)),
    "text_area": lambda state, random: _set(state, "string_value", random.choice(NASTY)),
    "number_input": lambda state, random: _set(state, "double_value", _number(random)),
    "selectbox": lambda state, random: _set(state, "string_value", random.choice(NASTY)),
    "slider": lambda state, random: state.double_array_value.data.append(_number(random)),
    "button": lambda state, random: _set(state, "trigger_value", random.random() < 0.5),
    "checkbox": lambda state, random: _set(state, "bool_value", random.random() < 0.5),
    "button_group": lambda state, random: state.string_array_value.data.append(
        random.choice(NASTY)
    ),
    "multiselect": lambda state, random: state.string_array_value.data.append(random.choice(NASTY)),
}
"""Sets a hostile value of the right type, by the kind of widget."""


def send_messages(app: App, count: int, note: Callable[[str], None], seed: int = 7) -> None:
    """Send that many messages; `note` is told of each that was answered wrongly."""
    random = Random(seed)
    sent = 0
    while sent < count:
        with suppress(WebSocketException, ConnectionError), _connect(app) as connection:
            widgets: dict[str, str] = {}
            for _ in range(min(MESSAGES, count - sent)):
                sent += 1
                _send_one(connection, random, widgets, note)


def _connect(app: App) -> ClientConnection:
    address = app.url.replace("http", "ws", 1) + "/_stcore/stream"
    origin: Any = app.url
    subprotocol: Any = "streamlit"
    return connect(
        address, subprotocols=[subprotocol], origin=origin, max_size=None, open_timeout=60
    )


def _send_one(
    connection: ClientConnection,
    random: Random,
    widgets: dict[str, str],
    note: Callable[[str], None],
) -> None:
    """Send bytes, a kind of message that no page sends, or a rerun; note what is answered wrongly.

    That is an unforeseen error, or a page that hangs.
    """
    if random.random() < 0.2:
        noise, other = random.randbytes(random.randrange(200)), _make_other(random)
        connection.send(random.choice([noise, other.SerializeToString()]))
        list(_receive(connection, QUIET_SECONDS))
        return
    message = _make_rerun(random, widgets)
    connection.send(message.SerializeToString())
    finished = False
    for data in _receive(connection, GIVE_UP_SECONDS):
        if UNFORESEEN in data:
            note(f"an unforeseen error after {message!s:.500}")
        answer = ForwardMsg.FromString(data)
        _collect_widgets(answer, widgets)
        if answer.WhichOneof("type") == "script_finished":
            finished = True
            break
    if not finished:
        note(f"no answer to {message!s:.500}")


def _receive(connection: ClientConnection, seconds: float) -> Iterator[bytes]:
    """The messages that arrive within these seconds."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            data = connection.recv(timeout=left)
        except TimeoutError:
            return
        if isinstance(data, bytes):
            yield data


def _make_rerun(random: Random, widgets: dict[str, str]) -> BackMsg:
    """A rerun of a page with a hostile address and, of known widgets, hostile values."""
    message = BackMsg()
    rerun = message.rerun_script
    rerun.page_name = random.choice(PAGES)
    pairs = (f"{random.choice(FIELDS)}={random.choice(NASTY)}" for _ in range(random.randrange(4)))
    rerun.query_string = "&".join(pairs)
    for widget_id in random.sample(sorted(widgets), min(len(widgets), random.randrange(4))):
        state = rerun.widget_states.widgets.add()
        state.id = widget_id
        VALUES[widgets[widget_id]](state, random)
    return message


def _make_other(random: Random) -> BackMsg:
    """A message that Streamlit's client can send, and none of the pages does."""
    message = BackMsg()
    kind = random.choice(("load_git_info", "clear_cache", "set_run_on_save", "file_urls_request"))
    if kind == "file_urls_request":
        message.file_urls_request.file_names.extend([""] * random.choice((1, 100_000)))
    else:
        setattr(message, kind, True)
    return message


def _collect_widgets(message: ForwardMsg, widgets: dict[str, str]) -> None:
    """Remember the ids of the widgets in a message, by kind."""
    if message.WhichOneof("type") != "delta" or not message.delta.HasField("new_element"):
        return
    element = message.delta.new_element
    kind = element.WhichOneof("type") or ""
    if kind in VALUES:
        widgets[_id_of(getattr(element, kind))] = kind


def _id_of(element: Any) -> str:
    """The id of a widget."""
    return str(element.id)


def _choose(state: Any, random: Random) -> None:
    state.string_array_value.data.append(random.choice(NASTY))


def _set(state: Any, name: str, value: object) -> None:
    setattr(state, name, value)


def _number(random: Random) -> float:
    some = (0.0, -1.0, 1e308, -1e308, 1e-300, 2.0**70, math.nan, math.inf, random.random() * 1000)
    return random.choice(some)
