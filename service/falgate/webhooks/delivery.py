"""Webhooks: what is sent to whoever asked for it, how it is signed, and how long it is tried."""

import base64
import hashlib
from typing import Any, Literal, NamedTuple, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from falgate.fal.signing import REQUEST_ID, SIGNATURE, TIMESTAMP, USER_ID, KeySet, signed_message

_PAUSES_S = (5, 15, 45, 120, 300, 600, 900, 1_200, 1_800, 2_215)
"""Between one attempt and the next: ten more than the first, over two hours."""
_SPREAD = 0.2

State = Literal["waiting", "failed", "delivered"]
"""waiting: for its next attempt. It ends once, unless an operator has it sent again."""
STATES: tuple[State, ...] = get_args(State)
"""In the order of lists."""


class Place(NamedTuple):
    """Where a list of webhooks goes on: behind this one.

    Attributes:
        state: It was in.
        at_ms: Its place there: when it is due, or when it ended.
        request_id: Which it was.
    """

    state: State
    at_ms: int
    request_id: str


class RequestOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a request ended, for whoever wants to be told.

    Attributes:
        request_id: Ours, as its caller has it.
        ok: Whether there is what was asked for.
        payload: The model's output, or the body that stands in its place.
        error: Why there is no output, in fal's words; "" where there is.
        payload_error: Why the payload is missing; "" where it is not.
    """

    request_id: str
    ok: bool
    payload: Any
    error: str = ""
    payload_error: str = ""

    def __repr__(self) -> str:
        """Without the payload, which may quote the prompt."""
        return f"Outcome({self.request_id})"


def body(outcome: RequestOutcome) -> bytes:
    """A message in fal's form, which has an error of null where there is none."""
    message = {
        "request_id": outcome.request_id,
        "gateway_request_id": outcome.request_id,
        "status": "OK" if outcome.ok else "ERROR",
        "error": outcome.error or None,
        "payload": outcome.payload,
    }
    if outcome.payload_error:
        message["payload_error"] = outcome.payload_error
    return msgspec.json.encode(message)


class Signer:
    """Signs webhooks as fal does, with a key of our own."""

    def __init__(self, seed: bytes, user_id: str) -> None:
        """Sign with the ED25519 key of these 32 bytes, in the name of `user_id`."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._user_id = user_id

    def headers(self, request_id: str, sent: bytes, now_s: int) -> dict[str, str]:
        """What goes with a body, so that its receiver knows who sent it, and when."""
        timestamp = str(now_s)
        message = signed_message(request_id, self._user_id, timestamp, sent)
        return {
            "Content-Type": "application/json",
            REQUEST_ID: request_id,
            USER_ID: self._user_id,
            TIMESTAMP: timestamp,
            SIGNATURE: self._key.sign(message).hex(),
        }

    def key_set(self) -> KeySet:
        """The public key as a JSON Web Key Set; its id is its thumbprint (RFC 7638).

        Twice: as the RFCs have it, and padded, because fal's Python recipe decodes it as it is.
        """
        x = _text(self._key.public_key().public_bytes_raw())
        own = {"crv": "Ed25519", "kty": "OKP", "x": x}
        kid = _text(hashlib.sha256(msgspec.json.encode(own)).digest())
        known = {**own, "kid": kid, "use": "sig", "alg": "EdDSA"}
        padded = x + "=" * (-len(x) % 4)
        return {"keys": [known, {**known, "x": padded, "kid": f"{kid}.padded"}]}


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that somebody is to get, as it was last read.

    Attributes:
        request_id: The request whose end it tells.
        url: Where it goes.
        subject: Whose request it was, "team/app".
        upstream: Who sold to it: whose books it is in.
        state: See `State`.
        attempts: How many were begun.
        said: What came of the last one: a status, or the name of an error; "" before it.
        began_ms: Redis time at which the request ended.
        due_ms: When it is tried next; 0 once it has ended.
        tried_ms: When the last attempt ended; 0 before it.
        ended_ms: When it was taken, or given up; 0 while it waits.
    """

    request_id: str
    url: str
    subject: str
    upstream: str
    state: State
    attempts: int
    began_ms: int
    said: str = ""
    due_ms: int = 0
    tried_ms: int = 0
    ended_ms: int = 0

    def __repr__(self) -> str:
        """Without the URL, whose query may be a secret."""
        return f"Delivery({self.request_id}, {self.state})"


class Claimed(msgspec.Struct, frozen=True):
    """A webhook that is this instance's to send.

    Attributes:
        delivery: With this attempt counted.
        until_ms: When it is anybody's again, by Redis's clock.
        now_s: That clock, when it was taken.
    """

    delivery: Delivery
    until_ms: int
    now_s: int


class Attempt(msgspec.Struct, frozen=True):
    """What came of sending one.

    Attributes:
        taken: Whether its receiver has it.
        said: A status, or the name of an error.
    """

    taken: bool
    said: str


TriedAs = Literal["delivered", "later", "failed", "gone"]
"""later: another attempt follows. gone: there is no outcome to tell any more."""


class WebhookAttempted(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook was sent, or could not be.

    Attributes:
        target: Where, without path and query.
        outcome: See `TriedAs`.
        attempt: The how manieth it was.
        said: As in `Attempt`.
    """

    request_id: str
    subject: str
    target: str
    outcome: TriedAs
    attempt: int
    said: str
    took_s: float


def pause_s(attempts: int, chance: float) -> float | None:
    """How long to wait after so many attempts; None when there were enough.

    Args:
        attempts: 1 or more.
        chance: From 0 to 1. What failed together must not come again together.
    """
    if attempts > len(_PAUSES_S):
        return None
    return _PAUSES_S[attempts - 1] * (1 + _SPREAD * (chance - 0.5))


def _text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()
