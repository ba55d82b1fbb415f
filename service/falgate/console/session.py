"""Sessions of people who signed in, and the cookie that names one; pure."""

import hashlib
import hmac
import re

import msgspec

from falgate.accounts.operator import Operator

ID_BYTES = 32
_COOKIE = re.compile(r"([0-9a-f]{64})\.([0-9a-f]{64})")


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who signed in with a browser. Times are seconds since 1970, by Redis's clock.

    Attributes:
        identity: What they signed in with; whether that still counts is asked at each request.
        operator: Who they are, as they signed in.
        csrf: What each form that changes something has to contain.
        ends_s: When they must sign in again, whatever they do.
        notice: A sentence for the next page that they see, or "".
    """

    identity: str
    operator: Operator
    csrf: str
    ends_s: int
    notice: str = ""

    def allows(self, csrf: str) -> bool:
        """Return whether a form came from a page of this session, compared in constant time."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())

    def __repr__(self) -> str:
        """Omit what forms have to contain."""
        return f"Session({self.operator.who})"


def cookie(secret: bytes, session_id: str) -> str:
    """Return the value of a session's cookie: its id, signed."""
    return f"{session_id}.{_signature(secret, session_id)}"


def session_id(secret: bytes, value: str) -> str | None:
    """Return the session's id in a cookie; None unless we signed it."""
    found = _COOKIE.fullmatch(value)
    if found and hmac.compare_digest(found[2], _signature(secret, found[1])):
        return found[1]
    return None


def _signature(secret: bytes, text: str) -> str:
    return hmac.new(secret, f"console session {text}".encode(), hashlib.sha256).hexdigest()
