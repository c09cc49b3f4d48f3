"""Middleware that decides by address who reaches the app: host names, origins, clients.

Every HTTP request and WebSocket passes here before anything else, Streamlit's own included.

Only names that are known are answered (see `momalisa.host_names`): those of this machine, IP
addresses, and those in `MOMALISA_HOSTS`.
"""

import logging
from collections.abc import Sequence
from html import escape

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from momalisa.host_names import is_known, is_loopback, is_named, parse_host, parse_origin
from momalisa.settings import settings
from momalisa.ui import sign_in

HEALTH_PATHS = ("/_stcore/health", "/healthz", "/readyz", "/metrics")
"""Answered under every name: load balancers ask by address or by names of their own.

What they tell to whom is decided in `ui.http.health`.
"""
FORWARDING_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""What proxies add; a request that has one comes from elsewhere."""
SIGN_OUT = "/auth/logout"
"""Streamlit's route that signs out."""
POLICY_VIOLATION = 1008
"""The close code of refused WebSockets."""
OTHER_SITES = "Other sites cannot send requests to MOMA Lisa."
CLOSED = (
    "This gallery is open on its own machine only. Who runs it can let others in: README, "
    "“Visitors from elsewhere”."
)
PAGE = """<!doctype html>
<html lang="en" style="color-scheme: light dark; font: 1rem/1.5 sans-serif; padding: 2rem">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>MOMA Lisa</title>
<main><h1>MOMA Lisa</h1><p>{}</p></main>
"""

log = logging.getLogger(__name__)

Refusal = tuple[int, str]
"""The status code and the sentence of an answer."""


def guard_hosts(app: ASGIApp) -> ASGIApp:
    """Wrap an app: refuse unknown hosts, foreign origins, and strangers where it is not open."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if scope["type"] == "lifespan" else find_refusal(scope)
        if refusal is None:
            await app(_with_host_of_origin(scope), receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            status, sentence = refusal
            await HTMLResponse(PAGE.format(escape(sentence)), status)(scope, receive, send)

    return middleware


def find_refusal(scope: Scope) -> Refusal | None:
    """Why a request or WebSocket is refused; None if it is let in."""
    headers, names = Headers(scope=scope), settings().host_names
    hosts = headers.getlist("host")
    host = parse_host(hosts[0]) if len(hosts) == 1 else ""
    if scope["path"] in HEALTH_PATHS and scope["type"] == "http":
        return None
    if not is_known(host, names):
        log.debug("refused: Host %r", hosts)
        return 421, (
            f"MOMA Lisa does not know the address {host or 'that you asked for'}. If it is hers, "
            "name it in MOMALISA_HOSTS."
        )
    if _is_for_other_page(headers, scope["path"]):
        log.debug("refused: Sec-Fetch-Site %r", headers.get("sec-fetch-site"))
        return 403, OTHER_SITES
    if not _is_own_origin(headers, hosts[0], names):
        log.debug("refused: Origin %r", headers.get("origin"))
        return 403, OTHER_SITES
    if not (is_local(scope) or is_open()):
        return 403, CLOSED
    return None


def is_open() -> bool:
    """Whether visitors from elsewhere may come in, or at least sign in."""
    return settings().visitors not in ("", "none") or sign_in.is_configured()


def is_local(scope: Scope) -> bool:
    """Whether a browser on this machine asks, directly.

    A proxy on this machine looks like one, unless it says for whom it asks or which name it was
    called by. So no client counts as local where `MOMALISA_HOSTS` names the address of a proxy.
    """
    headers, client = Headers(scope=scope), scope.get("client")
    origin = headers.get("origin")
    return (
        not settings().host_names
        and client is not None
        and is_loopback(client[0])
        and is_loopback(parse_host(headers.get("host", "")))
        and (origin is None or is_loopback(parse_host(parse_origin(origin))))
        and not any(name in headers for name in FORWARDING_HEADERS)
    )


def describe_exposure(address: str) -> str:
    """The warning at start if the server listens to other machines but lets none in; else blank."""
    if is_loopback(address) or is_open():
        return ""
    return (
        f"The app listens on {address or 'every address'}, but only browsers on this machine are "
        "let in. To let others in, set up sign-in, or say with MOMALISA_VISITORS what they may do "
        "(README, “Visitors from elsewhere”)."
    )


def _is_for_other_page(headers: Headers, path: str) -> bool:
    """Whether a browser asks for a page of another site, which has a picture of the app in it.

    Such a request has no origin, and could keep the encoders busy. Links lead here, however, but
    to the route that signs out at once.
    """
    is_link = headers.get("sec-fetch-mode") == "navigate" and not path.endswith(SIGN_OUT)
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_link


def _is_own_origin(headers: Headers, host: str, names: Sequence[str]) -> bool:
    """Whether a request comes from the app's own pages, or from no page at all.

    Another port of this machine is another origin. A proxy may have changed the host, but not the
    origin, which then has one of the names in the settings. One of many names that the settings
    stand for is the app's only where a host says which: others may be strangers' apps.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    own = parse_origin(origin)
    name, asked = parse_host(own), parse_host(host)
    if own and own.lower() == host.lower():
        return True
    if not is_named(asked, names):
        asked = parse_host(headers.get("x-forwarded-host", ""))
    return is_named(name, names) and (name == asked if asked else name in names)


def _with_host_of_origin(scope: Scope) -> Scope:
    """The scope of a WebSocket with the origin's host in `Host`.

    Streamlit refuses a WebSocket where the two differ; here both were found to be the app's.
    """
    origin = Headers(scope=scope).get("origin") if scope["type"] == "websocket" else None
    if origin is None:
        return scope
    headers = MutableHeaders(raw=list(scope["headers"]))
    headers["host"] = parse_origin(origin)
    return {**scope, "headers": headers.raw}
