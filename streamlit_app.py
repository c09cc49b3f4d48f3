"""The server: the screens, the pictures, and one local worker beside them."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path

import anyio.to_thread
import streamlit as st
from starlette.middleware import Middleware

from db.error_messages import HistoryError
from db.session import migrate
from momalisa.settings import settings
from momalisa.storage import open_storage
from momalisa.storage.outbox import open_outbox
from momalisa.ui import error_display, history
from momalisa.ui.http import media, not_found, preload, prerender, stills
from momalisa.worker.courier import Courier
from momalisa.worker.supervisor import Supervisor

log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """The history is up to date before the first page, and the worker ends with the server."""
    try:
        await anyio.to_thread.run_sync(migrate, settings().database)
    except HistoryError as error:
        log.error("%s", error)  # which every page says, until it is mended
    threading.Thread(target=_load_ahead, daemon=True).start()
    stopping = threading.Event()
    if settings().worker == "external":
        # A worker elsewhere does not see what deletions leave in this machine's outbox.
        threading.Thread(target=_courier().run, args=(stopping.is_set,), daemon=True).start()
    async with Supervisor(settings()):
        yield
    stopping.set()


def _courier() -> Courier:
    store = partial(open_storage, settings().store_root)
    return Courier(open_outbox(settings()), store, settings().database)


def _load_ahead() -> None:
    """What takes long at first: the history; for the first page pandas, for Insight altair."""
    with suppress(HistoryError):  # which every page says
        history.nobody_works()
    for name in ("pandas", "altair"):
        import_module(name)


app = st.App(
    Path(__file__).parent / "momalisa" / "ui" / "shell.py",
    routes=[*media.ROUTES, *stills.ROUTES],
    middleware=[
        Middleware(not_found.led_home),
        Middleware(preload.heralded),
        Middleware(prerender.seen_at_once),
    ],
    lifespan=lifespan,
    on_script_error=error_display.say,
)
