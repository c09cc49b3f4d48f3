"""Connections to museums: by which proxy, and which thread uses which."""

import math

import pytest

from momalisa.works.connections import Connections, find_proxy

HOST, END = "api.artic.edu", math.inf
VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ({"ALL_PROXY": "http://all:1"}, "http://all:1"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".artic.edu"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.org"}, "http://proxy:3128"),
    ],
)
def test_the_proxy_is_the_environments(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxy: str | None
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_proxy(HOST) == proxy


def test_no_two_threads_use_a_connection_and_one_is_used_again() -> None:
    connections = Connections()
    with connections.borrow(HOST, END) as first, connections.borrow(HOST, END) as second:
        assert first is not second
    with connections.borrow(HOST, END) as again:
        assert again in (first, second)
    connections.close()


def test_a_connection_in_use_while_all_are_closed_is_not_used_again() -> None:
    connections = Connections()
    with connections.borrow(HOST, END) as first:
        connections.close()
    with connections.borrow(HOST, END) as second:
        assert second is not first
    connections.close()
