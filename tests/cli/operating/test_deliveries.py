"""`falgate deliveries`: webhooks are listed, shown and sent again."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from redis import Redis

from falgate.redis import keyspace


@pytest.fixture
def webhooks(redis: "Redis", redis_url: str, enqueue: Callable[..., None]) -> "Redis":
    """Three: one that failed and two that wait."""
    for at, (name, subject) in enumerate((("a", "web/shop"), ("b", "web/blog"), ("c", "x/y"))):
        enqueue(redis_url, name, subject=subject)
        redis.zadd(keyspace.deliveries("waiting"), {name: 1_763_820_000_000 + at})
    redis.zrem(keyspace.deliveries("waiting"), "a")
    redis.zadd(keyspace.deliveries("failed"), {"a": 1})
    redis.hset(keyspace.delivery("a"), mapping={"state": "failed", "attempts": 11, "said": "503"})
    return redis


@pytest.mark.usefixtures("webhooks")
def test_they_are_listed(ask: Callable[..., Any], falgate: Callable[..., Result]) -> None:
    def listed(*options: str) -> list[str]:
        return [each["request_id"] for each in ask("deliveries", "list", *options)]

    assert listed() == ["b", "c", "a"]
    assert listed("--limit", "2") == ["b", "c"]
    assert listed("--state", "failed") == ["a"]
    assert listed("--app", "web") == ["b", "a"]
    table = falgate("deliveries", "list").stdout
    assert "https://hooks.example/told" in table
    assert "503" in table
    assert "secret" not in table


@pytest.mark.usefixtures("webhooks")
def test_one_is_shown(ask: Callable[..., Any]) -> None:
    shown = ask("deliveries", "show", "a")

    assert (shown["state"], shown["attempts"], shown["last_outcome"]) == ("failed", 11, "503")
    assert (shown["team"], shown["app"]) == ("web", "shop")


def test_one_is_sent_again(
    webhooks: "Redis", ask: Callable[..., Any], falgate: Callable[..., Result]
) -> None:
    assert ask("deliveries", "resend", "a")["state"] == "waiting"

    assert falgate("deliveries", "resend", "a").stdout == "the webhook of a is sent again\n"
    assert webhooks.zscore(keyspace.deliveries("waiting"), "a") is not None
    [line] = ask("audit")
    assert line["who"].startswith("admin:cli:")
    assert (line["action"], line["subject"]) == ("delivery", "a")


@pytest.mark.parametrize("command", ["show", "resend"])
def test_one_that_is_not_there_is_said_to_be_missing(
    command: str, refused: Callable[..., str]
) -> None:
    assert "no such webhook" in refused("deliveries", command, "z")
