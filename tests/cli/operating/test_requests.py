"""`falgate requests`: the log is listed, and one request is shown with its path."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from patience import TRIP_S
from redis import Redis

from falgate.redis.client import connect
from falgate.telemetry.logged_request import LoggedRequest
from falgate.telemetry.store.request_logs import RequestLogs

APART_S = 0.002
"""So much lies between two requests of the log, whose order is that of milliseconds."""


@pytest.fixture
def logged(redis: "Redis", redis_url: str) -> None:
    """A hit that stands for three, and a refusal."""
    of: dict[str, Any] = {
        "route": "run", "app": "shop", "key": "k", "model": "a/b", "upstream": "fal",
    }  # fmt: skip
    at_ms = 1_763_820_000_123
    hit = LoggedRequest(
        id="r-hit", at_ms=at_ms, outcome="hit", status=200, team="web", number=3, **of
    )
    refusal = LoggedRequest(
        id="r-bad", at_ms=at_ms, outcome="refused", status=402, team="ads", reason="budget", **of
    )

    async def add() -> None:
        async with connect(redis_url, timeout_s=TRIP_S) as own:
            for each in (hit, refusal):
                await RequestLogs(own).add([each])
                await asyncio.sleep(APART_S)

    assert redis.ping()
    asyncio.run(add())


@pytest.mark.usefixtures("logged")
def test_they_are_listed(ask: Callable[..., Any], falgate: Callable[..., Result]) -> None:
    def listed(*options: str) -> list[str]:
        return [each["id"] for each in ask("requests", "list", *options)]

    assert listed() == ["r-bad", "r-hit"]
    assert listed("--limit", "1") == listed("--outcome", "refused") == ["r-bad"]
    assert listed("--team", "web") == listed("--app", "web/shop") == ["r-hit"]
    assert listed("--reason", "budget") == listed("--status", "402") == ["r-bad"]
    assert listed("--to", "2020-01-01") == []
    table = falgate("requests", "list").stdout.splitlines()
    assert len(table) == 3
    assert {"refused", "402", "budget", "r-bad"} <= set(table[1].split("\t"))


@pytest.mark.usefixtures("logged")
def test_one_is_shown_with_its_path(
    ask: Callable[..., Any], falgate: Callable[..., Result]
) -> None:
    page = ask("requests", "show", "r-hit")

    assert (page["request"]["id"], page["request"]["number"]) == ("r-hit", 3)
    lines = falgate("requests", "show", "r-hit").stdout.splitlines()
    assert [line.split()[-1] for line in lines[-3:]] == ["received", "up", "answered"]


@pytest.mark.usefixtures("logged")
def test_one_that_is_not_logged_is_refused(refused: Callable[..., str]) -> None:
    assert "no such request" in refused("requests", "show", "r-none")
