"""Fixtures: the app with its worker and the shipped model, and a headless Chromium."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.app import App, running_app
from tests.support.browser import CHROMIUM, Visitor, chromium_profile, new_visitor, next_visitor
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
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    if CHROMIUM is None:
        sentence = "There is no Chromium here: apt-get install chromium"
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    with chromium_profile(tmp_path_factory.mktemp("profile")) as profile:
        yield profile


@pytest.fixture(scope="package")
def browser(profile: BrowserContext) -> Browser:
    """The browser, for contexts with other cookies or other devices."""
    assert profile.browser is not None
    return profile.browser


@pytest.fixture
def visitor(profile: BrowserContext) -> Iterator[Visitor]:
    with next_visitor(profile) as visitor:
        yield visitor


@pytest.fixture
def lone_visitor(browser: Browser) -> Iterator[Visitor]:
    """A visitor with an empty cache, and a clock that may be stopped."""
    with new_visitor(browser) as visitor:
        yield visitor
