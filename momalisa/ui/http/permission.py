"""Permission of HTTP routes: what a visitor may do, by the cookie of their sign-in."""

from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response

from momalisa.ui import policy, sign_in
from momalisa.ui.http.threads import Endpoint
from momalisa.ui.policy import Action


def permit(action: Action, endpoint: Endpoint) -> Endpoint:
    """Wrap an endpoint: answer 403 with a sentence to visitors who may not take the action."""

    async def checked(request: Request) -> Response:
        if not is_allowed(request, action):
            return PlainTextResponse(policy.REFUSED[action], 403, {"Cache-Control": "no-store"})
        response = await endpoint(request)
        _keep_from_shared_caches(response, action)
        return response

    return checked


def is_allowed(request: HTTPConnection, action: Action) -> bool:
    """Whether the visitor who sent a request may take an action."""
    return policy.allows(sign_in.visitor_of(request), action)


def _keep_from_shared_caches(response: Response, action: Action) -> None:
    """Let only the browser keep what not everybody may have, and no proxy for all."""
    cached = response.headers.get("cache-control", "")
    if "public" in cached and not policy.allows(sign_in.anonymous(), action):
        response.headers["cache-control"] = cached.replace("public", "private")
