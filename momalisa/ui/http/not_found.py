"""Middleware that redirects unknown pages to Home, where a notice says so."""

from functools import cache

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from momalisa.ui import navigation, page_paths, sign_in

NOT_FOUND_PARAM = "lost"
"""The query parameter of Home that marks a redirect from an unknown page."""


def redirect_unknown_pages(app: ASGIApp) -> ASGIApp:
    """Wrap an app: redirect to Home instead of serving Streamlit's HTML at unknown paths.

    Streamlit serves its HTML file at every path. At an unknown one it shows Home without a
    notice, or cannot load its scripts if the path is nested.
    """

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        redirected = False

        async def send_or_redirect(message: Message) -> None:
            nonlocal redirected
            if message["type"] == "http.response.start" and _is_unknown_page(scope, message):
                redirected = True
                home = f"{scope.get('root_path', '')}/?{NOT_FOUND_PARAM}=yes"
                await RedirectResponse(home)(scope, receive, send)
            elif not redirected:
                await send(message)

        await app(scope, receive, send_or_redirect)

    return middleware


def page_path(scope: Scope) -> str:
    """The requested path relative to the app's base URL, without slashes at its ends."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).strip("/")


def starts_page_html(scope: Scope, start: Message) -> bool:
    """Whether this response start belongs to Streamlit's HTML file, which serves all pages."""
    html = Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")
    return html and isinstance(scope.get("endpoint"), StaticFiles)


def _is_unknown_page(scope: Scope, start: Message) -> bool:
    return starts_page_html(scope, start) and page_path(scope) not in _known_paths()


def _known_paths() -> set[str]:
    """The paths of all pages; Home's is the root only."""
    paths = {"", *_page_names()} - {page_paths.HOME.stem}
    return paths | {sign_in.PATH} if sign_in.is_configured() else paths


@cache
def _page_names() -> frozenset[str]:
    return frozenset(page.stem for page in page_paths.PAGES.glob("*.py"))


def show_not_found_notice() -> None:
    """Show a notice after a redirect from an unknown page, and remove it from the URL."""
    if NOT_FOUND_PARAM in st.query_params:
        st.session_state.not_found = True  # for the run that follows the change of the URL
        navigation.replace_parameters(page_paths.HOME)
    elif not st.session_state.pop("not_found", False):
        return
    st.text("There is no such page here; this is the entrance.")
