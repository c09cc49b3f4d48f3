"""Who reaches the app: host names, origins and clients, on every route and WebSocket."""

import asyncio
import tomllib
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

import streamlit_app
from momalisa.settings import CHECKOUT, Settings, settings
from momalisa.ui import sign_in
from momalisa.ui.http import headers, hosts
from tests.support import asgi

HERE = ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST", "app.localhost", "127.1.2.3"]
FOREIGN = [
    "http://evil.example",
    "http://localhost:3000",
    "http://[",
    "http://localhost:8501:x",
    "file://localhost:8501",
    "file://",
    "//localhost:8501",
    "localhost:8501",
]
STRANGE = [
    *("evil.example", "localhost.evil.example", "a@localhost", "localhost/x", "", "loc alhost"),
    *("[::1].evil.example", "[::1]evil.example:80"),
]


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept", "host": dict(scope["headers"])[b"host"].decode()})
    else:
        await PlainTextResponse("the gallery")(scope, receive, send)


APP = hosts.guard_hosts(_answer)


def configure(monkeypatch: pytest.MonkeyPatch, *, signs_in: bool = False, **names: str) -> None:
    """Set settings, and whether sign-in is configured."""
    monkeypatch.setattr(sign_in, "is_configured", lambda: signs_in)
    for name, value in names.items():
        monkeypatch.setenv(f"MOMALISA_{name.upper()}", value)
    settings.cache_clear()


@pytest.fixture(autouse=True)
def no_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch)


def status(host: str | None, client: str = "127.0.0.1", path: str = "/", **headers: str) -> int:
    """The status of a GET request with these headers (`_` for `-`)."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= {} if host is None else {"host": host}
    return asyncio.run(asgi.request(path, app=APP, headers=sent, client=client))[0]


def open_socket(
    host: str, origin: str | None = None, client: str = "127.0.0.1", forwarded_host: str = ""
) -> Any:
    """The app's first message to a WebSocket."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    sent = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]
    sent += [(b"x-forwarded-host", forwarded_host.encode())] if forwarded_host else []
    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": sent}

    async def visit() -> None:
        await APP({**scope, "client": (client, 1)}, receive, send)

    asyncio.run(visit())
    return messages[0]


