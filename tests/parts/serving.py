"""A real gateway in a process of its own, on a free port, with the sandbox and embedded Redis."""

import asyncio
import os
import re
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from forking import Forked, popen
from patience import PATIENCE_S, TRIP_S
from redis.asyncio import Redis

from falgate.accounts import apikey
from falgate.accounts.apikey import Kind
from falgate.accounts.directory import App, Team
from falgate.accounts.store.registry import Registry
from falgate.admin.service import AdminService
from falgate.core.calendar import Calendar
from falgate.models.endpoints import MODELS
from falgate.money.store.budgets import Budgets
from falgate.money.store.stops import Stops
from falgate.redis.client import connect
from falgate.redis.embedded import EmbeddedRedis

MODEL = "/fal-ai/gpt-image-1.5"
WORK_S = 0.5
"""How long the sandbox works where a test looks at what is under way; else no time at all."""


class Gateway(NamedTuple):
    """A gateway that serves.

    Attributes:
        host: host:port of its http listener.
        key: A live key of the team `default`.
        admin_key: The operator's.
        data: Its data directory.
        log: The file that it logs to, at debug level.
        redis_url: Its Redis.
    """

    host: str
    key: str
    admin_key: str
    data: Path
    log: Path
    redis_url: str

    @property
    def url(self) -> str:
        """What requests to it begin with."""
        return f"http://{self.host}"

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A client of it that presents its key."""
        headers = {"Authorization": f"Key {self.key}"}
        return httpx.AsyncClient(
            base_url=self.url, headers=headers, trust_env=False, timeout=PATIENCE_S, **options
        )

    def admin(self) -> httpx.AsyncClient:
        """A client of its administration."""
        headers = {"Authorization": f"Key {self.admin_key}"}
        return httpx.AsyncClient(
            base_url=f"{self.url}/admin/v1", headers=headers, trust_env=False, timeout=PATIENCE_S
        )

    def redis(self) -> Redis:
        """A client of its Redis."""
        return connect(self.redis_url, timeout_s=TRIP_S)

    async def issue(self, kind: Kind = "live", team: str = "default") -> str:
        """Another key, of the app `app` of a team."""
        redis = self.redis()
        books = Budgets(redis, Calendar(UTC))
        admin = AdminService(
            Registry(redis), books, Stops(redis), who="tests", upstreams={}, models=MODELS
        )
        try:
            if team not in await admin.teams.all():
                await admin.teams.create(team, Team())
            if f"{team}/app" not in await admin.apps.all():
                await admin.apps.create(f"{team}/app", App())
            return (await admin.keys.create(f"{team}/app", kind=kind)).key
        finally:
            await redis.aclose()

    def logged(self) -> str:
        """All that it logged until now."""
        return self.log.read_text()


@contextmanager
def _reserved() -> Iterator[str]:
    """A free host:port, kept from all but servers that reuse addresses, as ours do."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{holder.getsockname()[1]}"


@contextmanager
def _process(command: Sequence[str], env: dict[str, str], log: Path) -> Iterator[None]:
    """Run `falgate serve`, by another command if one is given, until the block ends."""
    process: Forked | subprocess.Popen[bytes]
    with log.open("wb") as stderr:
        if command:
            process = subprocess.Popen([*command, "serve"], env=env, stderr=stderr)
        else:
            process = popen(["serve"], env=env, stderr=stderr)
    try:
        deadline_s = time.monotonic() + PATIENCE_S
        while "falgate serves" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline_s, log.read_text()
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()


@contextmanager
def _gateway(folder: Path, command: Sequence[str] = (), **settings: str) -> Iterator[Gateway]:
    """Serve with these settings, by their fields, until the block ends."""
    admin_key = apikey.mint("admin", os.urandom(apikey.ID_BYTES), os.urandom(apikey.SECRET_BYTES))
    chosen = {
        "data_dir": str(folder / "data"),
        "upstream_url": "sandbox",
        "sandbox_work_s": "0",
        "redis_timeout_s": str(TRIP_S),
        "admin_key": admin_key,
        "log_level": "debug",
        "drain_s": "1",
        "drain_accept_s": "0",
        **settings,
    }
    env = {f"FALGATE_{name.upper()}": value for name, value in chosen.items()}
    # What the interpreter and its libraries need, and nothing that could reach a real fal.
    env |= {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    (folder / "data").mkdir(mode=0o700)
    redis_url = settings.get("redis_url") or EmbeddedRedis(folder / "data" / "redis").url
    with _reserved() as host, _process(command, {**env, "FALGATE_LISTEN": host}, folder / "log"):
        served = Gateway(host, "", admin_key, folder / "data", folder / "log", redis_url)
        yield served._replace(key=asyncio.run(served.issue()))


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[Gateway]]:
    """A function that serves from a folder with the given settings, for as long as a block."""
    return _gateway


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all tests that leave it as it was; their prompts are their own."""
    with _gateway(tmp_path_factory.mktemp("gateway")) as served:
        yield served


@pytest.fixture(scope="session")
def managed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Another one, behind a proxy; its tests make teams and keys of their own, and their budgets.

    Apart from the first one, whose metrics know of one team only.
    """
    folder = tmp_path_factory.mktemp("managed")
    with _gateway(folder, trusted_proxies="127.0.0.1") as served:
        yield served


