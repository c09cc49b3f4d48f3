"""The network address that a request comes from, for limits of what one visitor may ask for."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection
from starlette.types import Scope


class Waiting(Counter[str]):
    """How many requests of each address wait for something; one that waits no more is forgotten."""

    @contextmanager
    def one_more(self, address: str) -> Iterator[None]:
        """Count a request of an address while the body runs."""
        self[address] += 1
        try:
            yield
        finally:
            self[address] -= 1
            if not self[address]:
                del self[address]


def address_of(request: HTTPConnection) -> str:
    """The visitor's address; empty for this machine, where all behind a proxy may look alike."""
    address = _parse(request.client.host if request.client else "")
    is_here = not isinstance(address, str) and address.is_loopback
    return "" if is_here else _name_network(address)


def network_of(scope: Scope) -> str:
    """The client's address; of IPv6 the network of 64 bits, since one household has a whole one."""
    return _name_network(_parse((scope.get("client") or ("", 0))[0]))


def _name_network(address: IPv4Address | IPv6Address | str) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address)


def _parse(host: str) -> IPv4Address | IPv6Address | str:
    """A client's address; the text itself if it is none."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return getattr(address, "ipv4_mapped", None) or address
