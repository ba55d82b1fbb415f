"""/requests: the log is listed, filtered and paged, and leads see their team's alone."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from litestar import Litestar
from patience import TRIP_S
from redis import Redis as SyncRedis

from falgate.accounts.operator import SCOPE, Operator
from falgate.accounts.store.registry import Registry
from falgate.admin.api.routes import admin_routes
from falgate.admin.api.services import AdminServices
from falgate.admin_app import admin_parts
from falgate.core.calendar import Calendar
from falgate.http.errors import HANDLERS
from falgate.money.store.budgets import Budgets
from falgate.money.store.stops import Stops
from falgate.redis.client import connect
from falgate.telemetry.logged_request import LoggedRequest
from falgate.telemetry.store.request_logs import RequestLogs

Log = Callable[..., None]
Ask = Callable[..., Any]
APART_S = 0.002
"""So much lies between two requests of the log, whose order is that of milliseconds."""


def one(name: str, **changed: Any) -> LoggedRequest:
    fields: dict[str, Any] = {
        "id": name, "at_ms": 1_763_820_000_123, "outcome": "hit", "route": "run", "status": 200,
        "team": "web", "app": "shop", "key": "k", "model": "a/b", "upstream": "fal", "number": 3,
        "pictures": 6, "saved": 27_000, "took_ms": 0.2, "fingerprint": "f",
    }  # fmt: skip
    return LoggedRequest(**{**fields, **changed})


REFUSED = one(
    "bad", outcome="refused", status=402, reason="budget", error_type="budget_exhausted",
    about={"budget": "team:web"}, number=1, pictures=0, saved=0, fingerprint="",
)  # fmt: skip
UNKNOWN = one("who", outcome="refused", status=401, reason="key", team="", app="", key="")
OTHERS = one("ads", team="ads", outcome="miss", job="gone")


@pytest.fixture
def log(client: httpx.Client, redis_url: str) -> Log:
    """Logs requests."""
    assert client.get("/requests").json() == {"items": [], "next_cursor": None, "looked_to": None}

    async def add(requests: tuple[LoggedRequest, ...]) -> None:
        async with connect(redis_url, timeout_s=TRIP_S) as redis:
            for each in requests:
                await RequestLogs(redis).add([each])
                await asyncio.sleep(APART_S)

    return lambda *requests: asyncio.run(add(requests))


def test_a_hit_is_shown_for_all_that_it_stands_for(client: httpx.Client, log: Log) -> None:
    log(one("hit"))

    [shown] = client.get("/requests").json()["items"]

    assert shown == {
        "id": "hit", "at": "2025-11-22T14:00:00.123+00:00", "outcome": "hit", "status": 200,
        "reason": None, "error_type": None, "about": {}, "route": "run", "model": "a/b",
        "upstream": "fal", "team": "web", "app": "shop", "key": "k", "number": 3, "pictures": 6,
        "bought": 0, "billed_usd": "0.00", "saved_usd": "0.027", "took_ms": 0.2, "waited_ms": 0.0,
        "job": None, "fingerprint": "f",
    }  # fmt: skip
    page = client.get("/requests/hit").json()
    assert page["request"] == shown
    assert page["headers"] == {
        "x-fal-request-id": "hit", "Cache-Control": "private, no-store", "X-Falgate-Cache": "hit",
    }  # fmt: skip


def test_a_refusal_is_shown_with_what_refused(client: httpx.Client, log: Log) -> None:
    log(REFUSED)

    page = client.get("/requests/bad").json()

    assert page["request"]["about"] == {"budget": "team:web"}
    assert page["headers"] == {"x-fal-request-id": "bad", "X-Fal-Error-Type": "budget_exhausted"}
    assert [each["step"] for each in page["path"]] == ["received", "failed"]
    assert (page["job"], page["ledger"], page["pictures"], page["queued"]) == (None, [], [], None)


def test_lists_are_filtered_and_paged(client: httpx.Client, log: Log) -> None:
    log(one("hit"), REFUSED, UNKNOWN, OTHERS)

    def listed(**query: Any) -> list[str]:
        found, cursor = list[str](), ""
        while True:
            page = client.get("/requests", params={"limit": 1, "cursor": cursor, **query})
            assert page.status_code == 200, page.text
            found += [each["id"] for each in page.json()["items"]]
            cursor = page.json()["next_cursor"]
            if not cursor:
                return found

    assert listed() == ["ads", "who", "bad", "hit"]
    assert client.get("/requests").json()["looked_to"] is None
    first = client.get("/requests", params={"limit": 1}).json()
    written_ms = int(first["next_cursor"].partition("-")[0])
    assert datetime.fromisoformat(first["looked_to"]).timestamp() * 1000 == written_ms
    assert listed(outcome="refused") == ["who", "bad"]
    assert listed(team="web") == ["bad", "hit"]
    assert listed(reason="budget") == listed(status=402) == ["bad"]
    assert listed(app="ads/shop") == ["ads"]
    assert listed(**{"from": "2020-01-01"}) == listed()
    assert listed(to="2020-01-01") == listed(**{"from": "2100-01-01T00:00Z"}) == []


@pytest.mark.parametrize(
    "query",
    [
        {"from": "today"},
        {"to": "2026-13-01"},
        {"from": "0001-01-01"},
        {"cursor": "x"},
        {"outcome": "lost"},
        {"status": 1_000},
        {"limit": 0},
    ],
)
def test_a_wrong_filter_is_refused(query: dict[str, Any], client: httpx.Client) -> None:
    refused = client.get("/requests", params=query)

    assert refused.status_code in {200, 400}
    assert (refused.status_code == 200) == (query == {"from": "0001-01-01"})


def test_what_is_not_logged_is_not_found(client: httpx.Client, log: Log) -> None:
    log(one("hit"))

    refused = client.get("/requests/other")

    assert (refused.status_code, "too old" in refused.json()["detail"]) == (404, True)


@pytest.fixture
async def as_operator(redis_url: str, redis: "SyncRedis") -> AsyncIterator[Ask]:
    """Asks as an operator that was identified before, and gives status and body."""
    assert redis.ping()
    async with connect(redis_url, timeout_s=TRIP_S) as own:
        calendar = Calendar(UTC)
        services = AdminServices(
            records=Registry(own),
            budget_store=Budgets(own, calendar),
            stop_store=Stops(own),
            calendar=calendar,
            upstreams={},
            models={},
            admin_key="",
        )
        app: Any = Litestar(
            route_handlers=admin_routes(admin_parts(services, own)),
            exception_handlers=HANDLERS,
            openapi_config=None,
        )
        for each in (one("hit"), REFUSED, UNKNOWN, OTHERS):
            await RequestLogs(own).add([each])
            await asyncio.sleep(APART_S)

        async def ask(operator: Operator, path: str, **query: Any) -> Any:
            async def identified(scope: Any, receive: Any, send: Any) -> None:
                scope[SCOPE] = operator
                await app(scope, receive, send)

            transport = httpx.ASGITransport(identified)
            async with httpx.AsyncClient(transport=transport, base_url="http://x/admin/v1") as one:
                answer = await one.get(path, params=query)
            return answer.status_code, json.loads(answer.text)

        yield ask


LEAD = Operator(who="lead:ann", role="lead", team="web", prompts=False)
VIEWER = Operator(who="viewer:bob", role="viewer", prompts=False)


async def test_a_lead_sees_the_requests_of_their_team_alone(as_operator: Ask) -> None:
    status, page = await as_operator(LEAD, "/requests")
    assert (status, [each["id"] for each in page["items"]]) == (200, ["bad", "hit"])
    status, page = await as_operator(LEAD, "/requests", team="web", outcome="refused")
    assert [each["id"] for each in page["items"]] == ["bad"]
    assert (await as_operator(LEAD, "/requests", team="ads"))[0] == 403
    assert (await as_operator(LEAD, "/requests/hit"))[0] == 200
    for other in ("ads", "who", "none"):
        assert (await as_operator(LEAD, f"/requests/{other}"))[0] == 404


async def test_a_viewer_sees_them_all(as_operator: Ask) -> None:
    _, page = await as_operator(VIEWER, "/requests")
    assert [each["id"] for each in page["items"]] == ["ads", "who", "bad", "hit"]
    assert (await as_operator(VIEWER, "/requests/who"))[0] == 200
