"""Which messages of a page's WebSocket are taken: those that the pages send, and no others.

Streamlit's client can ask for more than a page needs. It answers every connection, signed in or
not, on the event loop: with the names of changed files in the checkout, for one, or with an address
for each of half a million uploads, which stopped the server for 12 s.
"""

import math
from enum import Enum

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg

from momalisa.connection_limits import MESSAGE_BYTES

USED = frozenset({"rerun_script", "stop_script", "app_heartbeat"})
"""The kinds of messages that pages send. One that an update brings is left out until it is here."""
MOST_WIDGETS = 1_000
"""Widgets whose state a page may send; the largest page has a tenth of it."""


class Verdict(Enum):
    """What becomes of a message."""

    TAKEN = "taken"
    RUN = "run"
    """Taken, and a whole page runs for it, which costs far more than one of its parts."""
    IGNORED = "ignored"
    """A kind that no page needs, such as the key that empties Streamlit's caches."""
    REFUSED = "refused"
    """No page sends it; its connection is closed."""


def judge(data: bytes | None) -> Verdict:
    """Decide about a message by its size, kind and numbers; None stands for text."""
    if data is None or len(data) > MESSAGE_BYTES:
        return Verdict.REFUSED
    try:
        message = BackMsg.FromString(data)
    except DecodeError:
        return Verdict.REFUSED
    kind = message.WhichOneof("type")
    if kind is None or not _has_plausible_widgets(message):
        return Verdict.REFUSED
    if kind == "rerun_script" and not message.rerun_script.fragment_id:
        return Verdict.RUN
    return Verdict.TAKEN if kind in USED else Verdict.IGNORED


def _has_plausible_widgets(message: BackMsg) -> bool:
    """Whether a page may have so many widgets, and their numbers."""
    widgets = message.rerun_script.widget_states.widgets
    return len(widgets) <= MOST_WIDGETS and all(
        math.isfinite(number)
        for widget in widgets
        for number in (widget.double_value, *widget.double_array_value.data)
    )