@pytest.fixture(scope="session")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A third one, whose sandbox takes its time; the tests that use it get it for the others."""
    folder = tmp_path_factory.mktemp("working")
    with _gateway(folder, trusted_proxies="127.0.0.1", sandbox_work_s=str(WORK_S)) as served:
        yield served


@pytest.fixture
def serving(request: pytest.FixtureRequest) -> Gateway:
    """The first one, or the one that takes its time."""
    name = "working" if "working" in request.fixturenames else "gateway"
    served: Gateway = request.getfixturevalue(name)
    return served


@pytest.fixture
def administered(request: pytest.FixtureRequest) -> Gateway:
    """The one for teams and keys of one's own, or the one that takes its time."""
    name = "working" if "working" in request.fixturenames else "managed"
    served: Gateway = request.getfixturevalue(name)
    return served


@pytest.fixture
async def admin(administered: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that one's administration."""
    async with administered.admin() as asking:
        yield asking


@pytest.fixture
async def team(admin: httpx.AsyncClient, request: pytest.FixtureRequest) -> str:
    """The name of a new team there, which has the app `app`."""
    name = re.sub(r"\W+", "-", request.node.name)[-64:].strip("-.")
    for path, made_as in (("/teams", name), (f"/teams/{name}/apps", "app")):
        made = await admin.post(path, json={"name": made_as})
        assert made.status_code == 201, made.text
    return name


@pytest.fixture
def hire(admin: httpx.AsyncClient, team: str) -> Callable[..., Awaitable[Any]]:
    """A function that makes a key of that team and answers it, with its record."""

    async def hired(**fields: Any) -> Any:
        made = await admin.post("/keys", json={"team": team, "app": "app", **fields})
        assert made.status_code == 201, made.text
        return made.json()

    return hired


@pytest.fixture
async def buy(
    administered: Gateway, request: pytest.FixtureRequest
) -> AsyncIterator[Callable[..., Awaitable[httpx.Response]]]:
    """A function that asks that gateway for this test's own pictures, under a key."""
    async with administered.client() as asking:

        async def asked(key: str, path: str = MODEL, **arguments: Any) -> httpx.Response:
            headers = {"Authorization": f"Key {key}", **arguments.pop("headers", {})}
            body = {"prompt": request.node.name, "quality": "low", "output_format": "jpeg"}
            return await asking.post(path, json={**body, **arguments}, headers=headers)

        yield asked


@pytest.fixture
async def client(serving: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that gateway, which presents its key."""
    async with serving.client() as asking:
        yield asking


@pytest.fixture
def ask(
    client: httpx.AsyncClient, request: pytest.FixtureRequest
) -> Callable[..., Awaitable[httpx.Response]]:
    """A function that asks for pictures of this test's own, cheap ones unless told otherwise."""

    async def asked(path: str = MODEL, **arguments: Any) -> httpx.Response:
        headers = arguments.pop("headers", {})
        body = {"prompt": request.node.name, "quality": "low", "output_format": "jpeg"}
        return await client.post(path, json={**body, **arguments}, headers=headers)

    return asked


@pytest.fixture
def exchange(gateway: Gateway) -> Callable[..., Awaitable[bytes]]:
    """A function that sends bytes and gives all that comes back until the connection is closed."""

    async def sent(*parts: bytes, host: str = gateway.host) -> bytes:
        name, _, port = host.partition(":")
        reader, writer = await asyncio.open_connection(name, int(port))
        try:
            async with asyncio.timeout(PATIENCE_S):
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                return await reader.read()
        finally:
            writer.close()

    return sent
