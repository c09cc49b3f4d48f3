"""Which messages of a page's WebSocket are taken."""

import asyncio
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from db.curation import NOTES_LENGTH, TAG_LENGTH, TITLE_LENGTH
from momalisa.connection_limits import MESSAGE_BYTES
from momalisa.field_checks import TEXT_LENGTH
from momalisa.spec import STOPS
from momalisa.ui.http.page_messages import MOST_WIDGETS, Verdict, judge
from tests.support.app import running_app
from tests.support.streamlit_session import StreamlitSession


def _rerun(widgets: int = 0) -> BackMsg:
    message = BackMsg()
    message.rerun_script.page_name = "gallery"
    for _ in range(widgets):
        message.rerun_script.widget_states.widgets.add()
    return message


def _upload_addresses(files: int) -> BackMsg:
    message = BackMsg()
    message.file_urls_request.file_names.extend([""] * files)
    return message


def test_what_pages_send_is_taken() -> None:
    part = _rerun()
    part.rerun_script.fragment_id = "a part"
    for message in (part, BackMsg(app_heartbeat=True), BackMsg(stop_script=True)):
        assert judge(message.SerializeToString()) is Verdict.TAKEN
    for message in (_rerun(), _rerun(MOST_WIDGETS)):
        assert judge(message.SerializeToString()) is Verdict.RUN


@pytest.mark.parametrize("kind", [field.name for field in BackMsg.DESCRIPTOR.fields])
def test_every_other_kind_is_ignored(kind: str) -> None:
    message = BackMsg()
    if BackMsg.DESCRIPTOR.fields_by_name[kind].message_type:
        getattr(message, kind).SetInParent()
    else:
        setattr(message, kind, True)
    is_used = kind in ("rerun_script", "stop_script", "app_heartbeat")
    assert (judge(message.SerializeToString()) is Verdict.IGNORED) is not is_used


def test_a_message_of_more_than_a_page_can_hold_is_refused() -> None:
    assert judge(_rerun(MOST_WIDGETS + 1).SerializeToString()) is Verdict.REFUSED
    large = _rerun()
    large.rerun_script.query_string = "a" * MESSAGE_BYTES
    assert judge(large.SerializeToString()) is Verdict.REFUSED


def test_the_longest_that_a_page_can_send_is_taken() -> None:
    """A film's notes, a hundred tags and twelve prompts, in a script of three bytes a letter."""
    page = _rerun()
    page.rerun_script.query_string = "tag=" + "%E8%AA%9E" * TAG_LENGTH
    texts = [NOTES_LENGTH, TITLE_LENGTH, *[TAG_LENGTH] * 100, *[TEXT_LENGTH] * STOPS[1]]
    for length in texts:
        state = page.rerun_script.widget_states.widgets.add()
        state.id, state.string_value = "$$ID-" + "0" * 64, "語" * length
    assert judge(page.SerializeToString()) is Verdict.RUN


def test_no_message_makes_the_server_look_into_the_checkout_or_name_upload_addresses(
    tmp_path: Path,
) -> None:
    """A message of 1 MB took the server 12 s and 170 MB; another told a stranger what was edited.

    The page itself goes on: its next rerun is answered.
    """
    with running_app(tmp_path, environment={"MOMALISA_WORKER": "external"}) as app:

        async def scene() -> None:
            async with StreamlitSession(app.url) as session:
                await session.open("gallery")
                for message in (
                    BackMsg(load_git_info=True),
                    BackMsg(clear_cache=True),
                    _upload_addresses(60_000),
                ):
                    await session.send(message)
                await session.open("create")
                told = {"git_info_changed", "file_urls_response"}
                assert not told & session.kinds

        asyncio.run(scene())
        began = time.monotonic()
        with urlopen(f"{app.url}/healthz", timeout=60) as answer:
            assert answer.read() == b"ok"
        assert time.monotonic() - began < 5
        port = urlsplit(app.url).port or 80
        with socket.create_connection(("localhost", port), timeout=60) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 5_000)
            assert connection.recv(100).startswith(b"HTTP/1.1 431 ")
