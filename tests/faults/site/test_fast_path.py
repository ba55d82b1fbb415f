"""Hits in the memory of several instances: gone soon after a change that they depend on."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from falgate.accounts.apikey import Permissions
from falgate.accounts.cache_settings import CachePolicy
from falgate.cache.store.pools import Pools
from falgate.redis.tracking import CURRENT_S

APP = "default/default"
ONLY_CACHED = {"Cache-Control": "only-if-cached"}
HITS = 5
HANG_S = 4
"""How long a Redis may take where a test waits until it took longer."""


async def with_hits(site: Any, *gateways: Any) -> str:
    """Buy a picture, and answer it from the memory of each gateway; the id of the key."""
    bought = await site.ask(gateways[0])
    for gateway in gateways:
        for _ in range(HITS):
            answer = await site.ask(gateway, headers=ONLY_CACHED)
            assert answer.json() != {}
            assert answer.headers["x-falgate-cache"] == "hit"
            assert (
                answer.json()["images"][0]["file_name"] == (bought.json()["images"][0]["file_name"])
            )
    return str((await site.key()).split("_")[2])


async def revoke(site: Any, key_id: str) -> None:
    await site.administration().keys.revoke(key_id)


async def disable(site: Any, key_id: str) -> None:
    await site.administration().keys.change(key_id, lambda key: replace(key, disabled=True))


async def forbid(site: Any, key_id: str) -> None:
    permissions = Permissions(qualities=("high",))
    await site.administration().keys.change(
        key_id, lambda key: replace(key, permissions=permissions)
    )


async def rotate(site: Any, key_id: str) -> None:
    await site.administration().keys.rotate(key_id, overlap_s=0)


async def scope(site: Any, _: str) -> None:
    policy = CachePolicy(scope="app")
    await site.administration().apps.change(APP, lambda app: replace(app, cache=policy))


async def empty(site: Any, _: str) -> None:
    async for name in site.redis.scan_iter("fg:pool:*"):
        await Pools(site.redis).empty(name.removeprefix("fg:pool:{").removesuffix("}"))


async def lose(site: Any, _: str) -> None:
    """As an eviction does."""
    async for name in site.redis.scan_iter("fg:pool:*"):
        await site.redis.delete(name)


CHANGES: dict[Callable[[Any, str], Awaitable[None]], int] = {
    revoke: 403,
    disable: 403,
    forbid: 403,
    rotate: 401,
    scope: 504,
    empty: 504,
    lose: 504,
}


@pytest.mark.parametrize(
    ("change", "status"), CHANGES.items(), ids=[change.__name__ for change in CHANGES]
)
async def test_a_change_reaches_every_instance(
    site: Any, change: Callable[[Any, str], Awaitable[None]], status: int
) -> None:
    first, second = [await site.start(), await site.start()]
    key_id = await with_hits(site, first, second)

    await change(site, key_id)

    for gateway in (second, first):

        async def changed(gateway: Any = gateway) -> bool:
            answer = await site.ask(gateway, headers=ONLY_CACHED)
            assert answer.status_code in {200, status}, answer.text
            return bool(answer.status_code == status)

        await site.until(changed)
        for _ in range(HITS):
            assert (await site.ask(gateway, headers=ONLY_CACHED)).status_code == status


async def test_what_is_in_memory_is_not_answered_while_redis_hangs(
    frail_site: Any, redis_server: Any
) -> None:
    site = frail_site
    gateway = await site.start(redis_timeout_s=HANG_S)
    await with_hits(site, gateway)

    redis_server.process.process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(2 * CURRENT_S)
        refused = await site.ask(gateway, headers=ONLY_CACHED)
    finally:
        redis_server.process.process.send_signal(signal.SIGCONT)

    assert refused.status_code == 503

    async def hits() -> bool:
        answer = await site.ask(gateway, headers=ONLY_CACHED)
        return bool(answer.headers.get("x-falgate-cache") == "hit")

    await site.until(hits)


async def test_an_emptied_redis_is_noticed_in_memory_too(site: Any) -> None:
    gateway = await site.start()
    await with_hits(site, gateway)
    kept = {name: await site.redis.dump(name) for name in await site.redis.keys("{fg}:meta")}
    assert kept

    await site.redis.delete(*kept)

    # Without its ledger, no hit is answered once anything had to be read again.
    await empty(site, "")

    async def refused() -> bool:
        return bool((await site.ask(gateway, headers=ONLY_CACHED)).status_code in {503, 504})

    await site.until(refused)
    for name, value in kept.items():
        await site.redis.restore(name, 0, value)


async def test_hits_are_counted_to_the_last_when_an_instance_stops(site: Any) -> None:
    gateway = await site.start()
    await with_hits(site, gateway)
    usage = "{fg}:usage:" + site.upstream
    gateway.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(gateway.process.wait)

    counted = 0
    async for name in site.redis.scan_iter(f"{usage}:*"):
        counted += int(await site.redis.hget(name, f"{APP}:hits") or 0)
    assert counted == HITS
