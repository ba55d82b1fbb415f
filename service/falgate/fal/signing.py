"""Webhook signatures: the scheme that fal uses, and falgate for its own webhooks."""

import hashlib

PREFIX = "X-Fal-Webhook-"
REQUEST_ID, USER_ID, TIMESTAMP, SIGNATURE = (
    f"{PREFIX}{name}" for name in ("Request-Id", "User-Id", "Timestamp", "Signature")
)

KeySet = dict[str, list[dict[str, str]]]


def signed_message(request_id: str, user_id: str, timestamp: str, sent: bytes) -> bytes:
    """Return the bytes that are signed for a body, and that receivers verify."""
    return "\n".join((request_id, user_id, timestamp, hashlib.sha256(sent).hexdigest())).encode()
