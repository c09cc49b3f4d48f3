"""Fixtures: the app with and without a worker, and a headless Chromium."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.app import App, running_app
from tests.support.browser import CHROMIUM, Visitor, chromium_profile, new_visitor, next_visitor
from tests.support.museum_stand_in import environment, running_stand_in


@pytest.fixture(scope="package")
def museums(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of an app that meets a stand-in where it asks for a museum."""
    with running_stand_in(tmp_path_factory.mktemp("museums")) as stand_in:
        yield environment(stand_in)


@pytest.fixture(scope="package")
def app(museums: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app without a worker, which would paint whatever a test types: that is most of the work.

    Its history is shared by files, so that it holds films and walks of other tests.
    """
    without = museums | {"MOMALISA_WORKER": "external"}
    with running_app(tmp_path_factory.mktemp("app"), environment=without) as app:
        yield app


@pytest.fixture(scope="package")
def studio(museums: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with a worker and the shipped model, for tests of what is painted."""
    with running_app(tmp_path_factory.mktemp("studio"), environment=museums) as app:
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
