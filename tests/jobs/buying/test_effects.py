"""What is done for a call, in order: the tables of the flow."""

from typing import Any, NamedTuple

import pytest

from falgate.core.account import ORGANISATION
from falgate.core.calendar import Window
from falgate.fal.replies import (
    Accepted,
    Delivered,
    DownloadFailed,
    Failed,
    FalAnswer,
    Lost,
    Rejected,
    Unsent,
)
from falgate.jobs.job import NotDurable
from falgate.jobs.verdicts import Denied, LedgerMismatch, NoBudget, OverageFull

BOUGHT = (
    "pool, hold 107, mark, submit, accept, collect, settle paid 103, download, purchased paid 103"
)
"""The picture is fetched while the money is settled."""
KEPT = "keep, append 1, finish 1"
SENT = "pool, hold 107, mark, submit"
UNPAID = f"{SENT}, anomaly exhausted_balance, exhausted fal"
HIT = "pool, answered hit 0"


def answer(status: int) -> FalAnswer:
    return FalAnswer(status, {"detail": "no"}, {})


def output(number: int) -> dict[str, Any]:
    return {"images": [{"url": f"https://pictures/{index}"} for index in range(number)]}


class Case(NamedTuple):
    """What happens, what the caller hears, and what was done for it.

    Attributes:
        told: As `World.told` words it.
        effects: In order.
        submission: fal's answer to the submit.
        result: fal's result.
        spent: In the end, micro-USD.
        held: In the end, micro-USD.
        wanted: Pictures.
    """

    outcome: str
    effects: str
    submission: Any = None
    result: Any = None
    spent: int = 0
    held: int = 0
    wanted: int = 1


ENDINGS = {
    "miss": Case("miss 1", f"{BOUGHT}, {KEPT}, answered miss 103", spent=103),
    "two at once": Case(
        "miss 2",
        "pool, hold 214, mark, submit, accept, collect, settle paid 206, download, download, "
        "purchased paid 206, keep, keep, append 2, finish 2, answered miss 206",
        spent=206,
        wanted=2,
    ),
    "never sent": Case(
        "503 Unavailable",
        f"{SENT}, settle released 0, purchased released 0",
        Unsent("refused"),
    ),
    "refused input": Case(
        "422 UpstreamRefused",
        f"{SENT}, settle refused 0, purchased refused 0",
        Rejected(answer(422)),
    ),
    "our key refused": Case(
        "500 UpstreamUnusable",
        f"{SENT}, anomaly bad_upstream_key, settle released 0, purchased released 0",
        Rejected(answer(401)),
    ),
    "our account locked": Case(
        "500 UpstreamUnusable",
        f"{SENT}, anomaly no_upstream_access, settle released 0, purchased released 0",
        Rejected(FalAnswer(403, {"detail": "User is locked. Reason: TOS violation."}, {})),
    ),
    "our balance exhausted": Case(
        "500 UpstreamUnusable",
        f"{UNPAID}, settle released 0, purchased released 0",
        Rejected(FalAnswer(403, {"detail": "User is locked. Reason: Exhausted balance."}, {})),
    ),
    "our payment wanted": Case(
        "500 UpstreamUnusable",
        f"{UNPAID}, settle released 0, purchased released 0",
        Rejected(answer(402)),
    ),
    "no such model": Case(
        "500 UpstreamUnusable",
        f"{SENT}, settle released 0, purchased released 0",
        Rejected(answer(404)),
    ),
    "too fast for fal": Case(
        "503 Unavailable",
        f"{SENT}, settle released 0, purchased released 0",
        Rejected(answer(429)),
    ),
    "lost submit": Case(
        "504 TimedOut", f"{SENT}, anomaly lost_submit, uncertain lost", Lost("no reply"), held=107
    ),
    "lost result": Case(
        "504 TimedOut",
        f"{SENT}, accept, collect, anomaly lost_result, uncertain lost",
        result=Lost("forgotten"),
        held=107,
    ),
    "fal failed": Case(
        "500 UpstreamRefused",
        f"{SENT}, accept, collect, settle refused 0, purchased refused 0",
        result=Failed(answer(500), None),
    ),
    "refused after work": Case(
        "422 UpstreamRefused",
        f"{SENT}, accept, collect, settle refused 107, purchased refused 107",
        result=Failed(answer(422), None),
        spent=107,
    ),
    "refused before work": Case(
        "422 UpstreamRefused",
        f"{SENT}, accept, collect, settle refused 0, purchased refused 0",
        result=Failed(answer(422), "0"),
    ),
    "refused after work, as if to be sent again": Case(
        "422 UpstreamRefused",
        f"{SENT}, accept, collect, settle refused 107, purchased refused 107",
        result=Failed(answer(429), None),
        spent=107,
    ),
    "refused before work, to be sent again": Case(
        "409 UpstreamRefused",
        f"{SENT}, accept, collect, settle refused 0, purchased refused 0",
        result=Failed(answer(409), "0"),
    ),
    "nothing delivered": Case(
        "422 UpstreamRefused",
        f"{SENT}, accept, collect, settle refused 107, purchased refused 107",
        result=Delivered(output(0), None),
        spent=107,
    ),
    "fewer delivered": Case(
        "miss 1",
        "pool, hold 214, mark, submit, accept, collect, settle paid 103, download, "
        "purchased paid 103, keep, append 1, finish 1, answered miss 103",
        result=Delivered(output(1), "1"),
        spent=103,
        wanted=2,
    ),
    "more delivered": Case(
        "miss 1",
        f"{SENT}, accept, collect, settle paid 206, download, download, "
        "purchased paid 107, keep, keep, append 2, finish 2, answered miss 107",
        result=Delivered(output(2), "2"),
        spent=107,
    ),
    "delivered for nothing": Case(
        "miss 1",
        f"{SENT}, accept, collect, anomaly zero_units, settle paid 103, download, "
        f"purchased paid 103, {KEPT}, answered miss 103",
        result=Delivered(output(1), "0"),
        spent=103,
    ),
}


