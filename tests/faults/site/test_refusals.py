"""What fal refuses, and a fal that is not there: shared with who waits, and never held for."""

import asyncio
from typing import Any

CALLERS = 20


async def test_callers_that_share_a_purchase_share_fals_refusal(site: Any) -> None:
    gateways = await asyncio.gather(site.start(), site.start())
    site.sandbox.turn(outcome="content_policy_violation", work_s=3)
    await site.key()

    answers = await asyncio.gather(*(site.ask(gateways[n % 2]) for n in range(CALLERS)))

    assert {answer.status_code for answer in answers} == {422}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["detail"][0]["type"] == "content_policy_violation"
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"refused": 1})


REFUSALS: list[tuple[dict[str, Any], int, str]] = [
    ({"key_id": "another"}, 500, "downstream_service_error"),
    ({"fault": "error", "at": "submit", "status": 403}, 500, "downstream_service_error"),
    ({"fault": "error", "at": "submit", "status": 429}, 503, "internal_error"),
    ({"outcome": "internal_server_error"}, 500, "internal_server_error"),
]


async def test_a_refusal_gives_the_money_back_and_the_next_one_buys(site: Any) -> None:
    gateway = await site.start()

    for dials, status, error_type in REFUSALS:
        site.sandbox.turn(**dials)
        answer = await site.ask(gateway)
        site.sandbox.heal()
        assert (answer.status_code, f'"{error_type}"' in answer.text) == (status, True), answer.text
    audit = await site.audit()

    assert (audit.submits, audit.accepted, audit.spent) == (len(REFUSALS), 1, 0)
    assert (await site.ask(gateway)).headers["x-falgate-cache"] == "miss"


async def test_without_fal_nothing_stays_held(site: Any) -> None:
    site.settings["upstream_url"] = "http://127.0.0.1:9/queue"
    gateway = await site.start()

    answer = await site.ask(gateway)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert await site.booked() == (0, 0)
    assert await site.states() == ["released"]
