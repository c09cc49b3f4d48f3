"""The server: Streamlit's pages, the HTTP routes for pictures, and a local worker process."""

# ruff: noqa: E402 - the worker starts before the imports that it need not wait for
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path

from momalisa.worker.launch import launch_early

EARLY_WORKER = launch_early(__file__)
"""It loads PyTorch and the model while this process loads all that follows."""

# isort: split

import anyio.to_thread
import streamlit as st
from starlette.middleware import Middleware

from db.error_messages import HistoryError
from db.session import migrate
from momalisa import connection_limits, open_files
from momalisa.errors import MomaLisaError
from momalisa.logs import configure_logs
from momalisa.models.registry import available
from momalisa.number_marks import begin_far_above, exchange_marks, has_given_none
from momalisa.settings import settings
from momalisa.storage import open_storage
from momalisa.storage.outbox import open_outbox
from momalisa.store_folder import may_be_made
from momalisa.ui import error_display, history
from momalisa.ui.create.model_choice import painting_machine
from momalisa.ui.http import (
    headers,
    health,
    hosts,
    live,
    media,
    message_rate,
    not_found,
    open_pages,
    preload,
    prerender,
    stills,
    streamlit_routes,
)
from momalisa.worker.courier import Courier
from momalisa.worker.supervisor import Supervisor

MARK_SECONDS, FIRST_MARK_SECONDS = 3.0, 20.0
"""Seconds that the storage has to name the last accession numbers, before the first page; of a
history that has given none, the second."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Start the worker, migrate the database before the first page; stop both together."""
    configure_logs(settings())
    open_files.raise_limit()
    connection_limits.limit_connections()
    async with Supervisor(settings(), early=EARLY_WORKER):
        await _prepare_pages()
        stopping = threading.Event()
        if settings().worker == "external":
            # An external worker does not process the deletions in this machine's outbox.
            courier = _make_courier()
            threading.Thread(target=courier.run, args=(stopping.is_set,), daemon=True).start()
        yield
    stopping.set()


async def _prepare_pages() -> None:
    """What has to be done before the first page."""
    try:
        await anyio.to_thread.run_sync(migrate, settings().database)
    except HistoryError as error:
        log.error("%s", error)  # every page shows it as well
    else:
        await raise_counters()
    if warning := hosts.describe_exposure(st.get_option("server.address") or ""):
        log.warning("%s", warning)
    threading.Thread(target=_warm_up, daemon=True).start()


def _make_courier() -> Courier:
    """A courier for this machine's outbox."""
    may_make = partial(may_be_made, database=settings().database)
    store = partial(open_storage, settings().store_root, may_be_made=may_make)
    return Courier(open_outbox(settings()), store, settings().database)


async def raise_counters() -> None:
    """Learn which accession numbers were given, before the first one is given here.

    If the storage is slow or away, the courier does it later, and a new history begins far above.
    """
    url = settings().database
    with suppress(HistoryError):  # every page shows it
        is_new = await anyio.to_thread.run_sync(has_given_none, url)
        with anyio.move_on_after(FIRST_MARK_SECONDS if is_new else MARK_SECONDS) as wait:
            await anyio.to_thread.run_sync(_exchange_marks, abandon_on_cancel=True)
        if wait.cancelled_caught:
            await anyio.to_thread.run_sync(begin_far_above, url)


def _exchange_marks() -> None:
    """Raise the accession number counters of a restored history to the marks in the storage."""
    try:
        storage = open_storage(settings().store_root, retry_seconds=MARK_SECONDS)
        exchange_marks(storage, settings().database)
    except (HistoryError, MomaLisaError) as error:
        log.warning("The last accession numbers could not be compared yet. %s", error)
    except Exception:  # of a client library: the app starts nevertheless
        log.exception("The last accession numbers could not be compared yet")


def _warm_up() -> None:
    """Do slow first-time work ahead: open the database, look at the models, import libraries."""
    with suppress(HistoryError):  # every page shows it
        history.no_worker_alive()
    available()
    painting_machine(here=True)
    for name in ("pandas", "altair"):
        import_module(name)


app = st.App(
    Path(__file__).parent / "momalisa" / "ui" / "shell.py",
    routes=[*health.ROUTES, *media.ROUTES, *stills.ROUTES, *live.ROUTES],
    middleware=[
        Middleware(headers.add_security_headers),
        Middleware(hosts.guard_hosts),
        Middleware(streamlit_routes.close_unused_routes),
        Middleware(open_pages.limit_open_pages),
        Middleware(message_rate.pace_messages),
        Middleware(not_found.redirect_unknown_pages),
        Middleware(preload.add_preload_links),
        Middleware(prerender.prerender_posters),
    ],
    lifespan=lifespan,
    on_script_error=error_display.show_error,
)
