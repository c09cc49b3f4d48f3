"""Signing in with OpenID Connect, and the permissions to cancel and delete."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.app import App, running_app
from tests.support.browser import PATIENCE, fill_field, listen, press
from tests.support.films import add_film, add_foreign_film
from tests.support.issuer import CLIENT, running_issuer
from tests.support.network import kept_port

pytestmark = pytest.mark.browser

SignIn = Callable[[str], Page]
"""Gives a page of whoever signs in with this e-mail address."""
QUEUED = re.compile("in the queue")
MAKER, STRANGER, ADMIN = (f"{who}@museum.test" for who in ("maker", "stranger", "admin"))
SECRETS = """
[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "a-secret-that-only-this-test-knows"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
client_id = "{client_id}"
client_secret = "{client_secret}"
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("guarded")
    with (
        kept_port() as port,
        running_issuer() as issuer,
        pytest.MonkeyPatch.context() as patch,
    ):
        settings = Path(home, ".streamlit")
        settings.mkdir()
        text = SECRETS.format(port=port, issuer=issuer.url, **CLIENT)
        Path(settings, "secrets.toml").write_text(text)
        # Streamlit looks for secrets in the home folder too; the provider knows one address.
        patch.setenv("HOME", str(home))
        patch.setenv("MOMALISA_ADMINS", f"someone@museum.test, {ADMIN.upper()}")
        # No worker: who may do what does not depend on what is painted.
        with running_app(home, port=port, environment={"MOMALISA_WORKER": "external"}) as app:
            yield app


@pytest.fixture(scope="module")
def sign_in(app: App, browser: Browser) -> Iterator[SignIn]:
    """Return a function that gives the page of somebody who has signed in, once for all tests."""
    with ExitStack() as contexts:

        @cache
        def open_page(email: str) -> Page:
            # The film on Home, where one is led, does not play for as long as the page is open.
            context = contexts.enter_context(browser.new_context(reduced_motion="reduce"))
            page = context.new_page()
            page.set_default_timeout(2 * PATIENCE)
            page.goto(f"{app.url}/sign-in")
            press(page, "Sign in")
            page.get_by_label("E-mail").fill(email)
            press(page, "Go on")
            page.get_by_role("link", name="Signed in", exact=True).wait_for()
            return page

        yield open_page


def test_only_its_maker_or_an_admin_cancels_a_walk(app: App, sign_in: SignIn) -> None:
    maker, stranger, admin = map(sign_in, (MAKER, STRANGER, ADMIN))
    maker.get_by_role("link", name="Create a walk").click()
    fill_field(maker, "From", "a red square on white")
    fill_field(maker, "To", "a stormy sea at night")
    press(maker, "Walk")
    expect(maker.get_by_text(QUEUED)).to_be_visible()
    expect(maker.get_by_role("button", name="Cancel")).to_be_visible()

    stranger.goto(maker.url)
    expect(stranger.get_by_text(QUEUED)).to_be_visible()
    expect(stranger.get_by_role("button", name="Swap")).to_be_visible()
    expect(stranger.get_by_role("button", name="Cancel")).to_have_count(0)

    admin.goto(maker.url)
    press(admin, "Cancel")
    expect(maker.get_by_text("Called off.", exact=False)).to_be_visible()
    assert [state for _title, state in app.walks()] == ["cancelled"]


def test_a_film_is_deleted_by_an_admin_only(app: App, sign_in: SignIn) -> None:
    add_foreign_film(app)
    stranger = sign_in(STRANGER)
    stranger.goto(f"{app.url}/gallery?walk=waves")
    expect(stranger.get_by_text("Star", exact=True).first).to_be_visible()
    expect(stranger.get_by_role("button", name="Delete")).to_have_count(0)

    admin = sign_in(ADMIN)
    admin.goto(f"{app.url}/gallery?walk=waves")
    press(admin, "Delete")
    press(admin, "Yes, delete it")
    expect(admin.get_by_text("Delete", exact=True)).to_have_count(0)
    assert app.query("SELECT id, title FROM walks WHERE id = 'waves'") == []


def test_who_has_not_signed_in_or_has_signed_out_can_look_only(app: App, browser: Browser) -> None:
    """Formerly an anonymous visitor could rename films, star them and submit walks."""
    add_film(app, "steady", "a moon", "a hill")
    context = browser.new_context()
    page = context.new_page()
    found = listen(page)
    page.set_default_timeout(2 * PATIENCE)
    page.goto(f"{app.url}/gallery?walk=steady")
    expect(page.get_by_label("Title", exact=True)).to_be_disabled()
    expect(page.get_by_text("Labels are written by members: please sign in.")).to_be_visible()
    page.goto(f"{app.url}/create")
    expect(page.get_by_text("Walks are made by members: please sign in.")).to_be_visible()
    expect(page.get_by_role("button", name="Walk", exact=True)).to_have_count(0)
    assert context.request.get(f"{app.url}/pictures/still").status == 403
    press(page, "Sign in")
    page.get_by_label("E-mail").fill(MAKER)
    press(page, "Go on")
    page.get_by_role("link", name="Signed in", exact=True).click()
    expect(page.get_by_text(f"|{MAKER}", exact=False)).to_be_visible()
    assert context.request.get(f"{app.url}/pictures/still").status == 404
    page.goto(f"{app.url}/gallery?walk=steady")
    fill_field(page, "Title", "A hill at dusk")
    expect(page.get_by_text("A hill at dusk, 20").first).to_be_visible()
    page.get_by_role("link", name="Signed in", exact=True).click()
    expect(page.get_by_text(f"You are {MAKER}.")).to_be_visible()
    press(page, "Sign out")
    page.get_by_role("link", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page).to_have_url(f"{app.url}/sign-in")
    assert context.request.get(f"{app.url}/pictures/still").status == 403
    assert found == []
    context.close()
