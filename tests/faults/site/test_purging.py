"""Repair on several instances: at once, for what is on its way too, and by command."""

import asyncio
import json
import os
import sys
from subprocess import PIPE
from typing import Any

from falgate.accounts import apikey
from falgate.accounts.store.audit import AuditLog
from falgate.cache.store.pools import Pools
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.selection import Selection
from falgate.pictures.store.catalogue import Catalogue

ONLY_CACHED = {"Cache-Control": "only-if-cached"}
PROMPT = "canary-wish a fox"


def desk_of(site: Any) -> CacheAdmin:
    catalogue, pools = Catalogue(site.redis), Pools(site.redis)
    files: Any = None  # nothing is deleted by a purge
    return CacheAdmin(
        catalogue, pools, PictureDeleter(catalogue, pools, files), AuditLog(site.redis), kept_s=60
    )


async def test_soon_no_instance_has_it_any_more(site: Any) -> None:
    gateways = [await site.start(), await site.start()]
    await site.ask(gateways[0])
    for gateway in gateways:
        assert (await site.ask(gateway)).headers["x-falgate-cache"] == "hit"

    await desk_of(site).purge(Selection(prompt=PROMPT), "test")

    async def has_it_no_more() -> bool:
        answers = [await site.ask(gateway, headers=ONLY_CACHED) for gateway in gateways]
        return [answer.status_code for answer in answers] == [504, 504]

    await site.until(has_it_no_more)


async def test_a_purchase_under_way_serves_its_caller_and_does_not_bring_it_back(
    site: Any,
) -> None:
    gateway = await site.start()
    site.sandbox.turn(work_s=0.5)
    await site.ask(gateway)
    buying = asyncio.create_task(site.ask(gateway, num_images=2))
    await site.visited("submit", 2)

    await desk_of(site).purge(Selection(prompt=PROMPT), "test")

    answer = await buying
    assert (answer.status_code, len(answer.json()["images"])) == (200, 2)
    assert answer.headers["cache-status"] == "falgate; fwd=partial"
    assert (await site.ask(gateway, headers=ONLY_CACHED)).status_code == 504
    assert (await site.audit()).outcomes == {"paid": 2}


async def test_commands_that_need_a_gateway_ask_the_one_that_runs(site: Any) -> None:
    admin = apikey.mint("admin", b"\x01" * apikey.ID_BYTES, b"\x02" * apikey.SECRET_BYTES)
    gateway = await site.start(admin_key=admin)
    env = {
        "PATH": os.environ["PATH"],
        "FALGATE_REDIS_URL": site.settings["redis_url"],
        "FALGATE_TIMEZONE": site.settings["timezone"],
        "FALGATE_ADMIN_KEY": admin,
    }

    async def falgate(*arguments: str, typed: str = "") -> Any:
        command = [sys.executable, "-m", "falgate", "cache", *arguments, "--json"]
        process = await asyncio.create_subprocess_exec(
            *command, "--url", gateway.url, env=env, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        said, complaint = await process.communicate(typed.encode())
        return json.loads(said) if process.returncode == 0 else complaint.decode()

    bought = await site.ask(gateway, num_images=2)
    bad, good = (image["file_name"] for image in bought.json()["images"])
    request = json.dumps({"prompt": PROMPT, "quality": "low"})

    refused = await falgate("reroll", bad)
    rerolled = await falgate("reroll", bad, "--request", request)
    after = await site.ask(gateway, num_images=2, headers=ONLY_CACHED)
    receipt = await falgate("forget", "-", typed=f"{PROMPT}\n")

    assert refused.startswith("Error: The prompt of this picture is not stored")
    names = [image["file_name"] for image in after.json()["images"]]
    assert names == [good, *rerolled["pictures"]]
    assert (receipt["pools"], receipt["pictures"]) == (1, 3)
    assert (await site.ask(gateway, headers=ONLY_CACHED)).status_code == 504
    assert (await site.audit()).outcomes == {"paid": 2}
