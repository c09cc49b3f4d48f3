"""A small server that answers as the hub does, for one repository, with faults on demand."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "c" * 40
LFS_BYTES = 1000
"""From this size on the stand-in keeps a file as large files are kept: with a sha256."""


@dataclass
class HubStandIn:
    """The repository `some/model`, made of a folder, and what is wrong with it."""

    folder: Path
    address: str = ""
    gated: bool = False
    """Answers 401 without a token, and 403 with one, for all files."""
    status: int = 0
    """Answers every request for a large file's content with this error."""
    break_after: int = 0
    """Breaks each connection after so many bytes of a large file."""
    breaks: int = 0
    """How many connections are still to be broken."""
    status_after_breaks: int = 0
    """The `status` from the last of them on."""
    wrong: set[str] = field(default_factory=set)
    """Files of which other bytes are sent than the digest tells."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and range of each request."""

    @property
    def files(self) -> dict[str, bytes]:
        """The repository's files by path."""
        paths = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def fetched(self) -> list[str]:
        """The files whose content was asked for, in order."""
        return [path.partition(f"/{COMMIT}/")[2] for method, path, _ in self.asked
                if method == "GET" and "/resolve/" in path]  # fmt: skip


@contextmanager
def stand_in(folder: Path) -> Iterator[HubStandIn]:
    """Serve a folder as the repository `some/model` on a port of this machine."""
    hub = HubStandIn(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _git_digest(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: HubStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
        if not path.startswith(("/api/models/some/model", "/some/model/resolve")):
            self._refuse(401 if path.startswith("/api") else 404, "RepoNotFound")
        elif path.startswith("/some/model/resolve/"):
            self._answer_file(path.removeprefix("/some/model/resolve/").partition("/")[2])
        elif match := re.search(r"/revision/(.+)$", path):
            known = match[1] in ("main", COMMIT)
            self._send_json(self._describe()) if known else self._refuse(404, "RevisionNotFound")
        elif "/tree/" in path:
            self._send_json([self._entry(name) for name in self.hub.files])
        else:
            self._send_json(self._describe())

    def _describe(self) -> dict[str, Any]:
        siblings = [{"rfilename": name} for name in self.hub.files]
        return {"id": "some/model", "sha": COMMIT, "siblings": siblings, "gated": self.hub.gated}

    def _entry(self, name: str) -> dict[str, Any]:
        content = self.hub.files[name]
        entry: dict[str, Any] = {"type": "file", "path": name, "size": len(content)}
        entry["oid"] = _git_digest(content)
        if len(content) >= LFS_BYTES:
            digest = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 134}
        return entry

    def _answer_file(self, name: str) -> None:
        hub = self.hub
        if hub.gated:
            self._refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo")
        elif name not in hub.files:
            self._refuse(404, "EntryNotFound")
        elif hub.status and self.command == "GET" and len(hub.files[name]) >= LFS_BYTES:
            self._refuse(hub.status, "")
        else:
            self._send_file(name, hub.files[name])

    def _send_file(self, name: str, content: bytes) -> None:
        entry, start = self._entry(name), 0
        if match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(match[1])
        if start and start >= len(content):
            self._refuse(416, "")
            return
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{entry.get("lfs", entry)["oid"]}"')
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            self._send_content(name, content[start:])

    def _send_content(self, name: str, content: bytes) -> None:
        if name in self.hub.wrong:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if self.hub.breaks and len(content) > self.hub.break_after >= LFS_BYTES:
            self.hub.breaks -= 1
            self.hub.status = 0 if self.hub.breaks else self.hub.status_after_breaks
            content = content[: self.hub.break_after]
            self.close_connection = True
        self.wfile.write(content)

    def _send_json(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()
