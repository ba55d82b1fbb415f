"""An operator's stop over two instances: in force on both as soon as it is set."""

import asyncio
from typing import Any

import httpx
from crew import Told, own_connection, scraped
from patience import PATIENCE_S

from falgate.accounts import apikey
from falgate.redis import keyspace

ADMIN_KEY = apikey.mint("admin", b"\x01" * apikey.ID_BYTES, b"\x02" * apikey.SECRET_BYTES)
NOBODY_DIES = {"lease_s": 60, "admin_key": ADMIN_KEY}


def operator(gateway: Any) -> httpx.AsyncClient:
    """An operator's client of a gateway."""
    headers = {"Authorization": f"Key {ADMIN_KEY}", "X-Falgate-Actor": "ann"}
    url = f"{gateway.url}/admin/v1"
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S, trust_env=False)


async def told_by(gateway: Any) -> Told:
    """The metrics of a gateway."""
    async with own_connection(gateway, "") as client:
        return await scraped(client)


async def waiting(site: Any, number: int) -> bool:
    """Whether so many requests wait for one flight."""
    names = [name async for name in site.redis.scan_iter(keyspace.waiters("*"), count=1000)]
    return number in [await site.redis.zcard(name) for name in names]


async def test_after_a_stop_no_instance_buys_and_all_go_on_with_the_rest(site: Any) -> None:
    gateways = [await site.start(**NOBODY_DIES) for _ in range(2)]
    one, two = gateways
    assert (await site.ask(one, "a fox")).status_code == 200
    site.sandbox.hold()
    under_way = asyncio.create_task(site.ask(one, "an owl"))
    await site.reached("accepted", "finished")

    async with operator(two) as ann:
        stopped = await ann.put("/stops/organisation:main", json={"why": "a key was leaked"})
        assert stopped.status_code == 200
        for wish in ("a hare", "a newt"):
            for gateway in gateways:
                refused = await site.ask(gateway, wish)
                assert refused.status_code == 402
                assert refused.json() == {
                    "detail": "An operator stopped purchases for the organisation: "
                    "a key was leaked",
                    "error_type": "buying_stopped",
                }
        for gateway in gateways:
            metrics = await told_by(gateway)
            assert metrics["falgate_refusals_total", "buying_stopped", "default"] == 2
            assert metrics["falgate_stops", "organisation", "other"] == 1
            assert '"stopped": "organisation:main"' in gateway.said
            assert (await site.ask(gateway, "a fox")).headers["x-falgate-cache"] == "hit"
        joined = asyncio.create_task(site.ask(two, "an owl"))
        await site.until(lambda: waiting(site, 2))
        site.sandbox.let_go()
        answers = [await under_way, await joined]
        assert [each.status_code for each in answers] == [200, 200]
        assert [each.headers["x-falgate-cache"] for each in answers] == ["miss", "coalesced"]
        assert (await site.audit()).submits == 2

        assert (await ann.delete("/stops/organisation:main")).status_code == 204
    bought = [await site.ask(gateway, "a hare") for gateway in gateways]
    assert [each.headers["x-falgate-cache"] for each in bought] == ["miss", "hit"]
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (3, {"paid": 3})
