"""The fast path changes nothing but speed: each response is the same with and without it."""

import asyncio
import contextlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import pytest
from patience import PATIENCE_S

from falgate.models.endpoints import MODELS
from falgate.served_models import SHIPPED as FOLDER

MODEL = "/fal-ai/gpt-image-1.5"
EDIT = "/fal-ai/flux-2-pro/edit"
DESCRIBED = ["/fal-ai/flux/schnell", "/fal-ai/flux-2-pro", "/fal-ai/nano-banana-2", EDIT]
OTHERS = [*DESCRIBED, *(f"/{endpoint}" for endpoint in MODELS if f"/{endpoint}" != MODEL)]
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q"
    "DwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
REQUESTS, IN_FULL = 240, 1_000
"""For each of three settings."""
ODD = {"header": 10, "host": 3, "type": 2, "path": 2, "key": 2}
"""What may differ from a plain request, and how often."""
TRIES = 5
PROMPTS = ["a fox", "a hare", "ein Fuchs \N{SNOWMAN}", "two\nlines", ""]
HEADERS = [
    ("Cache-Control", "no-cache"),
    ("Cache-Control", "max-age=100000"),
    ("Cache-Control", "max-age=0"),
    ("Cache-Control", "only-if-cached"),
    ("Cache-Control", "no-transform, only-if-cached"),
    ("Cache-Control", "no-store"),
    ("X-Falgate-Variation", "second"),
    ("X-Falgate-Variation", "no label"),
    ("X-Falgate-Scope", "app"),
    ("X-Falgate-Scope", "nobody"),
    ("X-Fal-Queue-Priority", "low"),
    ("X-Fal-Request-Timeout", "30"),
    ("X-Fal-Runner-Hint", "h" * 2_000),
    ("X-Forwarded-Host", "elsewhere.example"),
    ("X-Forwarded-Host", "queue.elsewhere.example"),
    ("X-Forwarded-Host", "a b"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Prefix", "/fal"),
    ("X-Forwarded-Prefix", "/../x"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("Origin", "https://page.example"),
    ("Content-Encoding", "gzip"),
    ("Expect", "100-continue"),
    ("Accept", "*/*"),
    ("Connection", "close"),
    ("Connection", "Upgrade, HTTP2-Settings"),
    ("Idempotency-Key", "one"),
    ("Range", "bytes=0-1"),
]
HOSTS = [
    "localhost",
    "127.0.0.1:80",
    "queue.localhost",
    "QUEUE.localhost",
    "strange.example",
    "[::1]",
]
TYPES = ["application/json", "application/json; charset=utf-8", "text/plain", "a/b, c/d", ""]


class Asked(NamedTuple):
    """A generated request."""

    path: str
    host: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def wire(self) -> bytes:
        """As it is sent."""
        lines = [f"POST {self.path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode() + self.body


def body(chance: random.Random) -> bytes:
    """A body: mostly a plain one, some that fal refuses, some that nobody can read."""
    wanted: dict[str, Any] = {"prompt": chance.choice(PROMPTS), "quality": "low"}
    if chance.random() < 0.3:
        wanted["num_images"] = chance.choice([1, 2, 2, 5, "2"])
    if chance.random() < 0.2:
        wanted["output_format"] = chance.choice(["png", "jpeg", "gif"])
    if chance.random() < 0.1:
        wanted["sync_mode"] = True
    if chance.random() < 0.1:
        wanted[chance.choice(["seed", "x y", "extra"])] = 1
    if chance.random() < 0.05:
        wanted |= {"enable_web_search": True, "system_prompt": "https://example.com"}
    if chance.random() < 0.2:
        wanted["image_urls"] = [PIXEL]
    text = json.dumps(wanted, ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.05:
        text = chance.choice([text[:-1], "[]", "null", "", text + " ", "\ufeff" + text])
    return text.encode()


def asked(chance: random.Random, keys: list[str]) -> Asked:
    """A request: a plain one, one that differs from a plain one in one thing, or in any of them."""
    how = chance.choices(["plain", "one", "any"], [8, 9, 3])[0]
    odd = set(ODD) if how == "any" else set[str]()
    odd |= {chance.choices(list(ODD), list(ODD.values()))[0]} if how == "one" else set()
    key = chance.choice(keys if "key" in odd else keys[:2])
    headers = [("Authorization", f"{chance.choice(['Key', 'key', 'Bearer'])} {key}")]
    if "type" not in odd or chance.random() < 0.8:
        headers.append(("Content-Type", chance.choice(TYPES if "type" in odd else TYPES[:1])))
    if "header" in odd:
        headers += chance.sample(HEADERS, 1 if how == "one" else chance.choice([0, 1, 1, 2]))
        if chance.random() < 0.1:
            headers.append(chance.choice(headers))
    model = chance.choice(OTHERS) if how != "one" and chance.random() < 0.3 else MODEL
    paths = [model, f"/run{model}", f"{model}/", f"{model}?a=b"]
    path = chance.choice(paths if "path" in odd else paths[:1])
    host = chance.choice(HOSTS if "host" in odd else HOSTS[:1])
    # What differs in one thing is of a picture that was bought soon, or nothing would be found.
    plain = json.dumps({"prompt": chance.choice(PROMPTS[:2]), "quality": "low"}).encode()
    return Asked(path, host, headers, plain if how == "one" else body(chance))


async def heard(host: str, sent: bytes) -> bytes:
    """The whole response to a request."""
    name, port = host.split(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    try:
        async with asyncio.timeout(PATIENCE_S):
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"HTTP/1.1 100"):
                head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"content-length: (\d+)", head)
            assert size, head
            return head + await reader.readexactly(int(size[1]))
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def compared(response: bytes, host: str) -> bytes:
    """A response without what differs from one to the next of the same gateway."""
    response = re.sub(UUID, b"ID", response.replace(host.encode(), b"GATEWAY"))
    for name, value in VARYING.items():
        response = re.sub(name + rb": [^\r]*", name + b": " + value, response)
    if b"; fwd=request" in response:  # bought anew
        response = re.sub(
            rb"[0-9a-f]{64}|base64,[^\"]*|age: \d+|ttl=\d+|_size\":\d+|seed\":\d+|signature=[\w-]+",
            b"NEW",
            response,
        )
    return response


UUID = rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
VARYING = {
    b"content-length": b"N",  # of the address in it
    b"date": b"NOW",
    b"x-falgate-budget-remaining-usd": b"LEFT",
    b"retry-after": b"S",
}


def outcome(response: bytes) -> str:
    """How it was served, or the status of its refusal."""
    found = re.search(rb"x-falgate-cache: (\w+)", response)
    return found[1].decode() if found else response[9:12].decode()


SETTINGS: dict[str, dict[str, str]] = {
    "direct": {"cors_origins": "https://page.example"},
    "proxied": {"trusted_proxies": "127.0.0.1", "picture_url_ttl_s": "600"},
    "public": {"trusted_proxies": "127.0.0.1", "public_url": "https://fal.example/images"},
}


@pytest.fixture(scope="module", params=SETTINGS)
def both(
    request: pytest.FixtureRequest,
    serve: Callable[..., AbstractContextManager[Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Any, Any]]:
    """Two gateways of one organisation: with the fast path, and without."""
    shared = SETTINGS[request.param] | {"models_dir": str(FOLDER)}
    with serve(tmp_path_factory.mktemp("fast"), **shared) as fast:
        shared |= {"redis_url": fast.redis_url, "media_url": (fast.data / "media").as_uri()}
        with serve(tmp_path_factory.mktemp("slow"), **shared, fast_path="false") as slow:
            yield fast, slow


async def keys_of(gateway: Any) -> list[str]:
    """Keys of many kinds; the first two are plain ones."""
    policies = {
        "scoped": {"cache": {"scope": "app", "callers_may": ["age"]}},
        "aged": {"cache": {"max_age_s": 3_600, "ignore_freshness": True}},
        "fresh": {"cache": {"freshness": "no-cache"}},
        "distinct": {"cache": {"identical": "distinct"}},
        "paced": {"limits": {"requests_per_second": 1_000}},
    }
    keys = [gateway.key, await gateway.issue(kind="test")]
    async with gateway.admin() as admin:
        for team, policy in policies.items():
            keys.append(await gateway.issue(team=team))
            changed = await admin.patch(f"/teams/{team}/apps/app", json=policy)
            assert changed.status_code == 200, changed.text
        for permissions in (
            {"networks": ["10.0.0.0/8"]},
            {"networks": ["127.0.0.0/8"]},
            {"pictures_max": 1, "fresh": False},
            {"qualities": ["high"]},
        ):
            keys.append(await gateway.issue(team="web"))
            path = f"/keys/{keys[-1].split('_')[2]}"
            changed = await admin.patch(path, json={"permissions": permissions})
            assert changed.status_code == 200, changed.text
    return [*keys, "fg_live_nothing", "id:secret"]


async def test_each_of_many_generated_requests_gets_the_same_response(
    both: tuple[Any, Any], pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> None:
    fast, slow = both
    keys, chance = await keys_of(fast), random.Random(request.node.name)
    many = IN_FULL if pytestconfig.getoption("full") else REQUESTS
    outcomes = Counter[str]()

    async def ask(gateway: Any, wire: bytes) -> bytes:
        return compared(await heard(gateway.host, wire), gateway.host)

    async def compare(sent: Asked) -> None:
        for _ in range(TRIES):  # the first one may buy, and a second may begin between the two
            expected, got = await ask(slow, sent.wire), await ask(fast, sent.wire)
            if expected == got:
                break
        assert got == expected, sent
        outcomes[outcome(got)] += 1

    for _ in range(many):
        await compare(asked(chance, keys))

    assert sum(outcomes.values()) == many
    assert outcomes["hit"] > many / 3
    assert len(outcomes) > 8, outcomes
    assert await found_fast(fast) > outcomes["hit"] / 2
    assert await found_fast(slow) == 0


async def found_fast(gateway: Any) -> float:
    """How many hits were answered by the fast path."""
    async with gateway.client() as client:
        metrics = (await client.get("/metrics")).text
    found = re.findall(r"^falgate_fast_hits_total\{.*\} (.*)$", metrics, re.MULTILINE)
    assert len(found) == 2
    return sum(map(float, found))
