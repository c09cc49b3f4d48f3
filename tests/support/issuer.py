"""An OpenID Connect provider on loopback that believes any e-mail address."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = {"client_id": "momalisa", "client_secret": "only-a-test"}
FORM = "<form><label>E-mail <input name=email></label>{hidden}<button>Go on</button></form>"


class Issuer(ThreadingHTTPServer):
    """Signs ID tokens (OpenID Connect Core 1.0, authorization code flow)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
        self.pending: dict[str, dict[str, str]] = {}
        """Authorization requests by the code that was issued for them."""

    def metadata(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def issue_code(self, request: dict[str, str]) -> str:
        """Issue a code that can be exchanged for tokens once."""
        code = secrets.token_urlsafe()
        self.pending[code] = request
        return code

    def exchange(self, code: str) -> dict[str, Any]:
        """Exchange a code for tokens; raises KeyError for an unknown one."""
        request, now = self.pending.pop(code), int(time.time())
        email = request["email"]
        claims = {
            "iss": self.url,
            "sub": email,
            "email": email,
            "email_verified": True,
            "aud": CLIENT["client_id"],
            "nonce": request["nonce"],
            "iat": now,
            "exp": now + 300,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        return {"access_token": code, "token_type": "Bearer", "expires_in": 300, "id_token": signed}


class _Handler(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        fields = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path:
            case "/keys":
                self._respond(json.dumps({"keys": [self.server.key.as_dict(private=False)]}))
            case "/authorize" if "email" in fields:
                answer = {"code": self.server.issue_code(fields), "state": fields["state"]}
                self._respond("", "text/html", f"{fields['redirect_uri']}?{urlencode(answer)}")
            case "/authorize":
                hidden = (f"<input type=hidden name={n} value='{v}'>" for n, v in fields.items())
                self._respond(FORM.format(hidden="".join(hidden)), "text/html")
            case _:
                self._respond(json.dumps(self.server.metadata()))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._respond(json.dumps(self.server.exchange(parse_qs(body)["code"][0])))

    def _respond(self, text: str, kind: str = "application/json", redirect: str = "") -> None:
        self.send_response(302 if redirect else 200)
        self.send_header("Content-Type", kind)
        if redirect:
            self.send_header("Location", redirect)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Suppress the access log."""


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """Serve a provider in a daemon thread."""
    with Issuer() as issuer:
        Thread(target=issuer.serve_forever, daemon=True).start()
        yield issuer
        issuer.shutdown()
