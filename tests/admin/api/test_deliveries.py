"""/admin/v1/deliveries: what waits, failed and arrived; and sending one again."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from patience import TRIP_S
from redis.asyncio import Redis

from falgate.redis.client import connect
from falgate.webhooks.delivery import State
from falgate.webhooks.store.deliveries import Deliveries

Begin = Callable[..., None]


@pytest.fixture
def put(client: httpx.Client, redis_url: str, enqueue: Begin) -> Callable[..., None]:
    """Puts a webhook into a state, as an attempt leaves it."""
    assert client.get("/deliveries").json() == {"items": [], "next_cursor": None}

    async def settled(redis: Redis, state: State, said: str) -> None:
        [one] = await Deliveries(redis).claim(1, 1, {})
        await Deliveries(redis).settle(one, state, said, after_ms=60_000)
        await redis.aclose()

    def make(request_id: str, state: State = "waiting", said: str = "", **more: Any) -> None:
        enqueue(redis_url, request_id, **more)
        if said:
            asyncio.run(settled(connect(redis_url, timeout_s=TRIP_S), state, said))

    return make


Put = Callable[..., None]


def test_a_webhook_is_shown_without_its_query(client: httpx.Client, put: Put) -> None:
    put("r-1", "failed", "503", url="https://hooks.example/told?token=secret#secret")

    answer = client.get("/deliveries/r-1")

    shown = answer.json()
    assert "secret" not in answer.text
    assert (shown["request_id"], shown["target"]) == ("r-1", "https://hooks.example/told")
    assert (shown["team"], shown["app"], shown["upstream"]) == ("web", "shop", "sandbox")
    assert (shown["state"], shown["attempts"], shown["last_outcome"]) == ("failed", 1, "503")
    assert shown["next_attempt_at"] is None
    assert shown["ended_at"] == shown["last_attempt_at"] >= shown["began_at"]


def test_a_viewer_sees_the_host_of_a_webhook_alone(
    client: httpx.Client, served: Any, put: Put
) -> None:
    put("r-1", "failed", "503", url="https://hooks.example/T0/secret?x")
    viewer = client.post("/operators", json={"role": "viewer", "name": "ann"}).json()["key"]

    with served.client(viewer) as asking:
        for path in ("/deliveries", "/deliveries/r-1"):
            answer = asking.get(path)
            assert "https://hooks.example" in answer.text
            assert "T0" not in answer.text
        assert asking.post("/deliveries/r-1/resend").status_code == 403


def test_a_new_one_is_due_at_once(client: httpx.Client, put: Put) -> None:
    put("r-1")

    [shown] = client.get("/deliveries").json()["items"]

    assert (shown["state"], shown["attempts"], shown["last_outcome"]) == ("waiting", 0, None)
    assert shown["next_attempt_at"] == shown["began_at"]
    assert shown["ended_at"] is shown["last_attempt_at"] is None


def test_they_are_listed_in_pages_by_state_and_app(client: httpx.Client, put: Put) -> None:
    put("d", "delivered", "200")
    put("f", "failed", "500", subject="web/blog")
    put("w", "waiting", "500", subject="other/shop")

    def listed(**asked: Any) -> list[str]:
        names, cursor = [], ""
        while True:
            page = client.get("/deliveries", params={**asked, "cursor": cursor}).json()
            names += [each["request_id"] for each in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return names

    assert listed() == listed(limit=1) == ["w", "f", "d"]
    assert listed(state="failed") == ["f"]
    assert listed(app="web") == ["f", "d"]
    assert listed(app="web/shop", limit=1) == ["d"]


@pytest.mark.parametrize(
    "asked", [{"state": "lost"}, {"cursor": "waiting.x.y"}, {"limit": 0}, {"app": "a" * 201}]
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], client: httpx.Client) -> None:
    assert client.get("/deliveries", params=asked).status_code == 400


def test_one_that_arrived_is_sent_again_and_the_audit_log_says_who(
    client: httpx.Client, put: Put
) -> None:
    put("r-1", "delivered", "200")

    answer = client.post("/deliveries/r-1/resend", headers={"X-Falgate-Actor": "jo"})

    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["attempts"]) == ("waiting", 0)
    [line] = client.get("/audit").json()["items"]
    assert (line["who"], line["action"], line["subject"]) == ("admin:jo", "delivery", "r-1")
    assert line["before"] == {"state": "delivered", "attempts": 1}
    assert line["after"] == {"state": "waiting", "attempts": 0}


@pytest.mark.parametrize(("method", "path"), [("GET", "r-1"), ("POST", "r-1/resend")])
def test_one_that_is_not_there_is_not_found(method: str, path: str, client: httpx.Client) -> None:
    answer = client.request(method, f"/deliveries/{path}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "no such webhook" in answer.json()["detail"]
