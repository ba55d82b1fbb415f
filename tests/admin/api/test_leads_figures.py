"""Leads of teams see the figures of their own team, and of no other."""

from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from adding_up import add_up
from litestar import Litestar
from redis import Redis as SyncRedis

from falgate.accounts.operator import SCOPE, Operator
from falgate.accounts.store.registry import Registry
from falgate.admin.api.routes import admin_routes
from falgate.admin.api.services import AdminServices
from falgate.admin_app import admin_parts
from falgate.core.calendar import Calendar
from falgate.http.errors import HANDLERS
from falgate.models.endpoints import MODELS
from falgate.money.store.budgets import Budgets
from falgate.money.store.stops import Stops
from falgate.redis import keyspace, usage_keys
from falgate.redis.client import connect

CALENDAR = Calendar(ZoneInfo("UTC"))
OURS = ("/ledger", "/ledger.csv", "/ledger/totals", "/activity?by=day", "/jobs")


@pytest.fixture
async def lead(redis_url: str, redis: SyncRedis) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the lead of team web."""
    assert redis.dbsize() == 0
    connected = connect(redis_url)
    services = AdminServices(
        records=Registry(connected),
        budget_store=Budgets(connected, CALENDAR),
        stop_store=Stops(connected),
        calendar=CALENDAR,
        upstreams={"live": "sandbox"},
        models=MODELS,
        admin_key="",
    )
    app = Litestar(
        admin_routes(admin_parts(services, connected)),
        exception_handlers=HANDLERS,
        openapi_config=None,
        logging_config=None,
    )

    async def signed_in(scope: Any, receive: Any, send: Any) -> None:
        scope[SCOPE] = Operator(who="lead:ann", role="lead", team="web")
        await app(scope, receive, send)

    transport = httpx.ASGITransport(signed_in)
    async with httpx.AsyncClient(transport=transport, base_url="http://x/admin/v1") as client:
        yield client
    await connected.aclose()


async def test_a_lead_has_the_figures_of_their_team(
    lead: httpx.AsyncClient, redis: SyncRedis
) -> None:
    day = "2026-11-03"
    for team, billed in (("web", 5), ("ops", 7)):
        redis.hset(usage_keys.usage("sandbox", day), f"{team}/app:billed", billed)
        fields: dict[Any, Any] = {"kind": "close", "outcome": "paid", "windows": f"day:{day}",
                  "job": team,
                  "team": team, "app": "app", "key": "k", "held": billed, "billed": billed,
                  "overrun": 0}  # fmt: skip
        redis.xadd(keyspace.ledger("sandbox"), fields)
    add_up(redis, "sandbox", day)

    entries = (await lead.get("/ledger")).json()["items"]
    sheet = (await lead.get("/ledger.csv")).text.splitlines()
    days = {"from": day, "to": day}
    totals = (await lead.get("/ledger/totals", params=days)).json()
    activity = (await lead.get("/activity", params=days)).json()

    assert [each["team"] for each in entries] == ["web"]
    assert (len(sheet), ",web,app," in sheet[1]) == (2, True)
    assert totals["booked_usd"] == activity["total"]["booked_usd"] == "0.000005"


@pytest.mark.parametrize("path", OURS)
async def test_a_lead_is_refused_the_figures_of_another_team(
    path: str, lead: httpx.AsyncClient
) -> None:
    refused = await lead.get(path, params={"team": "ops"})

    assert refused.status_code == 403
    assert (await lead.get(path, params={"team": "web"})).status_code == 200


@pytest.mark.parametrize("path", ["/activity", "/jobs"])
async def test_a_lead_is_refused_an_app_of_another_team(path: str, lead: httpx.AsyncClient) -> None:
    assert (await lead.get(path, params={"app": "ops/app"})).status_code == 400
    assert (await lead.get(path, params={"app": "app"})).status_code == 200


async def test_the_health_of_the_whole_ledger_is_not_for_leads(lead: httpx.AsyncClient) -> None:
    assert (await lead.get("/ledger/health")).status_code == 403