def test_the_server_is_for_this_machine_unless_it_is_told_otherwise() -> None:
    config = tomllib.loads((CHECKOUT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["server"]["address"] == "localhost"


def test_the_server_refuses_unknown_names_before_anything_else() -> None:
    server: ASGIApp = _answer
    for one in reversed(streamlit_app.app._user_middleware):
        server = one.cls(server, *one.args, **one.kwargs)
    for path in ("/", "/_stcore/upload_file/a/b", "/gallery", "/pictures/walks/a.mp4"):
        sent = asyncio.run(asgi.request(path, app=server, headers={"host": "evil.example"}))
        assert sent[0] == 421
        assert "frame-ancestors" in sent[1]["content-security-policy"]
    assert asyncio.run(asgi.request("/", app=server, headers={"host": "localhost"}))[0] == 200


@pytest.mark.parametrize("host", HERE)
def test_this_machine_is_always_let_in(host: str) -> None:
    assert status(host) == 200
    assert open_socket(host, f"http://{host}")["type"] == "websocket.accept"


@pytest.mark.parametrize("host", STRANGE)
def test_unknown_names_are_refused_on_routes_and_sockets(host: str) -> None:
    """DNS rebinding: a foreign site's name that points to this machine."""
    assert status(host) == 421
    assert open_socket(host, f"http://{host}") == {"type": "websocket.close", "code": 1008}


def test_a_request_without_a_host_is_refused() -> None:
    assert status(None) == 421


@pytest.mark.parametrize("origin", [*FOREIGN, "null", ""])
def test_other_origins_are_refused(origin: str) -> None:
    assert status("localhost:8501", origin=origin) == 403
    if origin:
        assert open_socket("localhost:8501", origin)["type"] == "websocket.close"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("mode", ["no-cors", "cors", "websocket", ""])
def test_pictures_of_another_site_s_page_are_refused(site: str, mode: str) -> None:
    """Browsers send no origin with a picture's request, but say where it comes from."""
    sent = {"sec_fetch_site": site} | ({"sec_fetch_mode": mode} if mode else {})
    assert status("localhost:8501", path="/pictures/walks/a.mp4", **sent) == 403


def test_links_from_other_sites_and_the_app_s_own_pictures_are_answered() -> None:
    assert status("localhost", sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 200
    for site in ("same-origin", "none"):
        assert status("localhost", sec_fetch_site=site, sec_fetch_mode="no-cors") == 200


def test_an_origin_that_is_none_is_not_local() -> None:
    """It stopped every route with an error, those for health included."""
    for origin in ("http://[", "file://localhost"):
        scope = {"headers": [(b"host", b"localhost"), (b"origin", origin.encode())]}
        assert not hosts.is_local({**scope, "type": "http", "client": ("127.0.0.1", 1)})


def test_without_sign_in_or_setting_strangers_get_a_sentence() -> None:
    assert status("192.168.1.5:8501", client="192.168.1.9") == 403
    assert status("localhost:8501", client="192.168.1.9") == 403
    assert status("localhost:8501", x_forwarded_for="192.168.1.9") == 403
    assert open_socket("192.168.1.5", client="192.168.1.9")["type"] == "websocket.close"
    sent = {"host": "192.168.1.5"}
    answer = asyncio.run(asgi.request("/", app=APP, headers=sent, client="192.168.1.9"))
    assert "open on its own machine only" in answer[2].decode()


@pytest.mark.parametrize("opened", [{"signs_in": True}, {"visitors": "view"}])
def test_with_sign_in_or_a_setting_strangers_are_let_in(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, **opened)
    assert status("192.168.1.5:8501", client="192.168.1.9") == 200
    assert status("gallery.example", client="192.168.1.9") == 421
    configure(monkeypatch, **opened, hosts="gallery.example, *.museum.example")
    for name in ("gallery.example", "Gallery.Example.:443", "a.b.museum.example"):
        assert status(name, client="192.168.1.9") == 200
    assert status("museum.example", client="192.168.1.9") == 421


def test_a_proxy_that_keeps_the_origin_only_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, visitors="view", hosts="gallery.example")
    opened = open_socket("127.0.0.1:8501", "https://gallery.example")
    assert opened == {"type": "websocket.accept", "host": "gallery.example"}


def test_of_many_names_only_the_one_that_was_asked_for_is_the_apps_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every workspace of a cloud has a name there: a stranger's page could use the app from it."""
    configure(monkeypatch, visitors="all", hosts="*.cloud.example, gallery.example")
    own, other = "https://mine-8501.cloud.example", "https://evil-8501.cloud.example"
    name = own.removeprefix("https://")

    def opens(host: str, origin: str, forwarded_host: str = "") -> bool:
        opened = open_socket(host, origin, forwarded_host=forwarded_host)
        return bool(opened["type"] == "websocket.accept")

    assert opens(name, own)
    assert opens(f"{name}:443", own)
    assert opens("localhost:8501", own, name)
    assert opens("localhost:8501", "https://gallery.example")
    assert not opens(name, other)
    assert not opens("localhost:8501", other, name)
    assert not opens("localhost:8501", other)
    assert not opens("gallery.example", other)
    assert not opens("gallery.example", own)
    assert status(name, origin=other) == 403


def test_a_link_of_another_site_signs_nobody_out() -> None:
    for site in ("cross-site", "same-site"):
        sent = {"sec_fetch_site": site, "sec_fetch_mode": "navigate"}
        assert status("localhost", path="/auth/logout", **sent) == 403
        assert status("localhost", path="/oauth2callback", **sent) == 200
    for site in ("same-origin", "none"):
        sent = {"sec_fetch_site": site, "sec_fetch_mode": "navigate"}
        assert status("localhost", path="/auth/logout", **sent) == 200


def test_behind_a_proxy_nobody_counts_as_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy may hide both its client and its name; its clients must not be taken for curators."""
    configure(monkeypatch, hosts="gallery.example")
    assert status("127.0.0.1:8501") == 403


def test_load_balancers_may_ask_for_health_under_any_name() -> None:
    for path in hosts.HEALTH_PATHS:
        assert status("10.0.0.7:8501", "10.0.0.1", path) == status(None, "10.0.0.1", path) == 200
        assert status("balancer.internal", "10.0.0.1", path) == 200


def test_the_server_says_at_start_that_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not hosts.describe_exposure("localhost")
    for address in ("0.0.0.0", "192.168.1.5", ""):
        assert "MOMALISA_VISITORS" in hosts.describe_exposure(address)
    configure(monkeypatch, visitors="make")
    assert not hosts.describe_exposure("192.168.1.5")


def test_films_of_a_bucket_are_allowed_from_that_bucket_only() -> None:
    policy = headers.content_security_policy(Settings(store="gs://films/a/b"))
    for directive in ("img-src", "connect-src"):
        assert "https://storage.googleapis.com/films/" in policy.partition(directive)[2]
    assert "googleapis" not in headers.content_security_policy(Settings(store="/srv/films"))
