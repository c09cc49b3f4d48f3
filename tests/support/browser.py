"""A headless Chromium, and what a visitor does in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    expect,
    sync_playwright,
)

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
"""Chromium's program; without windows, if there is one like that, as its pages cost less."""
PATIENCE = 120_000
"""Milliseconds to wait for an element or a page: over a minute on a very busy machine."""
EXPECTING = 120_000
"""Milliseconds to wait for what is expected."""
FILM_PATIENCE = 150_000
"""Milliseconds to wait for a film."""
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_UNOPTIMISED = "--js-flags=--no-turbofan --no-maglev"
"""Pages of tests are open for seconds: to optimise their scripts costs more than it saves."""
_VISITOR: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "accept_downloads": True}


_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", event => console.error(
  `violation: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`))
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium."""
    expect.set_options(timeout=EXPECTING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def chromium_profile(folder: Path) -> Iterator[BrowserContext]:
    """Start the system's Chromium with a profile in a folder.

    Its tabs share a cache of compiled scripts; with that a page of the app opens at half the cost.
    """
    expect.set_options(timeout=EXPECTING)
    with sync_playwright() as playwright:
        profile = playwright.chromium.launch_persistent_context(
            folder, executable_path=CHROMIUM, args=[*_ARGUMENTS, _UNOPTIMISED], **_VISITOR
        )
        yield profile
        profile.close()


@dataclass
class Visitor:
    """A browser tab, and the errors that its console showed.

    Violations of the page's Content-Security-Policy are among them.
    """

    page: Page
    errors: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        """Record an error message of the console."""
        # On a deep link Streamlit tries two addresses for its own health, and one is not there.
        health_check = "/_stcore/" in message.location.get("url", "")
        if message.type == "error" and not health_check:
            self.errors.append(message.text)


@contextmanager
def new_visitor(browser: Browser) -> Iterator[Visitor]:
    """Open a tab in a browser context of its own and record its errors."""
    context = browser.new_context(**_VISITOR)
    yield _open_tab(context)
    context.close()


@contextmanager
def next_visitor(profile: BrowserContext) -> Iterator[Visitor]:
    """Open a tab in a profile and record its errors; the next visitor is a stranger again."""
    first, *_ = profile.pages  # Chromium's own, which stays
    visitor = _open_tab(profile)
    yield visitor
    with suppress(Error):  # the test may have left it at an address without a storage
        visitor.page.evaluate("localStorage.clear()")
    for tab in profile.pages:
        if tab is not first:
            tab.close()
    profile.clear_cookies()
    profile.clear_permissions()


def _open_tab(context: BrowserContext) -> Visitor:
    context.set_default_timeout(PATIENCE)
    visitor = Visitor(context.new_page())
    visitor.page.add_init_script(_TELL_VIOLATIONS)
    visitor.page.on("console", visitor.note)
    visitor.page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    return visitor


def listen(page: Page) -> list[str]:
    """Collect the violations of the Content-Security-Policy that a tab reports from now on."""
    found: list[str] = []
    page.add_init_script(_TELL_VIOLATIONS)
    page.on(
        "console",
        lambda message: (
            found.append(message.text)
            if "violation:" in message.text or "Content Security Policy" in message.text
            else None
        ),
    )
    return found


def fill_field(page: Page, label: str, text: str) -> None:
    """Type into a field and leave it."""
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Tab")


def press(page: Page, name: str) -> None:
    """Click the button with that name."""
    page.get_by_role("button", name=name, exact=True).click()


def expect_playing(page: Page) -> None:
    """Check that the player shows the 22 frames of a film, one after another."""
    count = page.locator(".count")
    expect(count).to_contain_text("/ 22")
    before = count.inner_text()
    expect(count).not_to_have_text(before)


def wait_for_script(page: Page) -> None:
    """Wait up to two minutes until the page's script has finished."""
    with suppress(Error):
        page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=EXPECTING)
