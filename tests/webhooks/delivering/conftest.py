"""Instances that deliver over one Redis, and receivers of real HTTP."""

import asyncio
import base64
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from patience import PATIENCE_S, TRIP_S
from redis.asyncio import Redis
from two_servers import embedded

from falgate import settings
from falgate.background import open_webhooks
from falgate.core.calendar import Calendar
from falgate.first_start import running
from falgate.money.store.ledger import Ledger
from falgate.redis.client import connect
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.metrics import Metrics
from falgate.webhooks.delivery import RequestOutcome
from falgate.webhooks.store.secrets import webhook_signer
from falgate.webhooks.worker import WebhookWorker

UTC_DAYS = Calendar(UTC)


class Came(NamedTuple):
    """A webhook that came."""

    headers: dict[str, str]
    body: bytes


class Receiver:
    """Who is told.

    Attributes:
        url: Where.
        came: Every webhook.
        answers: Its status for the next ones; 200 after them.
        open: While it is not set, nobody is answered.
    """

    def __init__(self) -> None:
        self.came: list[Came] = []
        self.answers: list[int] = []
        self.open = threading.Event()
        self.open.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.came.append(Came(headers, self.rfile.read(length)))
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.open.wait(PATIENCE_S)
                try:
                    self.send_response(status)
                    self.end_headers()
                except ConnectionError:
                    pass  # Whoever sent it is gone.

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/told?token=secret"


class Kept:
    """How requests ended, by hand; those in `gone` are not kept any more."""

    def __init__(self) -> None:
        self.gone: set[str] = set()

    async def outcome(self, request_id: str) -> RequestOutcome | None:
        """What is to be told of one."""
        if request_id in self.gone:
            return None
        return RequestOutcome(
            request_id=request_id, ok=True, payload={"images": [{"url": "https://x"}]}
        )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,))
    thread.start()
    yield receiver
    receiver.open.set()
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real server's address."""
    with embedded() as url:
        yield url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of a Redis with a ledger that was just born."""
    client = connect(redis_url, timeout_s=TRIP_S)
    await client.flushall()
    await Ledger(client).birth(None, UTC_DAYS)
    yield client
    await client.aclose()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def instance(
    redis: Redis, redis_url: str, kept: Kept, metrics: Metrics
) -> Callable[..., AbstractAsyncContextManager[WebhookWorker]]:
    """An instance that delivers for as long as a block, and is killed at its end."""
    assert redis is not None

    @asynccontextmanager
    async def run(**changes: Any) -> AsyncIterator[WebhookWorker]:
        own = connect(redis_url, timeout_s=TRIP_S)
        found = settings.Settings(
            **{"webhook_allow_http": True, "webhook_targets": "127.0.0.0/8", **changes}
        )
        signer = await webhook_signer(own)
        facts = Telemetry(metrics, lambda *_: None)
        opened = open_webhooks(found, own, signer, kept, facts)
        async with opened as delivering, running(delivering.run):
            yield delivering
        await own.aclose()

    return run


@pytest.fixture
async def keys(redis: Redis) -> list[dict[str, str]]:
    """What any instance publishes."""
    return (await webhook_signer(redis)).key_set()["keys"]


def _accepts(keys: list[dict[str, str]], headers: Mapping[str, str], body: bytes) -> bool:
    names = ("request-id", "user-id", "timestamp")
    parts = [headers[f"x-fal-webhook-{name}"] for name in names]
    if abs(int(time.time()) - int(parts[2])) > 300:
        return False
    message = "\n".join([*parts, hashlib.sha256(body).hexdigest()]).encode("utf-8")
    signature = bytes.fromhex(headers["x-fal-webhook-signature"])
    for key in keys:
        try:
            public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"]))
            public.verify(signature, message)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


@pytest.fixture
def accepts() -> Callable[..., bool]:
    """Whether a receiver that follows fal's recipe in Python, step by step, believes a webhook.

    It decodes keys as they are published, and tries one after another.
    """
    return _accepts


@pytest.fixture
def until() -> Callable[..., Any]:
    """Waits until something is true, and fails when that takes long."""

    async def wait(true: Callable[[], Any]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not await true() if asyncio.iscoroutinefunction(true) else not true():
            assert time.monotonic() < end_s
            await asyncio.sleep(0.01)

    return wait
