"""A Redis that loses its last seconds in a crash: buying is frozen until fal's books were read."""

import asyncio
import json
import os
import shutil
from typing import Any

from forking import run

from falgate.redis import keyspace


async def command(site: Any, *arguments: str) -> tuple[int, str]:
    """One of falgate's commands on this site: its status, and what it said."""
    own = {f"FALGATE_{name.upper()}": value for name, value in site.settings.items() if value}
    done = await asyncio.to_thread(run, arguments, {"PATH": os.environ["PATH"], **own})
    return done.returncode, done.stdout + done.stderr


async def test_a_purchase_that_redis_forgot_is_found_at_fal_before_more_is_bought(
    frail_site: Any, redis_server: Any
) -> None:
    site = frail_site
    site.settings |= {
        "allow_weak_durability": "true",
        "fal_admin_key": "id:admin",
        "platform_url": f"{site.sandbox.url}/v1",
    }
    # Redis 7.0 cannot confirm a write then, which is what has to be allowed.
    await site.redis.config_set("appendfsync", "everysec")
    gateway = await site.start()
    kept = await site.ask(gateway, "kept")
    await site.reached("finished")
    files, copy = redis_server.folder / "appendonlydir", redis_server.folder / "copy"
    shutil.copytree(files, copy)
    forgotten = await site.ask(gateway, "forgotten")
    assert (kept.status_code, forgotten.status_code) == (200, 200)

    redis_server.kill()
    shutil.rmtree(files)
    copy.rename(files)
    redis_server.start()
    refused = await site.ask(gateway, "wanted")

    assert refused.status_code == 503
    assert "falgate ledger recover" in refused.json()["detail"]
    assert (await site.ask(gateway, "kept")).headers["x-falgate-cache"] == "hit"
    assert len(site.sandbox.books()["submits"]) == 2

    # As a minute later, when fal's list is sure to have it.
    since_ms = int(await site.redis.hget(keyspace.META, "frozen_ms"))
    await site.redis.hset(keyspace.META, "frozen_ms", str(since_ms - 60_000))
    status, said = await command(site, "ledger", "recover", "--json")
    assert (status, len(json.loads(said)["found"])) == (0, 1), said
    assert (await site.ask(gateway, "wanted")).status_code == 503
    status, said = await command(site, "ledger", "recover", "--yes")
    assert status == 0, said

    assert (await site.ask(gateway, "wanted")).status_code == 200
    audit = await site.audit()
    assert audit.submits == 3
    assert audit.spent == audit.billed
