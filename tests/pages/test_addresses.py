"""Where requests come from, and how many of one address wait."""

from contextlib import suppress

import pytest
from starlette.requests import HTTPConnection

from momalisa.ui.http.addresses import Waiting, address_of, network_of


@pytest.mark.parametrize(
    ("client", "network", "address"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "127.0.0.1", ""),
        ("::ffff:127.0.0.1", "127.0.0.1", ""),
        ("::1", "::/64", ""),
        ("testclient", "testclient", "testclient"),
    ],
)
def test_a_household_counts_as_one_address(client: str, network: str, address: str) -> None:
    scope = {"type": "http", "client": (client, 1)}
    assert network_of(scope) == network
    assert address_of(HTTPConnection(scope)) == address


def test_an_address_of_which_nothing_waits_is_forgotten() -> None:
    """Each address that had ever asked for a still or a museum's work stayed in memory."""
    waiting = Waiting()
    with waiting.one_more("a"):
        with suppress(ValueError), waiting.one_more("a"), waiting.one_more("b"):
            assert (waiting["a"], waiting.total()) == (2, 3)
            raise ValueError("It went wrong.")
        assert dict(waiting) == {"a": 1}
    assert not waiting
