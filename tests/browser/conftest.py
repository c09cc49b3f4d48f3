"""The app with its worker and the model that ships, and a real Chromium."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.app import CHROMIUM, House, chromium, running
from tests.support.visits import PATIENCE, Visitor


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        sentence = "There is no Chromium here: apt-get install chromium"
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    with chromium() as browser:
        yield browser


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    visitor = Visitor(context.new_page())
    visitor.page.on("console", visitor.note)
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    yield visitor
    context.close()
