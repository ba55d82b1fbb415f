"""One attempt to sign in by a provider, kept in a signed cookie of the browser; pure."""

import base64
import hashlib
import hmac
from typing import NamedTuple

import msgspec

STATE_BYTES = 32
ATTEMPT_S = 600
"""How long somebody may take at the provider, in seconds."""
TO_MAX = 1_000
_COOKIE_MAX = 3_000
"""Characters of a cookie that are read."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to sign in.

    Attributes:
        state: Random; the provider sends it back.
        until_s: When it ends, by Redis's clock, in seconds since 1970.
        to: The page to show afterwards.
    """

    state: str
    until_s: int
    to: str

    def nonce(self, secret: bytes) -> str:
        """Return what the ID token has to contain, so that it was made for this attempt."""
        return _derived(secret, f"nonce {self.state}")

    def verifier(self, secret: bytes) -> str:
        """Return what proves to the provider that we began the attempt (RFC 7636)."""
        return _derived(secret, f"verifier {self.state}")

    def challenge(self, secret: bytes) -> str:
        """Return the hash of `verifier`, by which the provider recognises it."""
        return _text(hashlib.sha256(self.verifier(secret).encode()).digest())

    def sealed(self, secret: bytes) -> str:
        """Return the value of the cookie."""
        body = _text(msgspec.json.encode(self))
        return f"{body}.{_derived(secret, f'cookie {body}')}"


class Answering(NamedTuple):
    """What came back from the provider with the browser, and what belongs to it.

    Attributes:
        code: What the provider gives its tokens for.
        redirect_uri: Where the browser came back to.
        verifier: See `Attempt.verifier`.
        nonce: See `Attempt.nonce`.
        now_s: Redis's clock, seconds since 1970.
    """

    code: str
    redirect_uri: str
    verifier: str
    nonce: str
    now_s: int


def opened(secret: bytes, value: str) -> Attempt | None:
    """Return the attempt in a cookie; None unless we signed it."""
    body, _, signature = value[:_COOKIE_MAX].partition(".")
    if not hmac.compare_digest(_derived(secret, f"cookie {body}").encode(), signature.encode()):
        return None
    return msgspec.json.decode(
        base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Attempt
    )


def _derived(secret: bytes, text: str) -> str:
    message = f"console openid {text}".encode()
    return _text(hmac.new(secret, message, hashlib.sha256).digest())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
