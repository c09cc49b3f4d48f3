"""HTTP routes for those who run the app: `/healthz`, `/readyz` and `/metrics`.

- `/healthz`: this web process answers. For liveness probes.
- `/readyz`: history, worker, disk and outbox are well, or 503 with the names of what is wrong. For
  readiness probes. Sentences, which may name folders, go to this machine only.
- `/metrics`: Prometheus' text form, for this machine, or for who knows `MOMALISA_METRICS_TOKEN`.
"""

import hmac
import logging
import os
from functools import lru_cache, partial
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import streamlit as st
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from momalisa.health.deadline import DeadlineRunner, Recent
from momalisa.health.finding import Finding, Level, note, ok, wrong
from momalisa.health.metrics import CONTENT_TYPE, Metrics
from momalisa.health.readiness import READINESS
from momalisa.settings import Settings, settings
from momalisa.ui import sign_in
from momalisa.ui.http import hosts

DEADLINE = 2.0
"""Seconds that each check of `/readyz` may take."""
KEEP_SECONDS = 1.0
"""For how long the answer of `/readyz` is given again."""
NO_STORE = {"Cache-Control": "no-store"}
NO_FIGURES = (
    "Figures are for programs on this machine, or for those that send MOMALISA_METRICS_TOKEN. "
    "With MOMALISA_HOSTS set none counts as being on this machine: set a token."
)
_limiter = CapacityLimiter(4)
"""Threads of these routes: however often they are asked, pages keep theirs."""
_runner = DeadlineRunner()

log = logging.getLogger(__name__)


async def serve_health(_request: Request) -> Response:
    """Answer: the process and its event loop are alive. Reads nothing."""
    return PlainTextResponse("ok", headers=NO_STORE)


async def serve_readiness(request: Request) -> Response:
    """Answer 200 if all checks are well, else 503 and what is wrong."""
    findings = await to_thread.run_sync(find_recent, limiter=_limiter)
    faults = [finding for finding in findings if finding.level is Level.WRONG]
    answer: dict[str, Any] = {"ready": not faults, "wrong": [fault.check for fault in faults]}
    if hosts.is_local(request.scope):
        answer["findings"] = [vars(finding) for finding in findings]
    return JSONResponse(answer, 503 if faults else 200, headers=NO_STORE)


async def serve_metrics(request: Request) -> Response:
    """Answer with the figures in Prometheus' text form, to who may read them."""
    if not _may_read_metrics(request):
        return PlainTextResponse(NO_FIGURES, 403, headers=NO_STORE)
    text = await to_thread.run_sync(_open_metrics().text, limiter=_limiter)
    return Response(text, media_type=CONTENT_TYPE, headers=NO_STORE)


def _may_read_metrics(request: Request) -> bool:
    """Whether a token is set and sent, or none is set and the reader is on this machine."""
    token = settings().metrics_token
    if not token:
        return hosts.is_local(request.scope)
    sent = request.headers.get("authorization", "")
    return hmac.compare_digest(sent.encode(), f"Bearer {token}".encode())


@lru_cache(maxsize=1)
def _open_metrics() -> Metrics:
    return Metrics(settings())


def find_recent() -> list[Finding]:
    """What `find_faults` found in the last second, or finds now."""
    return _readiness.get()


def find_faults() -> list[Finding]:
    """Run the checks of `/readyz` at once, each under the deadline; never raises."""
    calls = {name: partial(check, settings()) for name, check in READINESS.items()}
    findings: list[Finding] = []
    for name, future in _runner.run(calls, DEADLINE).items():
        if not future.done():
            seconds = _runner.seconds_running(name)
            findings += wrong(name, f"No answer for {seconds:.0f} s.", "Is a disk or server hung?")
        elif error := future.exception():
            log.warning("The check of the %s failed", name, exc_info=error)
            findings += wrong(name, f"The check failed: {error}", "See the log of the app.")
        else:
            findings += future.result()
    return findings


def check_exposure(current: Settings, port: int | None = None) -> list[Finding]:
    """Who reaches the app by the settings, and whether it runs on this machine now.

    `port` is the app's, where it is not the one of Streamlit's settings.
    """
    address = os.environ.get("STREAMLIT_SERVER_ADDRESS") or st.get_option("server.address") or ""
    chosen = port or os.environ.get("STREAMLIT_SERVER_PORT") or st.get_option("server.port")
    findings = []
    if warning := hosts.describe_exposure(address):
        findings += note("exposure", warning)
    if current.visitors not in ("", "none") and not sign_in.is_configured():
        told = f"Visitors need not sign in (MOMALISA_VISITORS={current.visitors})."
        findings += note("exposure", told, "On a network that is not yours, set up sign-in.")
    if current.admins and not sign_in.is_configured():
        told = "MOMALISA_ADMINS has no effect without sign-in."
        findings += note("exposure", told, "Add [auth] to .streamlit/secrets.toml.")
    findings = findings or ok("exposure", f"The app is for {address or 'this machine'} only.")
    return findings + _find_app(f"http://localhost:{chosen}/healthz")


def _find_app(url: str) -> list[Finding]:
    """Whether the app answers on its usual port."""
    try:
        with urlopen(url, timeout=DEADLINE) as answer:
            if answer.read(9) == b"ok":
                return ok("app", f"The app answers at {url}.")
    except HTTPError:
        pass
    except OSError:
        return note(
            "app", f"The app does not answer at {url}.", "Start it, or name its port: --port"
        )
    return note("app", f"Another program answers at {url}.", "Choose a port: --server.port")


_readiness = Recent(find_faults, KEEP_SECONDS)

ROUTES = [
    Route("/healthz", serve_health),
    Route("/readyz", serve_readiness),
    Route("/metrics", serve_metrics),
]
