"""A budget under a rush: what is spent and held never exceeds it, at any instant."""

import asyncio
from collections import Counter
from typing import Any

from crowds import answered

from falgate.core.money import dollars
from falgate.models import price
from falgate.models.endpoints import MODELS

CALLERS, ROOM = 40, 5
WISH = "wish {:02}"


async def test_a_rush_over_two_instances_stays_within_the_budget(site: Any) -> None:
    spec = MODELS["fal-ai/gpt-image-1.5"]
    example = spec.input(prompt=f"canary-wish {WISH.format(0)}", quality="low")
    limit = ROOM * price.ceiling(spec, example, 1)
    site.settings["org_daily_usd"] = dollars(limit)
    # Nobody dies: else an instance that is slow would have its holds given back by the other one.
    gateways = await asyncio.gather(site.start(lease_s=60), site.start(lease_s=60))
    site.sandbox.hold()
    await site.key()

    rush = [asyncio.create_task(site.ask(gateways[n % 2], WISH.format(n))) for n in range(CALLERS)]
    # Nothing is settled, and no room comes back, before the last caller was told.
    told = asyncio.create_task(answered(rush, CALLERS - ROOM))
    highest = 0
    while not told.done():
        highest = max(highest, sum(await site.booked()))
        await asyncio.sleep(0.01)
    await told
    site.sandbox.let_go()
    while not all(call.done() for call in rush):
        highest = max(highest, sum(await site.booked()))
        await asyncio.sleep(0.01)
    answers = [await call for call in rush]

    assert highest == limit
    assert Counter(a.status_code for a in answers) == {200: ROOM, 402: CALLERS - ROOM}
    for refused in (answer for answer in answers if answer.status_code == 402):
        assert refused.json()["error_type"] == "budget_exceeded"
        assert f"limit ${dollars(limit)}" in refused.json()["detail"]
        assert refused.headers["x-fal-error-type"] == "budget_exceeded"
        assert refused.headers["x-falgate-budget-remaining-usd"] == "0.00"
        assert refused.headers["x-fal-request-id"]
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (ROOM, {"paid": ROOM})
    assert audit.spent == audit.billed < limit
