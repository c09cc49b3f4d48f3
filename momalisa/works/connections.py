"""Connections to a museum's servers, each used by one thread at a time and kept for the next."""

import ssl
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import httpcore
import httpx

ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30.0)


class Transport(httpx.HTTPTransport):
    """An HTTP connection whose reads fail once a deadline has passed.

    The deadline is `end`, by the monotonic clock. The timeouts of httpx count from one piece to the
    next, so that a head that comes byte by byte would hold its thread for days.
    """

    end = 0.0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pool._network_backend = _Backend(self)

    def limit(self, timeout: float | None) -> float:
        """Shorten a timeout, in seconds, to the deadline. Raises ReadTimeout if it has passed."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer takes too long")
        return left if timeout is None else min(timeout, left)


class _Backend(httpcore.SyncBackend):
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def connect_tcp(self, *address: Any, **options: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*address, **options), self._transport)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, transport: Transport) -> None:
        self._stream, self._transport = stream, transport
        self.write, self.close = stream.write, stream.close  # type: ignore[method-assign]
        self.get_extra_info = stream.get_extra_info  # type: ignore[method-assign]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._transport.limit(timeout))

    def start_tls(self, *context: Any, **options: Any) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(*context, **options), self._transport)


class Connections:
    """Connections of one museum, by a proxy where the environment names one.

    Threads that share one pool of httpx wait for its lock, and a client of httpx does for each
    request what is not wanted here (cookies, sign-in): so each thread borrows a bare transport.
    """

    def __init__(self) -> None:
        self._idle: list[Transport] = []
        self._context: ssl.SSLContext | None = None
        self._closings = 0
        self._lock = Lock()

    @contextmanager
    def borrow(self, host: str, end: float) -> Iterator[Transport]:
        """Yield a transport that no other thread uses meanwhile; `host` decides on the proxy.

        It keeps to the `end`, and is not used again after an error: where a proxy lets TLS fail,
        its connection stays open, and the next request would wait for it.
        """
        with self._lock:
            closings = self._closings
            transport = self._idle.pop() if self._idle else self._open(host)
        transport.end, is_kept = end, False
        try:
            yield transport
            with self._lock:
                is_kept = self._closings == closings
                if is_kept:
                    self._idle.append(transport)
        finally:
            if not is_kept:
                transport.close()

    def close(self) -> None:
        """Close the idle ones now, and those in use when they are given back."""
        with self._lock:
            idle, self._idle, self._context = self._idle, [], None
            self._closings += 1
        for transport in idle:
            transport.close()

    def _open(self, host: str) -> Transport:
        if self._context is None:
            self._context = httpx.create_ssl_context()
        return Transport(verify=self._context, proxy=find_proxy(host), limits=ONE)


def find_proxy(host: str) -> str | None:
    """The proxy for an https host by HTTPS_PROXY, ALL_PROXY and NO_PROXY; None for none."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
