"""The operator's commands, typed in this process, about a Redis that a gateway has used."""

import json
from collections.abc import Callable, Iterator
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner, Result
from redis import Redis
from two_servers import embedded

from falgate.cli.main import main
from falgate.redis import keyspace


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real server's address."""
    with embedded() as url:
        yield url


@pytest.fixture
def redis(redis_url: str) -> Iterator["Redis"]:
    """A client of a Redis of which only that is known: live keys buy from the sandbox."""
    with Redis.from_url(redis_url, decode_responses=True) as client:
        client.flushall()
        client.hset(keyspace.META, "live", "sandbox")
        yield client


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where commands are typed and make their data directory: a short path, for narrow tables."""
    with TemporaryDirectory(prefix="fg-") as short, monkeypatch.context() as patch:
        patch.chdir(short)
        yield


@pytest.fixture
def falgate(redis: "Redis", redis_url: str) -> Callable[..., Result]:
    """Types `falgate ARGUMENTS`."""
    assert redis.ping()
    env = {"FALGATE_REDIS_URL": redis_url, "FALGATE_TIMEZONE": "Europe/Vienna"}
    return lambda *arguments: CliRunner().invoke(main, arguments, env=env)


@pytest.fixture
def ask(falgate: Callable[..., Result]) -> Callable[..., Any]:
    """Types `falgate ARGUMENTS --json`, which has to go well, and reads what it says."""

    def ask(*arguments: str) -> Any:
        done = falgate(*arguments, "--json")
        assert (done.exit_code, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return ask


@pytest.fixture
def refused(falgate: Callable[..., Result]) -> Callable[..., str]:
    """Types `falgate ARGUMENTS`, which has to be refused, and gives the one line that says why."""

    def refused(*arguments: str) -> str:
        done = falgate(*arguments)
        assert done.exit_code in {1, 2}, done.output
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        last = done.stderr.splitlines()[-1]
        assert last.startswith("Error: ")
        return last

    return refused
