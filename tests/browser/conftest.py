"""Fixtures: the app with its worker and the shipped model, and a headless Chromium."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.app import App, running_app
from tests.support.browser import CHROMIUM, Visitor, chromium, new_visitor
from tests.support.museum_stand_in import environment, running_stand_in


@pytest.fixture(scope="package")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app, which meets a stand-in where it asks for a museum."""
    home = tmp_path_factory.mktemp("app")
    with (
        running_stand_in(home) as museums,
        running_app(home, environment=environment(museums)) as app,
    ):
        yield app


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        sentence = "There is no Chromium here: apt-get install chromium"
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    with chromium() as browser:
        yield browser


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    with new_visitor(browser) as visitor:
        yield visitor
