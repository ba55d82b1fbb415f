"""Without Redis nothing is corrected, recovered or thawed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any

from redis.asyncio import Redis

from falgate.billing.closed_job import ClosedJob, ReconcileReport, Recovered
from falgate.billing.store.corrections import Corrections
from falgate.billing.store.recovery import Recovery
from falgate.core.calendar import Calendar
from falgate.core.errors import Unavailable
from falgate.money.charge import Charge
from falgate.webhooks.store.secrets import secret

UPSTREAM = "https://queue.example"
CLOSED = ClosedJob(
    entry="1-0",
    job="a",
    outcome="paid",
    model="m",
    request_id="r",
    windows="day:2026-11-22 total:all",
    team="t",
    app="p",
    key="k",
    held=9,
    billed=5,
    overrun=0,
    charge=Charge(5, 0),
)
FOUND = Recovered(request_id="r", model="m", sent_ms=1)


STEPS: dict[str, Callable[[Corrections, Recovery], Awaitable[Any]]] = {
    "closes": lambda it, _: anext(it.closes(UPSTREAM, 0, 9)),
    "correct": lambda it, _: it.correct(UPSTREAM, CLOSED, Charge(1, 0), "why"),
    "bound": lambda it, _: it.bound(UPSTREAM, ["r"]),
    "take_round": lambda it, _: it.take_round(UPSTREAM, 9),
    "compared_until_ms": lambda it, _: it.compared_until_ms(UPSTREAM),
    "keep": lambda it, _: it.keep(
        UPSTREAM, ReconcileReport(at_ms=1, since_ms=1, until_ms=1), whole=True
    ),
    "frozen": lambda _, it: it.frozen(),
    "closed_since": lambda _, it: it.closed_since(UPSTREAM, 1),
    "unbound": lambda _, it: it.unbound(UPSTREAM),
    "book": lambda _, it: it.book(UPSTREAM, FOUND, 5),
    "thaw": lambda _, it: it.thaw("x"),
}


async def test_no_step_is_taken(nobody: Redis) -> None:
    both = Corrections(nobody, owner="one"), Recovery(nobody, Calendar(UTC))
    steps: list[Awaitable[Any]] = [step(*both) for step in STEPS.values()]

    said = await asyncio.gather(*steps, secret(nobody, "hook_secret"), return_exceptions=True)

    assert {type(each) for each in said} == {Unavailable}
