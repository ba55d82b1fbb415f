"""The alert hook: signed as specified, one attempt, no redirect, over a real socket."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec
import pytest

from falgate.core.events import Alerted
from falgate.webhooks.alert_hook import AlertHook, key_of, signature

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
ALERT = Alerted(
    alert="1763820000123-0", upstream="fal", account="team:web", level="team",
    window="day:2026-11-22", percent=80, limit=10_000_000, spent=8_034_000,
    what="threshold", held=0,
)  # fmt: skip


def said(sentence: str) -> dict[str, str]:
    """The sentence, where Slack and Teams look for it and where Discord does."""
    return {"text": sentence, "content": sentence}


class Receiver:
    """Keeps what it was sent, and answers as it is told to."""

    def __init__(self) -> None:
        self.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.url = ""
        self.drips = False
        self.ended = asyncio.Event()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = (line.partition(": ") for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, _, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((headers, body))
        with suppress(ConnectionError):
            while self.drips:
                writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
            writer.write(self.answer)
            await writer.drain()
        writer.close()
        self.ended.set()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0)
    async with server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        yield receiver


@pytest.fixture
async def hook(receiver: Receiver) -> AsyncIterator[AlertHook]:
    hook = AlertHook(receiver.url, SECRET)
    yield hook
    await hook.close()


async def test_a_message_is_signed_over_its_id_its_time_and_its_body(
    hook: AlertHook, receiver: Receiver
) -> None:
    assert await hook.send(ALERT, 1_763_820_005) == ""

    [(headers, body)] = receiver.requests
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    assert headers["webhook-timestamp"] == "1763820005"
    assert headers["webhook-id"] == "alert_1763820000123-0"
    assert json.loads(body) == {
        **said(
            "falgate: the budget of team:web for day:2026-11-22 has reached 80 %: $8.034 spent "
            "and $0.00 held of $10.00 (upstream: fal)"
        ),
        "type": "budget.threshold",
        "timestamp": "2025-11-22T14:00:00.123+00:00",
        "data": {
            "upstream": "fal",
            "account": "team:web",
            "window": "day:2026-11-22",
            "percent": 80,
            "limit_usd": "10.00",
            "spent_usd": "8.034",
            "held_usd": "0.00",
        },
    }


async def test_a_refusal_is_a_message_of_its_own_type(hook: AlertHook, receiver: Receiver) -> None:
    refused = msgspec.structs.replace(ALERT, what="refused", percent=0, held=1_960_000)

    assert await hook.send(refused, 1_763_820_005) == ""

    [(_, body)] = receiver.requests
    message = json.loads(body)
    assert message["type"] == "budget.refused"
    assert (
        message.items()
        >= said(
            "falgate: the budget of team:web for day:2026-11-22 has refused its first purchase: "
            "$8.034 spent and $1.96 held of $10.00 (upstream: fal)"
        ).items()
    )
    assert message["data"] == {
        "upstream": "fal",
        "account": "team:web",
        "window": "day:2026-11-22",
        "limit_usd": "10.00",
        "spent_usd": "8.034",
        "held_usd": "1.96",
    }


async def test_an_exhausted_balance_is_a_message_of_its_own(
    hook: AlertHook, receiver: Receiver
) -> None:
    alert = msgspec.structs.replace(ALERT, what="balance")
    assert await hook.send(alert, 1_763_820_005) == ""

    [(_, body)] = receiver.requests
    assert json.loads(body) == {
        **said(
            "falgate: the balance is exhausted, so every purchase is refused until the account is "
            "topped up (upstream: fal)"
        ),
        "type": "upstream.balance",
        "timestamp": "2025-11-22T14:00:00.123+00:00",
        "data": {"upstream": "fal", "problem": "the balance is exhausted"},
    }


def test_the_specification_s_own_example_comes_out() -> None:
    secret = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    found = signature(
        secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    )

    assert found == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", "500"),
        (b"HTTP/1.1 302 There\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n", "302"),
        (b"", "ServerDisconnectedError: Server disconnected"),
        (b"nonsense\r\n\r\n", "ClientResponseError: 400"),
    ],
)
async def test_what_stood_in_the_way_is_named(
    answer: bytes, problem: str, hook: AlertHook, receiver: Receiver
) -> None:
    receiver.answer = answer

    assert (await hook.send(ALERT, 1_763_820_005)).startswith(problem)
    assert len(receiver.requests) == 1


async def test_nobody_there_is_a_problem_like_others() -> None:
    hook = AlertHook("http://127.0.0.1:1/services/canary", SECRET)

    problem = await hook.send(ALERT, 1_763_820_005)
    assert problem.startswith("ClientConnectorError: Cannot connect to host 127.0.0.1:1")
    assert "canary" not in problem
    await hook.close()


async def test_a_receiver_that_drips_is_given_up_at_the_deadline(
    hook: AlertHook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.webhooks.alert_hook._DEADLINE_S", 0.3)
    receiver.drips = True

    assert await hook.send(ALERT, 1_763_820_005) == "TimeoutError"
    async with asyncio.timeout(5):
        await receiver.ended.wait()


async def test_an_alert_goes_by_a_proxy_that_is_named_without_a_scheme(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", receiver.url.removeprefix("http://").removesuffix("/hook"))
    hook = AlertHook("http://alerts.example/hook", SECRET)

    assert await hook.send(ALERT, 1_763_820_005) == ""
    [(headers, _)] = receiver.requests
    assert headers["host"] == "alerts.example"
    await hook.close()


@pytest.mark.parametrize("secret", ["", "plain words", "whsec_", "whsec_c2hvcnQ=", "whsec_***"])
def test_a_secret_that_is_none_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_") as refused:
        key_of(secret)

    assert not secret or secret == "whsec_" or secret not in str(refused.value)
