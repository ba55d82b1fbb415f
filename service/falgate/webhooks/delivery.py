"""Webhook messages, signatures, delivery records and the retry schedule."""

import base64
import hashlib
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from falgate.fal.signing import REQUEST_ID, SIGNATURE, TIMESTAMP, USER_ID, KeySet, signed_message

_PAUSES_S = (5, 15, 45, 120, 300, 600, 900, 1_200, 1_800, 2_215)
"""Delays between attempts: ten retries after the first attempt, over two hours."""
_SPREAD = 0.2

State = Literal["waiting", "failed", "delivered"]
"""waiting: for its next attempt. failed and delivered are final unless an operator resends it."""
STATES: tuple[State, ...] = get_args(State)
"""The states in the order in which lists show them."""


class Place(NamedTuple):
    """A position in the list of webhooks; the next page starts behind it.

    Attributes:
        state: The state whose list it is in.
        at_ms: The position there: when the webhook is due, or when it ended.
        request_id: The webhook at this position.
    """

    state: State
    at_ms: int
    request_id: str


class RequestOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a request ended, as its webhook reports it.

    Attributes:
        request_id: falgate's id, as the caller knows it.
        ok: Whether the request succeeded.
        payload: The model's output, or the error body.
        error: Why there is no output, in fal's words; "" on success.
        payload_error: Why the payload is missing; "" if it is not.
    """

    request_id: str
    ok: bool
    payload: Any
    error: str = ""
    payload_error: str = ""

    def __repr__(self) -> str:
        """Omit the payload, which may quote the prompt."""
        return f"Outcome({self.request_id})"


def body(outcome: RequestOutcome) -> bytes:
    """Encode a webhook message in fal's format, where `error` is null on success."""
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
    """Signs webhooks the way fal does, with falgate's own key."""

    def __init__(self, seed: bytes, user_id: str) -> None:
        """Sign with an ED25519 key made from this 32-byte seed, on behalf of `user_id`."""
        self._seed = seed
        self._user_id = user_id

    @cached_property
    def _key(self) -> Any:
        from falgate.fal.ed25519 import SigningKey  # noqa: PLC0415 - when it is needed

        return SigningKey(self._seed)

    def headers(self, request_id: str, sent: bytes, now_s: int) -> dict[str, str]:
        """Return the headers of a message, with the signature over its id, user, time and body."""
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
        """Return the public key as a JSON Web Key Set; its key id is the thumbprint (RFC 7638).

        The key is listed twice: unpadded as the RFCs require, and padded for fal's Python recipe,
        which decodes `x` without restoring the padding.
        """
        x = _text(self._key.public)
        own = {"crv": "Ed25519", "kty": "OKP", "x": x}
        kid = _text(hashlib.sha256(msgspec.json.encode(own)).digest())
        known = {**own, "kid": kid, "use": "sig", "alg": "EdDSA"}
        padded = x + "=" * (-len(x) % 4)
        return {"keys": [known, {**known, "x": padded, "kid": f"{kid}.padded"}]}


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it was last read.

    Attributes:
        request_id: The request whose end it reports.
        url: Where it goes.
        subject: The owner of the request, "team/app".
        upstream: The upstream whose ledger the request is in.
        state: See `State`.
        attempts: Attempts begun so far.
        said: Result of the last attempt: a status or an error's name; "" before the first.
        began_ms: When the request ended, Redis time.
        due_ms: When the next attempt is due; 0 once the webhook has ended.
        tried_ms: When the last attempt ended; 0 before the first.
        ended_ms: When it was delivered or given up; 0 while it waits.
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
        """Omit the URL, whose query may be a secret."""
        return f"Delivery({self.request_id}, {self.state})"


class Claimed(msgspec.Struct, frozen=True):
    """A webhook claimed by this instance for one attempt.

    Attributes:
        delivery: The webhook, with this attempt counted.
        until_ms: When the claim expires, Redis time.
        now_s: Redis time at the claim.
    """

    delivery: Delivery
    until_ms: int
    now_s: int


class Attempt(msgspec.Struct, frozen=True):
    """The result of one delivery attempt.

    Attributes:
        taken: Whether the receiver accepted it.
        said: The HTTP status, or the name of an error.
    """

    taken: bool
    said: str


TriedAs = Literal["delivered", "later", "failed", "gone"]
"""later: another attempt follows. gone: the request's result has expired."""


class WebhookAttempted(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery attempt was made, or was impossible.

    Attributes:
        target: Origin of the URL, without path and query.
        outcome: See `TriedAs`.
        attempt: Attempt number, from 1.
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
    """Return the delay before the next attempt, seconds; None when no attempt is left.

    Args:
        attempts: Attempts made so far, 1 or more.
        chance: Random number from 0 to 1; spreads deliveries that failed together.
    """
    if attempts > len(_PAUSES_S):
        return None
    return _PAUSES_S[attempts - 1] * (1 + _SPREAD * (chance - 0.5))


def _text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()
