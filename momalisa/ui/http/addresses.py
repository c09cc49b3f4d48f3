"""The network address that a request comes from, for limits of what one visitor may ask for."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection


def address_of(request: HTTPConnection) -> str:
    """The visitor's address; empty for this machine, where everybody behind a proxy may look alike.

    Of an IPv6 address only the network: one subscriber has a whole one.
    """
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return ""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address)
