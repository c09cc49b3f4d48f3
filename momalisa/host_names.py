"""Host names in requests: which are this machine's, and which cannot be another site's.

A page of another site can make its name point to this machine (DNS rebinding); its requests then
come from this machine's own browser, but with the site's name in `Host` and `Origin`.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit


def parse_host(text: str) -> str:
    """The host name in a `Host` header, in lower case, without port; "" if it is not one."""
    try:
        parts = urlsplit(f"//{text}")
        name, _port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    _address, bracket, after = text.partition("]")  # of IPv6; what follows it is not in `hostname`
    if parts.netloc != text or "@" in text or (bracket and after[:1] not in ("", ":")):
        return ""
    return name.rstrip(".")


def parse_origin(text: str) -> str:
    """The host and port in an `Origin` header; "" if it is none of a page of the web."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return parts.netloc if parts.scheme in ("http", "https") else ""


def is_known(host: str, names: Sequence[str]) -> bool:
    """Whether a host is this machine, has one of these names, or is an IP address.

    An address cannot be rebound.
    """
    return is_loopback(host) or _find_ip_address(host) is not None or is_named(host, names)


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address stands for the machine itself."""
    address = _find_ip_address(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_named(host: str, names: Sequence[str]) -> bool:
    """Whether a host has one of these names; `*.example.org` stands for all names below it."""
    return any(
        host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in names
    )


def _find_ip_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