@pytest.mark.parametrize("case", ENDINGS.values(), ids=ENDINGS)
async def test_every_ending_has_its_effects_in_order(world: Any, case: Case) -> None:
    if case.submission:
        world.shop.submissions = [case.submission]
    if case.result:
        world.shop.results = [case.result]

    assert await world.outcome(case.wanted) == case.outcome
    await world.at_rest()

    assert world.effects() == case.effects
    assert (world.jobs.spent, world.jobs.held) == (case.spent, case.held)
    assert world.leaks() == []


VERDICTS = {
    "denied": (
        Denied(ORGANISATION, Window("day", "x", 0, 86_400_000), 100, 60, 30),
        "402 BudgetExhausted",
    ),
    "no budget": (NoBudget(), "402 BuyingStopped"),
    "overage full": (OverageFull(1, 2), "402 BuyingStopped"),
    "another ledger": (LedgerMismatch(), "503 Unavailable"),
}


@pytest.mark.parametrize(("verdict", "outcome"), VERDICTS.values(), ids=VERDICTS)
async def test_without_money_nothing_is_touched(world: Any, verdict: Any, outcome: str) -> None:
    world.steps.verdict = verdict

    assert await world.outcome() == outcome
    assert world.effects() == "pool, hold 107"
    assert (world.jobs.jobs, world.jobs.flights) == ({}, {})


async def test_what_was_bought_is_what_was_delivered(world: Any) -> None:
    world.shop.results = [Delivered(output(1), "1")]

    answer = await world.ask(3)

    assert (answer.bought, answer.billed, len(answer.pictures)) == (1, 103, 1)
    assert answer.remaining == world.steps.limit - 103


async def test_a_hit_only_looks(world: Any) -> None:
    await world.ask()
    before, books = len(world.steps.did), (world.jobs.spent, world.jobs.held)

    assert await world.outcome() == "hit 1"
    assert world.effects(before) == HIT
    assert (world.jobs.spent, world.jobs.held) == books


async def test_a_larger_repeat_buys_what_is_missing(world: Any) -> None:
    first = await world.ask(1)
    before = len(world.steps.did)

    more = await world.ask(3)

    assert world.effects(before) == (
        "pool, hold 214, mark, submit, accept, collect, settle paid 206, download, download, "
        "purchased paid 206, keep, keep, append 2, finish 2, answered partial 206"
    )
    assert (more.source, more.bought, more.billed, more.saved) == ("partial", 2, 206, 100)
    assert more.pictures[:1] == first.pictures
    assert await world.outcome(2) == "hit 2"


async def test_a_mark_that_may_be_lost_submits_nothing_and_gives_the_hold_back(world: Any) -> None:
    world.steps.fail("mark", NotDurable(), after=True)

    assert await world.outcome() == "503 Unavailable"
    assert world.effects() == "pool, hold 107, mark, settle released 0, purchased released 0"
    assert (world.jobs.held, world.shop.posts) == (0, [])


async def test_a_picture_that_cannot_be_fetched_is_handed_out_from_fal(world: Any) -> None:
    world.steps.fail("download", DownloadFailed("404"), times=3)

    answer = await world.ask()

    assert answer.foreign == ({"url": "https://pictures/fal-1/0"},)
    assert (answer.pictures, answer.billed, answer.bought) == ((), 103, 1)
    assert world.effects() == (
        f"{BOUGHT}, download, download, anomaly unbanked, uncertain unbanked, answered miss 103"
    )
    assert (world.pools.pools, [job.state for job in world.jobs.jobs.values()]) == ({}, ["paid"])


async def test_a_download_that_works_the_second_time_is_like_any_other(world: Any) -> None:
    world.steps.fail("download", DownloadFailed("reset"))

    assert await world.outcome() == "miss 1"
    assert world.effects() == f"{BOUGHT}, download, {KEPT}, answered miss 103"


async def test_a_picture_of_another_size_is_handed_out_and_not_published(world: Any) -> None:
    world.pictures.sides = (9, 9)

    assert await world.outcome() == "miss 1"
    assert world.effects() == (f"{BOUGHT}, keep, anomaly not_as_asked, finish 1, answered miss 103")
    assert (world.pools.pools, world.jobs.flights) == ({}, {})


async def test_a_second_request_id_is_no_purchase_of_ours_and_told_at_once(world: Any) -> None:
    await world.ask()
    world.shop.submissions = [Accepted("fal-1")]
    world.jobs.bound["fal", "fal-1"] = "another job"
    before = len(world.steps.did)

    assert await world.outcome(prompt="a dog") == "504 TimedOut"
    await world.at_rest()
    assert world.effects(before) == f"{SENT}, accept, anomaly second_request_id, uncertain lost"
    assert (world.jobs.held, world.leaks()) == (107, [])

    await world.reap(901)
    assert [state for _, state, _ in world.jobs.ledger] == ["paid", "unknown"]
