"""The gallery by roles: prompts for whom may see them, and for a lead what the own team bought."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from litestar import Litestar
from patience import TRIP_S

from falgate.accounts.operator import SCOPE, Operator
from falgate.accounts.store.audit import AuditLog
from falgate.accounts.store.registry import Registry
from falgate.admin.api.routes import PictureParts, admin_routes
from falgate.admin.api.services import AdminServices
from falgate.admin_app import admin_parts
from falgate.cache.fingerprint import prompt_digest
from falgate.cache.pool_info import PoolInfo
from falgate.cache.store.pools import Pools
from falgate.core.calendar import Calendar
from falgate.core.picture import Picture
from falgate.http.errors import HANDLERS
from falgate.models.endpoints import MODELS
from falgate.money.store.budgets import Budgets
from falgate.money.store.stops import Stops
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.catalogue import NewPicture
from falgate.pictures.convert import Converter
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.gallery import Gallery
from falgate.pictures.intake import PictureIntake
from falgate.pictures.storage import PictureStore
from falgate.pictures.store.catalogue import Catalogue
from falgate.pictures.store.gallery import PoolIndex
from falgate.redis.client import connect

As = Callable[[Operator], httpx.AsyncClient]

ADMIN = Operator(who="admin", role="admin")
VIEWER = Operator(who="viewer:bob", role="viewer", prompts=False)
LEAD = Operator(who="lead:eve", role="lead", team="web")
PROMPT = "a secret cat"


def picture(digit: str) -> Picture:
    return Picture(
        sha256=digit * 64, content_type="image/png", size_bytes=9, width=1, height=2, made_s=7
    )


OWN, SHARED, OTHERS = picture("1"), picture("2"), picture("3")


@pytest.fixture
async def acting(redis_url: str, redis: Any, tmp_path: Path) -> AsyncIterator[As]:
    """Makes clients of the API that act as somebody; three pictures, of two teams."""
    assert redis.ping()
    async with connect(redis_url, timeout_s=TRIP_S) as client, AsyncExitStack() as stack:
        catalogue, pools = Catalogue(client), Pools(client)
        for each, apps in (
            (OWN, ["web/shop"]),
            (SHARED, ["ops/tools", "web/shop"]),
            (OTHERS, ["ops/tools"]),
        ):
            await _put(catalogue, pools, each, apps)
        await catalogue.use({(SHARED.name, "web/shop"): 2, (SHARED.name, "ops/tools"): 3})
        calendar = Calendar(ZoneInfo("Europe/Vienna"))
        store = PictureStore(tmp_path.as_uri())
        deleter = PictureDeleter(catalogue, pools, PictureIntake(store, Converter(95)))
        nothing: Any = None
        services = AdminServices(
            records=Registry(client),
            budget_store=Budgets(client, calendar),
            stop_store=Stops(client),
            calendar=calendar,
            upstreams={"live": "sandbox", "test": "test"},
            models=MODELS,
            admin_key="",
        )
        parts = PictureParts(
            cache_admin=CacheAdmin(catalogue, pools, deleter, AuditLog(client), kept_s=60),
            gallery=Gallery(catalogue, pools, PoolIndex(client)),
            quotes=nothing,
            probes=nothing,
        )
        app = Litestar(
            route_handlers=admin_routes(admin_parts(services, client, parts)),
            exception_handlers=HANDLERS,
            openapi_config=None,
            logging_config=None,
        )

        def of(operator: Operator) -> httpx.AsyncClient:
            async def identified(scope: Any, receive: Any, send: Any) -> None:
                scope[SCOPE] = operator
                await app(scope, receive, send)

            transport = httpx.ASGITransport(identified)
            made = httpx.AsyncClient(transport=transport, base_url="http://x/admin/v1")
            stack.push_async_callback(made.aclose)
            return made

        yield of


async def _put(catalogue: Catalogue, pools: Pools, each: Picture, apps: list[str]) -> None:
    for app in apps:
        about = PoolInfo(
            endpoint="fal-ai/gpt-image-1.5",
            upstream="sandbox",
            scope="organisation",
            variation="",
            version="1",
            prompt_sha256=prompt_digest(PROMPT),
            recorded={"quality": "low"},
            arguments={"prompt": PROMPT},
        )
        filing = NewPicture(
            kept=each,
            value=9_000,
            app=app,
            prompt_sha256=about.prompt_sha256,
            fingerprint=each.sha256,
            about=about,
        )
        assert await catalogue.register(filing)
    await pools.append(each.sha256, "job", 0, (each,))


Look = Callable[..., Awaitable[list[Any]]]


async def look(client: httpx.AsyncClient, **sought: Any) -> list[Any]:
    answer = await client.post("/gallery/find", json=sought)
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


async def test_a_viewer_sees_all_pictures_and_no_prompt_unless_allowed(acting: As) -> None:
    viewer = acting(VIEWER)

    items = await look(viewer)

    assert {each["name"] for each in items} == {OWN.name, SHARED.name, OTHERS.name}
    assert {each["prompt"] for each in items} == {None}
    assert (await viewer.get(f"/gallery/{OWN.name}")).json()["prompt"] is None
    request = (await viewer.get(f"/cache/pictures/{OWN.name}/request")).json()
    assert (request["arguments"], request["snippets"]) == (None, None)
    refused = await viewer.post("/gallery/find", json={"words": "cat"})
    assert (refused.status_code, "see prompts" in refused.text) == (403, True)
    assert {each["prompt"] for each in await look(acting(ADMIN), words="cat")} == {PROMPT}


async def test_a_lead_sees_what_the_own_team_bought(acting: As) -> None:
    lead = acting(LEAD)

    items = {each["name"]: each for each in await look(lead)}

    assert items.keys() == {OWN.name, SHARED.name}
    assert items[OWN.name]["prompt"] == PROMPT
    shared = items[SHARED.name]
    assert (shared["app"], shared["apps"], shared["uses"]) == (None, ["web/shop"], 5)
    assert shared["uses_by"] == [{"app": "web/shop", "uses": 2}, {"app": None, "uses": 3}]
    assert (await lead.get(f"/gallery/{SHARED.name}")).json()["name"] == SHARED.name
    for path in (f"/gallery/{OTHERS.name}", f"/cache/pictures/{OTHERS.name}/request"):
        assert (await lead.get(path)).status_code == 403
    for other in ({"team": "ops"}, {"team": "web/shop"}, {"app": "ops/tools"}, {"app": "web"}):
        expected = 200 if other == {"app": "web"} else 403
        assert (await lead.post("/gallery/find", json=other)).status_code == expected
