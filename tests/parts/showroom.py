"""A gateway filled as one in use: teams, apps, keys, budgets, pictures, hits and refusals."""

import random
import time
from datetime import date, timedelta
from typing import Any, NamedTuple

import httpx
from adding_up import add_up
from patience import PATIENCE_S

from falgate.redis import usage_keys

FRIDAY, LATELY = 4, 4
MODEL = "/openai/gpt-image-2"
APPS = {
    "storefront": ("product-pages", "banners"),
    "editorial": ("magazine",),
    "research": ("sketches",),
}
PROMPTS = (
    "a lighthouse at dawn, oil on canvas",
    "a red bicycle leaning on a white wall",
    "isometric kitchen with plants on the window sill",
    "portrait of an astronaut reading a newspaper",
    "a paper boat on a still lake, morning fog",
    "three lemons on blue linen, soft light",
    "a quiet library with green lamps",
    "watercolour map of an island",
    "a fox in the snow, seen from afar",
    "ceramic vase with dried flowers",
    "night train crossing a viaduct",
    "bread on a wooden table, window light",
)


class Showroom(NamedTuple):
    """What is there to look at.

    Attributes:
        keys: Ids and secrets of the keys by their app, "team/app".
        pictures: Names of pictures, the newest last.
        refused: Id of a request that a budget refused.
        bought: Id of a request that was bought.
        operator: Id of the key of an operator.
        entry: Id of an entry of the ledger.
        played: Id of a request that was made in the playground.
    """

    keys: dict[str, tuple[str, str]]
    pictures: list[str]
    refused: str
    bought: str
    operator: str
    entry: str
    played: str


def furnish(gateway: Any, pictures: int = len(PROMPTS)) -> Showroom:
    """Fill a gateway, and return what is there."""
    headers = {"Authorization": f"Key {gateway.admin_key}"}
    common: Any = {"trust_env": False, "timeout": PATIENCE_S}
    with (
        httpx.Client(base_url=f"{gateway.url}/admin/v1", headers=headers, **common) as admin,
        httpx.Client(base_url=gateway.url, **common) as apps,
    ):
        keys = _accounts(admin)
        made, bought = [], ""
        for number, prompt in enumerate(PROMPTS[:pictures]):
            app = list(keys)[number % (len(keys) - 1)]
            body = {"prompt": prompt, "quality": ("low", "medium", "high")[number % 3]}
            for _ in range(1 + number % 3):
                reply = _ask(apps, keys[app][1], body)
                assert reply.status_code == 200, reply.text
            bought = bought or reply.headers["x-fal-request-id"]
            made.append(reply.json()["images"][0]["url"].rpartition("/")[2])
        poor = _ask(apps, keys["research/sketches"][1], {"prompt": "x", "quality": "high"})
        assert poor.status_code == 402, poor.text
        _ask(apps, keys["editorial/magazine"][1], {"prompt": "x", "quality": "ultra"})
        admin.put("/stops/app:storefront:banners", json={"why": "the campaign is over"})
        admin.post(f"/cache/pictures/{made[-1]}/pin", json={"why": "used on the front page"})
        admin.put("/aliases/acme:image", json={"target": "openai/gpt-image-2"}).raise_for_status()
        operator = admin.get("/operators").json()["items"][0]["id"]
        entry = admin.get("/ledger").json()["items"][0]["entry"]
        refused, played = poor.headers["x-fal-request-id"], _played(admin, keys)
        return Showroom(keys, made, refused, bought, operator, entry, played)


def history(redis: Any, today: date, days: int = 30) -> None:
    """Write a past into the roll-ups of a gateway, so that its charts have something to show."""
    chance = random.Random(7)
    for back in range(1, days):
        day = (today - timedelta(days=back)).isoformat()
        quiet = 0.4 if (today - timedelta(days=back)).weekday() > FRIDAY else 1.0
        for place in ("storefront/product-pages", "storefront/banners", "editorial/magazine"):
            bought = round(quiet * chance.randint(20, 60))
            hits = round(bought * chance.uniform(1.2, 2.4))
            sums = {
                "answers": bought + hits, "misses": bought, "hits": hits, "purchases": bought,
                "bought": bought, "billed": bought * 36_600, "list": bought * 36_120,
                "saved": hits * 36_120, "saved_hit": hits * 36_120,
            }  # fmt: skip
            redis.hset(
                usage_keys.usage("sandbox", day),
                mapping={f"{place}:{name}": number for name, number in sums.items()},
            )
            if back < LATELY:
                _hours(redis, day, sums)
        add_up(redis, "sandbox", day)


def _hours(redis: Any, day: str, sums: dict[str, int]) -> None:
    for hour in range(24):
        part = max(0.0, 1 - abs(hour - 14) / 9) / 9
        for name, number in sums.items():
            redis.hincrby(
                usage_keys.hits("sandbox", day), f"{hour:02}:{name}", round(number * part)
            )


def _accounts(admin: httpx.Client) -> dict[str, tuple[str, str]]:
    keys = {}
    for team, apps in APPS.items():
        for app in apps:
            budgets = [{"of": "app", "window": "month", "limit_usd": "60", "alerts": [80, 95]}]
            if team == "research":
                budgets = [{"of": "key", "window": "day", "limit_usd": "0.02"}]
            key = {"name": f"{app} in production", "limits": {"requests_per_second": 20}}
            wanted = {"team": team, "app": app, "key": key, "budgets": budgets}
            made = admin.post("/setup", json=wanted)
            assert made.status_code == 201, made.text
            keys[f"{team}/{app}"] = (made.json()["record"]["id"], made.json()["key"])
            caching = {"cache": {"keep_prompts": True}}
            admin.patch(f"/teams/{team}/apps/{app}", json=caching).raise_for_status()
        admin.put(f"/budgets/team:{team}/day", json={"limit_usd": "1"}).raise_for_status()
    admin.put("/budgets/organisation:main/month", json={"limit_usd": "250"}).raise_for_status()
    roles: list[tuple[str, dict[str, str]]] = [("viewer", {}), ("lead", {"team": "storefront"})]
    for role, more in roles:
        body = {"role": role, "name": f"{role}-one", **more}
        admin.post("/operators", json=body).raise_for_status()
    return keys


def _played(admin: httpx.Client, keys: dict[str, tuple[str, str]]) -> str:
    key_id, _ = keys["storefront/product-pages"]
    asked = {"prompt": "a tram in the rain", "quality": "low"}
    body = {"key": key_id, "model": MODEL.strip("/"), "request": asked}
    taken = admin.post("/playground", json=body)
    assert taken.status_code == 202, taken.text
    request_id: str = taken.json()["request_id"]
    while not admin.get(f"/playground/{request_id}").json()["ended"]:
        time.sleep(0.02)
    return request_id


def _ask(apps: httpx.Client, key: str, body: dict[str, Any]) -> httpx.Response:
    return apps.post(MODEL, json=body, headers={"Authorization": f"Key {key}"})
