"""The administration's API on a socket, over a real Redis of its own."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import httpx
import pytest
import uvicorn
from litestar import Litestar
from patience import PATIENCE_S, TRIP_S
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from two_servers import embedded
from two_teams import Staged, two_teams

from falgate.accounts import apikey
from falgate.accounts.operator import SCOPE, Operator
from falgate.accounts.store.registry import Registry
from falgate.admin.api.routes import admin_routes
from falgate.admin.api.services import AdminServices
from falgate.admin_app import admin_parts
from falgate.core.calendar import Calendar
from falgate.http.body_limits import BodyLimits
from falgate.http.docs import openapi
from falgate.http.edge import Edge
from falgate.http.errors import HANDLERS
from falgate.models.endpoints import MODELS
from falgate.money.store.budgets import Budgets
from falgate.money.store.stops import Stops
from falgate.redis.client import connect

ADMIN_KEY = apikey.mint("admin", b"\x01" * apikey.ID_BYTES, b"\x02" * apikey.SECRET_BYTES)
PREFIX = "/admin/v1"


class Served(NamedTuple):
    """An API that serves.

    Attributes:
        url: What requests to it begin with.
        redis_url: Its Redis.
    """

    url: str
    redis_url: str

    def client(self, key: str | None = ADMIN_KEY) -> httpx.Client:
        """A client of it that presents a key."""
        headers = {} if key is None else {"Authorization": f"Key {key}"}
        return httpx.Client(
            base_url=self.url + PREFIX,
            headers=headers,
            trust_env=False,
            timeout=PATIENCE_S,
            verify=False,  # plain http: a context of TLS would only take its time
        )


def _app(redis: Redis, admin_key: str) -> Edge:
    calendar = Calendar(ZoneInfo("Europe/Vienna"))
    services = AdminServices(
        records=Registry(redis),
        budget_store=Budgets(redis, calendar),
        stop_store=Stops(redis),
        calendar=calendar,
        upstreams={"live": "sandbox", "test": "test"},
        models=MODELS,
        admin_key=admin_key,
    )
    app = Litestar(
        route_handlers=admin_routes(admin_parts(services, redis)),
        exception_handlers=HANDLERS,
        openapi_config=openapi(),
        request_max_body_size=None,
        logging_config=None,
    )
    return Edge(
        app,
        models=MODELS,
        requested=lambda _route, _status: None,
        refused=lambda _event: None,
        bodies=BodyLimits({}, bytes_max=100_000, time_s=10),
    )


def _serve(redis_url: str, admin_key: str = ADMIN_KEY) -> Iterator[Served]:
    # Named TCP, or asyncio would leave Nagle's delay on.
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    holder.bind(("127.0.0.1", 0))
    redis = connect(redis_url, timeout_s=TRIP_S)
    config = uvicorn.Config(
        _app(redis, admin_key), log_config=None, lifespan="off", ws="none", access_log=False
    )
    server = uvicorn.Server(config)

    async def serve() -> None:
        await server.serve(sockets=[holder])
        await redis.aclose()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        deadline_s = time.monotonic() + PATIENCE_S
        while not server.started:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        yield Served(f"http://127.0.0.1:{holder.getsockname()[1]}", redis_url)
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real server's address."""
    with embedded() as url:
        yield url


@pytest.fixture(scope="session")
def served(redis_url: str) -> Iterator[Served]:
    """One API for all tests; each of them finds it empty."""
    yield from _serve(redis_url)


@pytest.fixture(scope="session")
def closed(redis_url: str) -> Iterator[Served]:
    """An API without an admin key."""
    yield from _serve(redis_url, admin_key="")


@pytest.fixture
def redis(redis_url: str) -> Iterator["SyncRedis"]:
    """A client of an empty Redis."""
    with SyncRedis.from_url(redis_url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def client(served: Served, redis: "SyncRedis") -> Iterator[httpx.Client]:
    """A client of an API that has no records yet."""
    assert redis.dbsize() == 0
    with served.client() as asking:
        yield asking


@pytest.fixture(scope="session")
def staged(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Staged]:
    """A gateway with two teams that bought, and operators of each role."""
    with serve(tmp_path_factory.mktemp("roles")) as gateway:
        yield two_teams(gateway)


@pytest.fixture
async def signed_in(redis_url: str) -> AsyncIterator[Callable[[Operator], httpx.AsyncClient]]:
    """Makes clients of the API that act as operators of any role, as the console does."""
    redis = connect(redis_url, timeout_s=TRIP_S)
    app = _app(redis, ADMIN_KEY)

    def client(operator: Operator) -> httpx.AsyncClient:
        async def serve(scope: Any, receive: Any, send: Any) -> None:
            scope[SCOPE] = operator
            await app(scope, receive, send)

        return httpx.AsyncClient(
            transport=httpx.ASGITransport(serve), base_url=f"http://console{PREFIX}"
        )

    yield client
    await redis.aclose()


@pytest.fixture
def shop(client: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Makes team web and app shop, once, and then keys of it."""

    def make(**settings: Any) -> dict[str, Any]:
        client.post("/teams", json={"name": "web"})
        client.post("/teams/web/apps", json={"name": "shop"})
        made = client.post("/keys", json={"team": "web", "app": "shop", **settings})
        assert made.status_code == 201, made.text
        told: dict[str, Any] = made.json()
        return told

    return make


@pytest.fixture
def commands(redis: SyncRedis) -> Any:
    """How many commands Redis carries out for a call."""

    def calls() -> int:
        stats: Any = redis.info("commandstats")
        return sum(each["calls"] for each in stats.values())

    def measure(client: httpx.Client, path: str, **query: Any) -> int:
        before = calls()
        looking = calls() - before
        answer = client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return calls() - before - 2 * looking

    return measure
