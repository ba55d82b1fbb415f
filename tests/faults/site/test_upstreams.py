"""Who sold it: what was bought from the sandbox is nothing where fal sells, and the other way."""

import asyncio
from typing import Any

SANDBOX, TEST = "sandbox", "test"


async def test_a_placeholder_is_never_an_answer_once_fal_sells(embedded_site: Any) -> None:
    site = embedded_site
    tried = await site.start(upstream_url=SANDBOX)
    assert (await site.ask(tried)).headers["x-falgate-cache"] == "miss"
    assert (await site.ask(tried)).headers["x-falgate-cache"] == "hit"
    played, _ = await site.booked(SANDBOX)
    tried.end()

    real = await site.start()
    bought = await site.ask(real)

    assert (bought.status_code, bought.headers["x-falgate-cache"]) == (200, "miss")
    assert (await site.audit()).accepted == 1
    assert await site.booked(SANDBOX) == (played, 0)
    assert (await site.booked())[0] > 0
    real.end()
    again = await site.start(upstream_url=SANDBOX)
    assert (await site.ask(again)).headers["x-falgate-cache"] == "hit"
    assert (await site.audit()).accepted == 1


async def test_an_open_job_is_carried_on_only_by_who_speaks_to_its_own_upstream(
    embedded_site: Any, new_sandbox: Any
) -> None:
    site, other = embedded_site, new_sandbox()
    site.sandbox.hold()
    first = await site.start()
    call = asyncio.create_task(site.ask(first))
    await site.visited("status/stream")
    first.end()
    await site.broken(call)
    held = await site.booked()
    assert held[1] > 0

    elsewhere = await site.start(upstream_url=f"{other.url}/queue")
    await site.lapsed()
    bought = await site.ask(elsewhere)

    assert (bought.status_code, bought.headers["x-falgate-cache"]) == (200, "miss")
    books = other.books()
    assert (len(books["submits"]), books["visits"]["result"]) == (1, 1)
    assert (await site.states(), await site.booked()) == (["accepted", "finished"], held)
    elsewhere.end()

    site.sandbox.let_go()
    back = await site.start()
    await site.reached("finished", "finished")
    assert (await site.ask(back)).headers["x-falgate-cache"] == "hit"
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1})


async def test_a_test_key_buys_play_pictures_with_play_money_beside_a_live_one(site: Any) -> None:
    gateway = await site.start()
    assert (await site.key("test")).startswith("fg_test_")

    played = await site.ask(gateway, kind="test")
    bought = await site.ask(gateway)

    assert [each.headers["x-falgate-cache"] for each in (played, bought)] == ["miss", "miss"]
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1})
    spent, held = await site.booked(TEST)
    assert (spent > 0, held) == (True, 0)
    for kind in ("test", "live"):
        assert (await site.ask(gateway, kind=kind)).headers["x-falgate-cache"] == "hit"
    assert (await site.booked(TEST))[0] == spent
