"""Every route that changes something writes who changed what, from what and to what."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from falgate.admin.api import cache, playground, quote
from falgate.admin.api.routes import ALWAYS
from falgate.admin.api.services import READS

MODEL = "fal-ai/gpt-image-1.5"
PROMPT = "an audited lighthouse"
REQUEST = {"prompt": PROMPT, "quality": "low"}
LIMITS = {"limits": {"generations_at_once": 3}}

NO_RECORD = {"/playground", "/cache/purge", "/cache/pin", "/cache/forget"}
"""Routes whose line tells what was done: no single record is another one afterwards."""

UNCHANGING = {("POST", "/playground/quote")}
"""Routes that change nothing, but are not for viewers."""

NEW = {
    "/teams",
    "/teams/{team:str}/apps",
    "/keys",
    "/operators",
    "/setup",
    "/budgets",
    "/stops/{subject_name:str}",
    "/models/{model_name:str}",
    "/aliases/{alias_name:str}",
}
"""Routes that make a record, in this walk."""

CALLS: list[tuple[str, str, str, Any]] = [
    ("POST", "/teams", "/teams", {"name": "walk"}),
    ("PATCH", "/teams/{team:str}", "/teams/walk", {"weight": 2}),
    ("POST", "/teams/{team:str}/apps", "/teams/walk/apps", {"name": "way"}),
    ("PATCH", "/teams/{team:str}/apps/{app:str}", "/teams/walk/apps/way", LIMITS),
    ("POST", "/setup", "/setup", {"team": "walk", "app": "way", "key": {"name": "first"}}),
    ("POST", "/keys", "/keys", {"team": "walk", "app": "way"}),
    ("PATCH", "/keys/{key_id:str}", "/keys/KEY", {"name": "named"}),
    ("POST", "/keys/{key_id:str}/rotate", "/keys/KEY/rotate", {}),
    ("PATCH", "/limits/{account_name:str}", "/limits/team:walk", {"generations_at_once": 9}),
    ("POST", "/budgets", "/budgets", {"account": "team:walk", "window": "day", "limit_usd": "9"}),
    (
        "PUT",
        "/budgets/{account_name:str}/{window:str}",
        "/budgets/team:walk/day",
        {"limit_usd": "8"},
    ),
    (
        "POST",
        "/budgets/{account_name:str}/{window:str}/raise",
        "/budgets/team:walk/day/raise",
        {"amount_usd": "1", "why": "because"},
    ),
    (
        "POST",
        "/budgets/{account_name:str}/{window:str}/reset",
        "/budgets/team:walk/day/reset",
        {"why": "because"},
    ),
    ("PUT", "/overage", "/overage", {"limit_usd": "3", "why": "because"}),
    ("PUT", "/stops/{subject_name:str}", "/stops/team:walk", {"why": "because"}),
    ("DELETE", "/stops/{subject_name:str}", "/stops/team:walk", None),
    (
        "PATCH",
        "/models/{model_name:str}",
        "/models/fal-ai:gpt-image-1.5",
        {"retires": "2099-01-01"},
    ),
    ("PUT", "/aliases/{alias_name:str}", "/aliases/acme:walk", {"target": MODEL}),
    ("DELETE", "/aliases/{alias_name:str}", "/aliases/acme:walk", None),
    ("POST", "/config/apply", "/config/apply", {"file": "[team.walk]\nweight = 5\n"}),
    ("POST", "/deliveries/{request_id:str}/resend", "/deliveries/walk-1/resend", None),
    ("POST", "/playground", "/playground", {"app": "walk/way", "model": MODEL, "request": REQUEST}),
    ("POST", "/cache/pictures/{name:str}/pin", "/cache/pictures/NAME/pin", None),
    ("POST", "/cache/pictures/{name:str}/unpin", "/cache/pictures/NAME/unpin", None),
    ("POST", "/cache/pin", "/cache/pin", {"model": MODEL}),
    (
        "POST",
        "/cache/pictures/{name:str}/reroll",
        "/cache/pictures/NAME/reroll",
        {"request": REQUEST},
    ),
    ("POST", "/cache/pictures/{name:str}/reject", "/cache/pictures/NAME/reject", None),
    ("POST", "/cache/purge", "/cache/purge", {"app": "walk/way"}),
    ("POST", "/cache/forget", "/cache/forget", {"prompt": PROMPT}),
    ("POST", "/operators", "/operators", {"role": "lead", "name": "walking", "team": "walk"}),
    ("PATCH", "/operators/{operator_id:str}", "/operators/WHO", {"prompts": True}),
    ("POST", "/operators/{operator_id:str}/rotate", "/operators/WHO/rotate", {}),
    ("POST", "/operators/{operator_id:str}/revoke", "/operators/WHO/revoke", None),
    ("POST", "/keys/{key_id:str}/revoke", "/keys/KEY/revoke", None),
    ("POST", "/keys/{key_id:str}/revoke", "/keys/FIRST/revoke", None),
    ("DELETE", "/budgets/{account_name:str}/{window:str}", "/budgets/team:walk/day", None),
    ("DELETE", "/teams/{team:str}/apps/{app:str}", "/teams/walk/apps/way", None),
    ("DELETE", "/teams/{team:str}", "/teams/walk", None),
]
"""Each changing route, by its method and path, and a call of it; in an order in which all work."""


def test_every_route_that_changes_something_is_called_here() -> None:
    handlers = [
        each for module in (*ALWAYS, cache, quote, playground) for each in module.routes.handlers
    ]
    handlers += cache.gateway_routes.handlers
    changing = {
        (method, path)
        for each in handlers
        if not each.opt[READS]
        for method in each.http_methods
        for path in each.paths
        if method != "GET"
    }

    assert changing - UNCHANGING == {(method, route) for method, route, _, _ in CALLS}


@pytest.fixture
async def walker(gateway: Any, enqueue: Callable[..., None]) -> Any:
    """A client of the administration, and what it may name."""
    enqueue(gateway.redis_url, "walk-1", "http://127.0.0.1:1/told")
    headers = {"Authorization": f"Key {gateway.admin_key}", "X-Falgate-Actor": "walker"}
    async with gateway.admin() as client:
        client.headers.update(headers)
        # One that was not tried yet is left alone.
        while not (await client.get("/deliveries/walk-1")).json()["attempts"]:
            pass
        yield client


async def test_each_of_them_writes_who_and_what_and_neither_secret_nor_prompt(
    walker: httpx.AsyncClient,
) -> None:
    known: dict[str, str] = {}
    secrets: list[str] = []
    for method, route, path, body in CALLS:
        for name, value in known.items():
            path = path.replace(name, value)  # noqa: PLW2901 -- it names what there is by now
        newest = (await walker.get("/audit?limit=1")).json()["items"][0]["id"]
        done = await walker.request(method, path, json=body)
        assert done.is_success, (route, done.text)
        told = done.json() if done.content else {}
        secrets += [told["key"]] if "record" in told else []
        if route in {"/keys", "/setup"}:
            known["KEY" if route == "/keys" else "FIRST"] = told["record"]["id"]
        if route == "/operators":
            known["WHO"] = told["record"]["id"]
        if route == "/playground":
            known["NAME"] = await _picture(walker, told["request_id"])
        if route.endswith("/reroll"):
            known["NAME"] = told["pictures"][0]
        lines = [
            each
            for each in (await walker.get("/audit?limit=20")).json()["items"]
            if tuple(map(int, each["id"].split("-"))) > tuple(map(int, newest.split("-")))
        ]
        mine = [each for each in lines if each["who"] == "admin:walker"]
        assert mine, route
        for line in mine:
            assert line["action"]
            assert line["subject"]
            assert line["after"] is not None or method == "DELETE", route
            assert line["before"] is not None or route in {*NEW, *NO_RECORD}, route
        if body and "why" in body:
            assert mine[0]["why"] == "because", route

    audit = (await walker.get("/audit?limit=200")).text
    assert PROMPT not in audit
    assert not [each for each in secrets if each[20:] in audit]
    assert "digest" not in audit


async def _picture(walker: httpx.AsyncClient, request_id: str) -> str:
    """The picture of a request, once it has ended."""
    while not (found := (await walker.get(f"/playground/{request_id}")).json())["ended"]:
        pass
    name: str = found["pictures"][0]["name"]
    return name
