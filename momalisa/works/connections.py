"""Connections to a museum's servers, each used by one thread at a time and kept for the next."""

import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import httpx

ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30.0)


class Connections:
    """Connections of one museum, by a proxy where the environment names one.

    Threads that share one pool of httpx wait for its lock, and a client of httpx does for each
    request what is not wanted here (cookies, sign-in): so each thread borrows a bare transport.
    """

    def __init__(self) -> None:
        self._idle: list[httpx.HTTPTransport] = []
        self._context: ssl.SSLContext | None = None
        self._closings = 0
        self._lock = Lock()

    @contextmanager
    def borrow(self, host: str) -> Iterator[httpx.HTTPTransport]:
        """Yield a transport that no other thread uses meanwhile; `host` decides on the proxy."""
        with self._lock:
            closings = self._closings
            transport = self._idle.pop() if self._idle else self._open(host)
        try:
            yield transport
        finally:
            with self._lock:
                is_kept = self._closings == closings
                if is_kept:
                    self._idle.append(transport)
            if not is_kept:
                transport.close()

    def close(self) -> None:
        """Close the idle ones now, and those in use when they are given back."""
        with self._lock:
            idle, self._idle, self._context = self._idle, [], None
            self._closings += 1
        for transport in idle:
            transport.close()

    def _open(self, host: str) -> httpx.HTTPTransport:
        if self._context is None:
            self._context = httpx.create_ssl_context()
        return httpx.HTTPTransport(verify=self._context, proxy=find_proxy(host), limits=ONE)


def find_proxy(host: str) -> str | None:
    """The proxy for an https host by HTTPS_PROXY, ALL_PROXY and NO_PROXY; None for none."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
