"""Middleware that closes those of Streamlit's own routes that no page uses.

Streamlit takes uploads of 200 MB into memory for a widget that no page has, and describes itself
to programs at addresses of its own. A route that an update brings is closed until it is named here.
"""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

CORE = "_stcore"
"""The path segment under which Streamlit serves what its pages need."""
USED = ("health", "host-config", "stream", "bidi-components")
"""The routes below it that the pages and load balancers ask for."""


def close_unused_routes(app: ASGIApp) -> ASGIApp:
    """Wrap an app: answer 404 at Streamlit's routes that are not in USED, whatever is sent."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_unused(scope["path"]):
            await PlainTextResponse("There is nothing here.", 404)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return middleware


def _is_unused(path: str) -> bool:
    _base, core, after = path.partition(f"/{CORE}/")
    return bool(core) and after.partition("/")[0] not in USED
