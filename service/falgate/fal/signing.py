"""How fal signs its webhooks, and how falgate signs its own."""

import hashlib

PREFIX = "X-Fal-Webhook-"


REQUEST_ID, USER_ID, TIMESTAMP, SIGNATURE = (
    f"{PREFIX}{name}" for name in ("Request-Id", "User-Id", "Timestamp", "Signature")
)


KeySet = dict[str, list[dict[str, str]]]


def signed_message(request_id: str, user_id: str, timestamp: str, sent: bytes) -> bytes:
    """What fal signs of a body, and what its receivers verify."""
    return "\n".join((request_id, user_id, timestamp, hashlib.sha256(sent).hexdigest())).encode()
