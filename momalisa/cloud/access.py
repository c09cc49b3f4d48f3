"""Who may ask the prediction container: by its token, by Vertex AI, or from this machine.

Vertex AI, whose variables begin with AIP_, lets in only those who may ask, under names of its own.
"""

import hmac
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from momalisa.host_names import is_known, parse_host


def choose_host(environment: Mapping[str, str], token: str) -> str:
    """The address to listen on: every one with a token or on Vertex AI, else this machine's own."""
    return "0.0.0.0" if token or _is_vertex(environment) else "127.0.0.1"


def check_sender(headers: Headers, environment: Mapping[str, str], token: str) -> None:
    """Raise HTTPException unless a request has the token, or needs none.

    Without a token, programs on this machine may ask. A browser on it may be led here by a page of
    another site, which shows in the origin, or in the name where that points to this machine.
    """
    if token:
        _check_token(headers.get("authorization", ""), token)
    elif not _is_vertex(environment):
        if not is_known(parse_host(headers.get("host", "")), ()):
            raise HTTPException(
                HTTPStatus.MISDIRECTED_REQUEST,
                "Without MOMALISA_ENDPOINT_TOKEN this container answers as localhost only.",
            )
        if "origin" in headers:
            raise HTTPException(
                HTTPStatus.FORBIDDEN, "Pages in a browser cannot send requests to this container."
            )


def _check_token(given: str, token: str) -> None:
    """Compare in constant time."""
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise HTTPException(
            HTTPStatus.UNAUTHORIZED,
            "This container asks for its token, MOMALISA_ENDPOINT_TOKEN.",
            {"WWW-Authenticate": "Bearer"},
        )


def _is_vertex(environment: Mapping[str, str]) -> bool:
    return any(name.startswith("AIP_") for name in environment)
