"""OpenID providers to sign in to the console by: a real one, and one that signs what it is told."""

import base64
import hmac
import json
import secrets
import shutil
import subprocess
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from patience import PATIENCE_S
from processes import ended

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".cache" / "provider"
CLIENT, SECRET = "falgate", "client-secret-of-the-tests"
ALGORITHMS = {"RS256": RSAKey, "ES256": ECKey, "EdDSA": OKPKey}
ACCOUNTS = {
    "alice@example.org": {"groups": ["staff", "platform"]},
    "vic": {"groups": ["staff"]},
    "lea": {"groups": ["staff", "web-leads"]},
    "eve": {"groups": ["visitors"]},
    "nobody": {},
}
ROLES = "staff=viewer,platform=admin,web-leads=lead:default"
BACK = "/console/sign-in/oidc/callback"


def settings(issuer: str) -> dict[str, str]:
    """Those of a gateway whose console people sign in to by this provider."""
    return {
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_roles": ROLES,
        "oidc_scopes": "openid profile groups",
    }


@contextmanager
def real_provider() -> Iterator[str]:
    """Serve npm's `oidc-provider` until the block ends; it gives the issuer."""
    node = shutil.which("node") or pytest.fail("Node is missing: run deploy/tools.sh")
    if not (TOOLS / "made_from").exists():
        pytest.fail("The OpenID provider is missing: run deploy/browser.sh")
    script = ROOT / "tests" / "console" / "provider" / "serve.mjs"
    given = json.dumps({"client": CLIENT, "secret": SECRET, "accounts": ACCOUNTS})
    process = subprocess.Popen(
        [node, str(script), str(TOOLS), given],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with ended(process):
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("serves "), said
        yield said.removeprefix("serves ").strip()


def visit(gateway: Any) -> httpx.Client:
    """A client of a gateway's console that has no session yet."""
    return httpx.Client(base_url=f"{gateway.url}/console", trust_env=False, timeout=PATIENCE_S)


def depart(visitor: httpx.Client, to: str = "") -> str:
    """Press the button of the sign-in page; return where the browser is sent."""
    answer = visitor.get("/sign-in/oidc", params={"next": to} if to else {})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def at_provider(address: str, name: str) -> str:
    """Sign in at the real provider, or cancel with "" for a name; return where it leads back to."""
    with httpx.Client(trust_env=False, timeout=PATIENCE_S) as browser:
        answer = browser.get(address)
        while urlsplit(str(answer.headers.get("location", ""))).path != BACK:
            if answer.is_redirect:
                assert answer.next_request is not None
                answer = browser.send(answer.next_request)
            else:
                assert "The provider" in answer.text, answer.text
                pressed = {"login": name, "what": "in" if name else "no"}
                answer = browser.post(answer.url, data=pressed)
        return answer.headers["location"]


class EvilProvider:
    """A provider that gives, for any code, the ID token that a test made.

    Attributes:
        issuer: Its name.
        key: What it signs with.
        published: The keys that it publishes.
        token: The ID token of the next answer.
        going_on: While it is not set, an answer waits before its last byte.
        down: Whether it answers 500 to everything.
        discovery: Replaces fields of its discovery document.
    """

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.published: list[Key] = [self.key]
        self.token = ""
        self.down = False
        self.going_on = threading.Event()
        self.going_on.set()
        self.discovery: dict[str, Any] = {}

    def signed(self, claims: dict[str, Any], *, key: Key | None = None, alg: str = "RS256") -> str:
        """An ID token of these claims."""
        key = key or self.key
        header = {"alg": alg, "kid": key.kid}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # EdDSA has a newer name
            return jwt.encode(header, claims, key, algorithms=[alg])

    def hashed(self, claims: dict[str, Any]) -> str:
        """One whose signature is a hash with the public key, as who attacks would make it."""
        signed = f"{_text({'alg': 'HS256', 'kid': 'first'})}.{_text(claims)}"
        public = self.key.as_pem(private=False)
        made = hmac.new(public, signed.encode(), "sha256").digest()
        return f"{signed}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"

    def unsigned(self, claims: dict[str, Any]) -> str:
        """One without a signature."""
        return f"{_text({'alg': 'none', 'kid': 'first'})}.{_text(claims)}."

    def answer(self, path: str) -> tuple[int, Any]:
        """The status and the body of an answer."""
        if self.down:
            return 500, {}
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/auth?realm=1",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                **self.discovery,
            }
        if path == "/jwks":
            return 200, {"keys": [key.as_dict(private=False) for key in self.published]}
        assert path == "/token"
        return 200, {"id_token": self.token, "access_token": secrets.token_hex(8)}


def _text(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@contextmanager
def evil_provider() -> Iterator[EvilProvider]:
    """Serve one until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = evil.answer(urlsplit(self.path).path)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:-1])
            evil.going_on.wait(PATIENCE_S)
            self.wfile.write(content[-1:])

        do_POST = do_GET  # noqa: N815 - its base looks for this name

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        evil = EvilProvider(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield evil
        finally:
            server.shutdown()
            thread.join()


def asked_of(address: str) -> dict[str, str]:
    """What a provider was asked, by the query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
