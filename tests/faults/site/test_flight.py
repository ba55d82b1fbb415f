"""One purchase for a fingerprint, however many ask for it at once, and wherever."""

import asyncio
import sys
import time
from collections import Counter
from typing import Any

import pytest

CALLERS = 200


async def test_two_hundred_callers_of_two_instances_share_one_purchase(
    site: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    gateways = await asyncio.gather(site.start(lease_s=60), site.start(lease_s=60))
    site.sandbox.turn(work_s=1)
    await site.key()

    began_s = time.monotonic()
    answers = await asyncio.gather(*(site.ask(gateways[number % 2]) for number in range(CALLERS)))
    took_s = time.monotonic() - began_s

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["images"][0]["file_name"] for answer in answers}) == 1
    sources = Counter(answer.headers["x-falgate-cache"] for answer in answers)
    assert sources["miss"] == 1
    assert sources["coalesced"] + sources["hit"] == CALLERS - 1
    audit = await site.audit()
    assert (audit.submits, audit.accepted, audit.outcomes) == (1, 1, {"paid": 1})
    assert audit.spent == audit.billed
    charges = {answer.headers["x-falgate-cost-usd"] for answer in answers}
    assert len(charges - {"0.00"}) == 1
    with capsys.disabled():
        sys.stdout.write(
            f"\n{CALLERS} callers, 2 instances: {took_s:.2f} s with 1 s of work at fal, "
            f"{dict(sources)}, {audit.submits} submit, ${audit.spent / 1e6:.6f}\n"
        )
