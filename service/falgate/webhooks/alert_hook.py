"""The operator's own hook: alerts sent to it, signed as Standard Webhooks specifies."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import msgspec

from falgate.core.events import Alerted
from falgate.core.money import dollars
from falgate.fal.connections import authorities, client, sockets
from falgate.fal.http import ExchangeFailed, answering

_DEADLINE_S = 10.0
_SECRET_BYTES_MIN = 24
_PREFIX = "whsec_"


class AlertHook:
    """Sends alerts to one URL. Redirects are not followed: the operator named this one."""

    def __init__(self, url: str, secret: str) -> None:
        """Send to `url`, signed with `secret`.

        Args:
            url: http:// or https://
            secret: "whsec_" and base64 of 24 bytes at least, as the specification has it.

        Raises:
            ValueError: The secret is none; the message does not quote it.
            ProxyWrong: The environment names no proxy where it should.
        """
        self._url = url
        self._secret = key_of(secret)
        self._client = client(sockets(authorities(), url))

    async def send(self, alert: Alerted, now_s: int) -> str:
        """Send one; what stood in the way, or "". The id of an alert is the same on a repeat."""
        name = f"alert_{alert.alert}"
        body = msgspec.json.encode(_message(alert))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(now_s),
            "webhook-signature": f"v1,{signature(self._secret, name, now_s, body)}",
        }
        try:
            async with answering(
                self._client,
                "POST",
                self._url,
                deadline_s=_DEADLINE_S,
                headers=headers,
                content=body,
            ) as answer:  # whose body says nothing to us, however long it is
                return "" if answer.is_success else str(answer.status_code)
        except ExchangeFailed as error:
            return str(error)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for.

    Raises:
        ValueError: It is not of the specification's form; the message does not quote it.
    """
    try:
        found = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        found = b""
    if not secret.startswith(_PREFIX) or len(found) < _SECRET_BYTES_MIN:
        raise ValueError(
            f"not `{_PREFIX}` and base64 of {_SECRET_BYTES_MIN} bytes or more, such as from "
            f"`echo {_PREFIX}$(openssl rand -base64 32)`"
        )
    return found


def signature(secret: bytes, name: str, at_s: int, body: bytes) -> str:
    """What proves to the receiver who sent a message, and when."""
    signed = f"{name}.{at_s}.".encode() + body
    return base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def _message(alert: Alerted) -> dict[str, object]:
    crossed = datetime.fromtimestamp(int(alert.alert.partition("-")[0]) / 1000, UTC)
    at = crossed.isoformat(timespec="milliseconds")
    if alert.what == "balance":
        return {
            "type": "upstream.balance",
            "timestamp": at,
            "data": {"upstream": alert.upstream, "problem": "the balance is exhausted"},
        }
    reached = {"percent": alert.percent} if alert.what == "threshold" else {}
    return {
        "type": f"budget.{alert.what}",
        "timestamp": at,
        "data": {
            "upstream": alert.upstream,
            "account": alert.account,
            "window": alert.window,
            **reached,
            "limit_usd": dollars(alert.limit),
            "spent_usd": dollars(alert.spent),
            "held_usd": dollars(alert.held),
        },
    }
