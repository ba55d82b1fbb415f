"""A submit whose answer says nothing: held, not repeated, and settled in full in the end."""

import asyncio
from typing import Any

FAULTS: list[dict[str, Any]] = [
    {"at": "accepted", "fault": "error", "status": 502},
    {"at": "accepted", "fault": "error", "status": 500},
    {"at": "accepted", "fault": "ingress"},
    {"at": "accepted", "fault": "dropped"},
    {"at": "accepted", "fault": "truncated"},
    {"at": "accepted", "fault": "junk"},
    {"at": "accepted", "fault": "junk", "body": '{"request_id": 5}'},
    {"at": "submit", "fault": "error", "status": 503},
    {"at": "submit", "fault": "dropped"},
]


async def test_an_unclear_answer_to_a_submit_holds_the_money_until_it_is_given_up(
    site: Any,
) -> None:
    gateway = await site.start()

    for number, fault in enumerate(FAULTS):
        site.sandbox.turn(**fault, times=1)
        answer = await site.ask(gateway, f"wish {number}")
        assert answer.status_code == 504, fault
        assert answer.headers["x-fal-request-timeout-type"] == "user"
        assert "x-fal-request-id" in answer.headers
    options = range(len(FAULTS))
    repeats = await asyncio.gather(*(site.ask(gateway, f"wish {n}") for n in options))

    assert {repeat.status_code for repeat in repeats} == {504}
    assert await site.states() == ["submitting"] * len(FAULTS)
    spent, held = await site.booked()
    assert spent == 0
    assert len(site.sandbox.books()["submits"]) == len(FAULTS)
    await site.long_ago()
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (len(FAULTS), {"unknown": len(FAULTS)})
    assert audit.spent == held

    again = await asyncio.gather(*(site.ask(gateway, f"wish {n}") for n in options))

    assert {answer.headers["x-falgate-cache"] for answer in again} == {"miss"}
    audit = await site.audit()
    assert audit.outcomes == {"unknown": len(FAULTS), "paid": len(FAULTS)}


async def test_a_request_that_fal_has_forgotten_is_settled_in_full(site: Any) -> None:
    gateway = await site.start(unknown_after_s=1)
    site.sandbox.turn(fault="error", at="result", status=404, times=1)

    answer = await site.ask(gateway)

    assert answer.status_code == 504
    assert answer.headers["x-fal-request-timeout-type"] == "user"
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"unknown": 1})
