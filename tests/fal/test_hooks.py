"""Signatures of hooks: fal's own keys, its whole message, and only lately."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from falgate.core.errors import Unavailable
from falgate.fal.signatures import Signatures

NOW_S = 1_800_000_000
BODY = b'{"request_id": "r-1", "status": "OK"}'
KEY, OLDER, FOREIGN = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))

Make = Callable[..., Signatures]


def published(*keys: Ed25519PrivateKey, **changes: Any) -> str:
    entries = [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": "k",
            "x": base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().strip("="),
            **changes,
        }
        for key in keys
    ]
    return json.dumps({"keys": entries})


def signed(key: Ed25519PrivateKey = KEY, **changes: Any) -> dict[str, str]:
    headers = {"request_id": "r-1", "user_id": "u", "timestamp": str(NOW_S)}
    message = "\n".join([*headers.values(), hashlib.sha256(BODY).hexdigest()])
    headers = {**headers, "signature": key.sign(message.encode()).hex(), **changes}
    return {f"x-fal-webhook-{name.replace('_', '-')}": value for name, value in headers.items()}


@pytest.fixture
async def signatures() -> AsyncIterator[Make]:
    """Makes a reader of the keys at a URL."""
    async with AsyncExitStack() as stack:

        def make(url: str) -> Signatures:
            made = Signatures(url)
            stack.push_async_callback(made.close)
            return made

        yield make


@pytest.mark.parametrize("key", [KEY, OLDER])
async def test_any_key_of_fals_signs(peer: Any, say: Any, signatures: Make, key: Any) -> None:
    there = await peer(say(200, published(KEY, OLDER)))

    assert await signatures(there.url).valid(signed(key), BODY, NOW_S)


FORGED: dict[str, tuple[dict[str, str], bytes]] = {
    "another key": (signed(FOREIGN), BODY),
    "another body": (signed(), BODY + b" "),
    "another request": (signed(request_id="r-2"), BODY),
    "another user": (signed(user_id="v"), BODY),
    "another time": (signed(timestamp=str(NOW_S + 1)), BODY),
    "no signature": (signed(signature=""), BODY),
    "no hexadecimal": (signed(signature="zz"), BODY),
    "short": (signed(signature="00"), BODY),
    "no time": (signed(timestamp=""), BODY),
    "no number": (signed(timestamp="1.8e9"), BODY),
    "other digits": (signed(timestamp="١٨"), BODY),
    "a long number": (signed(timestamp="9" * 5000), BODY),
    "nothing": ({}, BODY),
}


@pytest.mark.parametrize(("headers", "body"), FORGED.values(), ids=FORGED)
async def test_whatever_fal_did_not_sign_is_not_valid(
    peer: Any, say: Any, signatures: Make, headers: Any, body: bytes
) -> None:
    there = await peer(say(200, published(KEY)))

    assert not await signatures(there.url).valid(headers, body, NOW_S)


@pytest.mark.parametrize(
    ("later_s", "valid"), [(-301, False), (-300, True), (300, True), (301, False)]
)
async def test_a_delivery_is_good_for_five_minutes(
    peer: Any, say: Any, signatures: Make, later_s: int, valid: object
) -> None:
    there = await peer(say(200, published(KEY)))

    assert await signatures(there.url).valid(signed(), BODY, NOW_S + later_s) == valid


async def test_keys_are_kept_and_read_again_at_most_once_a_minute(
    peer: Any, say: Any, signatures: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await peer({"/": [say(200, published(OLDER)), say(200, published(KEY))]})
    reader = signatures(there.url + "/")
    assert await reader.valid(signed(OLDER), BODY, NOW_S)
    for _ in range(5):
        assert not await reader.valid(signed(), BODY, NOW_S)
    assert len(there.heard) == 1

    monkeypatch.setattr("falgate.fal.signatures._AGAIN_S", 0.0)

    assert await reader.valid(signed(), BODY, NOW_S)
    assert await reader.valid(signed(), BODY, NOW_S)
    assert len(there.heard) == 2


async def test_keys_are_kept_for_a_day_at_most(
    peer: Any, say: Any, signatures: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await peer({"/": [say(200, published(KEY)), say(500, "")]})
    reader = signatures(there.url + "/")
    assert await reader.valid(signed(), BODY, NOW_S)
    monkeypatch.setattr("falgate.fal.signatures._AGAIN_S", 0.0)
    monkeypatch.setattr("falgate.fal.signatures._KEPT_S", 0.0)

    with pytest.raises(Unavailable):
        await reader.valid(signed(), BODY, NOW_S)


ANSWERS = {
    "an error": (500, published(KEY)),
    "a redirect": (302, published(KEY)),
    "no JSON": (200, "<html>"),
    "no keys": (200, '{"keys": []}'),
    "a list": (200, "[]"),
    "another kind of key": (200, published(KEY, kty="RSA")),
    "another curve": (200, published(KEY, crv="X25519")),
    "a short key": (200, published(KEY, x="AAAA")),
    "no base 64": (200, published(KEY, x="!")),
    "too long": (200, published(KEY) + " " * 70_000),
}


@pytest.mark.parametrize(("status", "text"), ANSWERS.values(), ids=ANSWERS)
async def test_without_a_key_of_fals_nothing_can_be_said(
    peer: Any, say: Any, signatures: Make, status: int, text: str
) -> None:
    there = await peer(say(status, text))

    with pytest.raises(Unavailable):
        await signatures(there.url).valid(signed(), BODY, NOW_S)


async def test_what_is_no_delivery_costs_no_look(peer: Any, say: Any, signatures: Make) -> None:
    there = await peer(say(200, published(KEY)))
    reader = signatures(there.url)

    assert not await reader.valid(signed(timestamp="5"), BODY, NOW_S)

    assert there.heard == []
