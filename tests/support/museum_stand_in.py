"""Answers at the museums' own addresses, from this machine: a proxy that ends TLS itself.

Programs reach it by HTTPS_PROXY and trust it by SSL_CERT_FILE, and run unchanged. As a program,
`python -m tests.support.museum_stand_in FOLDER`, it prints this environment as JSON, and answers
until its standard input ends.
"""

import json
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from momalisa.works import fetching
from momalisa.works.collection import close_museums
from tests.support import museum_records

EVIL = "evil.example"
"""A host that is no museum's; it has a certificate too, so that nothing but us keeps one away."""


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    """Whether nothing comes until the stand-in stops."""
    drips: bool = False
    """Whether the body comes byte by byte, 20 a second."""
    drips_head: bool = False
    """Whether a head without end comes so."""


def as_json(value: object) -> Answer:
    return Answer(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


class StandIn(ThreadingHTTPServer):
    """All museums; `faults` come first, one for each request whose address holds its text."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.faults: list[tuple[str, Answer]] = []
        self.always: dict[str, Answer] = {}
        """Answers to every address that holds a text."""
        self.requests: list[str] = []
        self.stopped = Event()
        self.hosts: dict[str, Callable[[str, dict[str, str]], Answer]] = {
            **museum_records.answers(as_json, Answer),
            EVIL: lambda path, fields: Answer(body=b"{}"),
        }
        self.certificate = folder / "stand-in.pem"
        self.context = certify(self.certificate, list(self.hosts))

    def answer(self, host: str, target: str) -> Answer:
        address = f"https://{host}{target}"
        self.requests.append(address)
        for number, (text, fault) in enumerate(self.faults):
            if text in address:
                del self.faults[number]
                return fault
        for text, answer in self.always.items():
            if text in address:
                return answer
        parts = urlsplit(target)
        return self.hosts[host](parts.path, dict(parse_qsl(parts.query)))

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are no error."""


class _Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"
    host = ""

    def do_CONNECT(self) -> None:
        self.host = self.path.partition(":")[0]
        if self.host not in self.server.hosts:
            self.send_error(502)
            return
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")
        self.close_connection = False

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
            self.rfile.close()
        self.connection.close()

    def do_GET(self) -> None:
        answer = self.server.answer(self.host, self.path)
        if answer.hangs:
            self.server.stopped.wait()
            self.close_connection = True
            return
        with suppress(OSError):
            if answer.drips_head:
                self._drip([b"HTTP/1.1 200 OK\r\n", *[b"a"] * 1000])
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if answer.drips:
                self._drip([bytes([byte]) for byte in answer.body])
            else:
                self.wfile.write(answer.body)

    def _drip(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            self.server.stopped.wait(0.05)

    def log_message(self, format: str, *args: object) -> None:
        """Suppress the access log."""


def certify(file: Path, hosts: list[str]) -> ssl.SSLContext:
    """Write a certificate of its own making for these hosts, and return the server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(h) for h in hosts]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    both = file.with_suffix(".key.pem")
    both.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + file.read_bytes()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


@contextmanager
def running_stand_in(folder: Path) -> Iterator[StandIn]:
    """Serve the museums in a daemon thread."""
    with StandIn(folder) as stand_in:
        Thread(target=stand_in.serve_forever, args=(0.05,), daemon=True).start()
        yield stand_in
        stand_in.stopped.set()
        stand_in.shutdown()


def environment(stand_in: StandIn) -> dict[str, str]:
    """What a program needs to meet the stand-in where it asks for a museum."""
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    proxies = dict.fromkeys(names, stand_in.url)
    return {**proxies, "NO_PROXY": "", "no_proxy": "", "SSL_CERT_FILE": str(stand_in.certificate)}


@contextmanager
def asked_here(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Let this process ask a stand-in, which is quick to try again, for the museums of a home."""
    with running_stand_in(folder) as server:
        for name, value in environment(server).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(fetching, "FIRST_PAUSE", 0.01)
        monkeypatch.setattr(fetching, "LONGEST_PAUSE", 0.01)
        yield server
        close_museums(home)


if __name__ == "__main__":
    with running_stand_in(Path(sys.argv[1])) as server:
        print(json.dumps(environment(server)), flush=True)
        sys.stdin.read()
