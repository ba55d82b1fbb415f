"""The operator's alert webhook: requests signed as the Standard Webhooks specification requires."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import msgspec

from falgate.core.events import Alert, Alerted, ModelAlerted
from falgate.core.money import dollars
from falgate.fal.connections import Sockets, authorities
from falgate.fal.http import ExchangeFailed, answering

_SUCCESSFUL = range(200, 300)
_DEADLINE_S = 10.0
_SECRET_BYTES_MIN = 24
_PREFIX = "whsec_"
_APPS_NAMED = 10
"""How many apps a sentence names; the data have more."""


class AlertHook:
    """Sends alerts to one URL chosen by the operator. Redirects are not followed."""

    def __init__(self, url: str, secret: str) -> None:
        """Send to `url`, signed with `secret`.

        Args:
            url: http:// or https://
            secret: "whsec_" followed by the base64 of at least 24 bytes, as the specification
                requires.

        Raises:
            ValueError: The secret is malformed; the message does not quote it.
            ProxyWrong: The environment names a malformed proxy.
        """
        self._url = url
        self._secret = key_of(secret)
        self._client = Sockets(authorities(), url)

    async def send(self, alert: Alert, now_s: int) -> str:
        """Send one alert; return the problem, or "" once a 2xx came back.

        A repeated alert has the same `webhook-id`, so its receiver can drop duplicates.
        """
        name = f"alert_{alert.alert}"
        body = msgspec.json.encode(message(alert))
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
            ) as answer:  # only the status matters; the body is not read
                return "" if answer.status in _SUCCESSFUL else str(answer.status)
        except ExchangeFailed as error:
            return str(error)

    async def close(self) -> None:
        """Close the hook's connections."""
        await self._client.aclose()


def key_of(secret: str) -> bytes:
    """Decode a secret into the bytes of its key.

    Raises:
        ValueError: The secret is malformed; the message does not quote it.
    """
    try:
        found = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        found = b""
    if not secret.startswith(_PREFIX) or len(found) < _SECRET_BYTES_MIN:
        raise ValueError(
            f"must be `{_PREFIX}` followed by the base64 of at least {_SECRET_BYTES_MIN} bytes; "
            f"generate one with `echo {_PREFIX}$(openssl rand -base64 32)`"
        )
    return found


def signature(secret: bytes, name: str, at_s: int, body: bytes) -> str:
    """Return the `webhook-signature` value of a message: base64 of its HMAC-SHA256."""
    signed = f"{name}.{at_s}.".encode() + body
    return base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def message(alert: Alert) -> dict[str, object]:
    """Return the body of an alert: what programs read, and one sentence for chats.

    Incoming webhooks of Slack and Teams show `text`, those of Discord `content`; all of them ignore
    the rest.
    """
    crossed = datetime.fromtimestamp(int(alert.alert.partition("-")[0]) / 1000, UTC)
    match alert:
        case ModelAlerted():
            event, problem, data = _model(alert)
        case Alerted(what="balance"):
            event, problem, data = _balance(alert)
        case _:
            event, problem, data = _budget(alert)
    sentence = f"falgate: {problem} (upstream: {alert.upstream})"
    return {
        "type": event,
        "timestamp": crossed.isoformat(timespec="milliseconds"),
        "data": {"upstream": alert.upstream, **data},
        "text": sentence,
        "content": sentence,
    }


def _balance(alert: Alerted) -> tuple[str, str, dict[str, object]]:
    """Return an alert's type, its sentence and its data."""
    problem = "the balance is exhausted"
    remedy = "so every purchase is refused until the account is topped up"
    return f"upstream.{alert.what}", f"{problem}, {remedy}", {"problem": problem}


def _model(alert: ModelAlerted) -> tuple[str, str, dict[str, object]]:
    """Return an alert's type, its sentence and its data."""
    if alert.what == "changed":
        problem = f"{alert.upstream} changed {alert.model}, which is stopped until you resume it"
    elif alert.what == "gone":
        problem = f"{alert.upstream} has {alert.model} no more"
    elif alert.days_left > 0:
        problem = f"{alert.model} ends on {alert.retires}, in {alert.days_left} days"
    else:
        problem = f"{alert.model} has ended on {alert.retires}"
    instead = f"; its successor is {alert.successor}" if alert.successor else ""
    named = ", ".join(alert.apps[:_APPS_NAMED]) or "no app"
    more = len(alert.apps) - _APPS_NAMED
    callers = f"{named} and {more} more" if more > 0 else named
    return (
        f"model.{alert.what}",
        f"{problem}{instead}. In the last 30 days it was called by {callers}",
        {
            "model": alert.model,
            "retires": alert.retires or None,
            "days_left": alert.days_left,
            "successor": alert.successor or None,
            "apps": list(alert.apps),
        },
    )


def _budget(alert: Alerted) -> tuple[str, str, dict[str, object]]:
    """Return an alert's type, its sentence and its data."""
    reached: dict[str, object] = {}
    happened = "refused its first purchase"
    if alert.what == "threshold":
        reached = {"percent": alert.percent}
        happened = f"reached {alert.percent} %"
    limit, spent, held = map(dollars, (alert.limit, alert.spent, alert.held))
    sentence = (
        f"the budget of {alert.account} for {alert.window} has {happened}: "
        f"${spent} spent and ${held} held of ${limit}"
    )
    return (
        f"budget.{alert.what}",
        sentence,
        {
            "account": alert.account,
            "window": alert.window,
            **reached,
            "limit_usd": limit,
            "spent_usd": spent,
            "held_usd": held,
        },
    )
