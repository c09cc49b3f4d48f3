"""A small OpenID Connect provider on loopback: whoever comes says who they are, and is believed."""

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
        super().__init__(("127.0.0.1", 0), _Desk)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
        self.asked: dict[str, dict[str, str]] = {}

    def metadata(self) -> dict[str, Any]:
        """What a client asks first."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def code_for(self, question: dict[str, str]) -> str:
        """A code that `token` takes once."""
        code = secrets.token_urlsafe()
        self.asked[code] = question
        return code

    def token(self, code: str) -> dict[str, Any]:
        """The tokens for a code; raises KeyError for one that was not given."""
        asked, now = self.asked.pop(code), int(time.time())
        email = asked["email"]
        claims = {"iss": self.url, "sub": email, "email": email, "email_verified": True}
        times = {"aud": CLIENT["client_id"], "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, {**claims, **times}, self.key)
        return {"access_token": code, "token_type": "Bearer", "expires_in": 300, "id_token": signed}


class _Desk(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path:
            case "/keys":
                self._say(json.dumps({"keys": [self.server.key.as_dict(private=False)]}))
            case "/authorize" if "email" in asked:
                answer = {"code": self.server.code_for(asked), "state": asked["state"]}
                self._say("", "text/html", f"{asked['redirect_uri']}?{urlencode(answer)}")
            case "/authorize":
                hidden = (f"<input type=hidden name={n} value='{v}'>" for n, v in asked.items())
                self._say(FORM.format(hidden="".join(hidden)), "text/html")
            case _:
                self._say(json.dumps(self.server.metadata()))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._say(json.dumps(self.server.token(parse_qs(body)["code"][0])))

    def _say(self, text: str, kind: str = "application/json", goes_to: str = "") -> None:
        self.send_response(302 if goes_to else 200)
        self.send_header("Content-Type", kind)
        if goes_to:
            self.send_header("Location", goes_to)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing, or it would fill the tests' output."""


@contextmanager
def issuing() -> Iterator[Issuer]:
    """A provider at work."""
    with Issuer() as issuer:
        Thread(target=issuer.serve_forever, daemon=True).start()
        yield issuer
        issuer.shutdown()
