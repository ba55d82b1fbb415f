"""Purging: within a second no instance hands out what was purged, not even what was on its way."""

import asyncio
import time
from typing import Any

from falgate.core.fingerprint import prompt_digest
from falgate.flow.cache_desk import CacheDesk, Selection
from falgate.flow.removing import Remover
from falgate.store.catalogue import Catalogue
from falgate.store.notes import Notes
from falgate.store.pools import Pools

ONLY_CACHED = {"Cache-Control": "only-if-cached"}
PROMPT = "canary-wish a fox"


def desk_of(site: Any) -> CacheDesk:
    catalogue, pools = Catalogue(site.redis), Pools(site.redis)
    files: Any = None  # nothing is deleted by a purge
    return CacheDesk(
        catalogue, pools, Remover(catalogue, pools, files), Notes(site.redis), kept_s=60
    )


async def test_every_instance_has_it_no_more_at_once(site: Any) -> None:
    gateways = [await site.start(), await site.start()]
    await site.ask(gateways[0])
    for gateway in gateways:
        assert (await site.ask(gateway)).headers["x-falgate-cache"] == "hit"

    began_s = time.monotonic()
    await desk_of(site).purge(Selection(prompt=PROMPT), prompt_digest(PROMPT), "test")
    answers = [await site.ask(gateway, headers=ONLY_CACHED) for gateway in gateways]

    assert [answer.status_code for answer in answers] == [504, 504]
    assert time.monotonic() - began_s < 1


async def test_a_purchase_under_way_serves_its_caller_and_does_not_bring_it_back(
    site: Any,
) -> None:
    gateway = await site.start()
    site.sandbox.turn(work_s=0.5)
    await site.ask(gateway)
    buying = asyncio.create_task(site.ask(gateway, num_images=2))
    await site.visited("submit", 2)

    await desk_of(site).purge(Selection(prompt=PROMPT), prompt_digest(PROMPT), "test")

    answer = await buying
    assert (answer.status_code, len(answer.json()["images"])) == (200, 2)
    assert answer.headers["cache-status"] == "falgate; fwd=partial"
    assert (await site.ask(gateway, headers=ONLY_CACHED)).status_code == 504
    assert (await site.audit()).outcomes == {"paid": 2}
