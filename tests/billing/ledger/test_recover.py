"""Recovery on a real ledger: every request of fal's belongs to a job, or is booked, before more."""

from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from shop import SPEC as EASEL

from falgate.billing.recover import RecoveryRefused, recover
from falgate.billing.store.recovery import Recovery
from falgate.core.calendar import Calendar
from falgate.fal.billing import BooksClosed
from falgate.jobs.store.jobs import Jobs
from falgate.money.store.verify import verify
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
ENDPOINT = "fal-ai/model"
MINUTE_MS = 60_000


SPEC = replace(EASEL, endpoint=ENDPOINT)
SENT = {"prompt": "a secret wish"}

Freeze = Callable[[int], Awaitable[None]]
Look = Callable[[], Awaitable[Any]]
Run = Callable[..., Awaitable[Any]]


@pytest.fixture
def run(redis: Redis, jobs: Jobs, books: Any) -> Run:
    """Recovers with these books, or none."""
    ledger = Recovery(redis, Calendar(UTC))

    async def run(*, act: bool = True, blind: bool = False, **more: Any) -> Any:
        platform = None if blind else books
        return await recover(UPSTREAM, ledger, jobs, platform, {ENDPOINT: SPEC}, act=act, **more)

    return run


@pytest.fixture
def is_frozen(redis: Redis) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return bool(await redis.hexists("{fg}:meta", "frozen_ms"))

    return look


@pytest.fixture
async def thawing(freeze: Freeze) -> None:
    """Buying was frozen five minutes ago."""
    await freeze(5 * MINUTE_MS)


@pytest.fixture
async def ago_ms(jobs: Jobs) -> Callable[[int], int]:
    """A moment so many minutes ago."""
    now_ms = await jobs.now_ms()
    return lambda minutes: now_ms - minutes * MINUTE_MS


async def test_a_ledger_that_is_not_frozen_is_sound(run: Run, books: Any) -> None:
    books.closed = True

    assert (await run()).state == "sound"


@pytest.mark.usefixtures("thawing")
async def test_with_nothing_unknown_buying_goes_on(run: Run, is_frozen: Look) -> None:
    outcome = await run()

    assert (outcome.state, outcome.found) == ("thawed", ())
    assert not await is_frozen()


@pytest.mark.usefixtures("thawing")
async def test_what_no_job_knows_is_shown_first_and_changes_nothing(
    run: Run, books: Any, everything: Look, ago_ms: Any
) -> None:
    books.know("lost-1", ago_ms(6), SENT)
    before = await everything()

    outcome = await run(act=False)

    assert outcome.state == "shown"
    [found] = outcome.found
    assert (found.request_id, found.amount, found.billed, found.job) == ("lost-1", 107, False, "")
    assert await everything() == before


@pytest.mark.usefixtures("thawing")
@pytest.mark.parametrize(
    "case", [(45, 45), (0, 0), (None, 107)], ids=["billed", "free", "not yet billed"]
)
async def test_it_is_booked_at_what_fal_billed_or_at_the_most_that_it_may_cost(
    redis: Redis, run: Run, books: Any, ago_ms: Any, case: Any
) -> None:
    billed, amount = case
    books.know("lost-1", ago_ms(6), SENT)
    if billed is not None:
        books.bill("lost-1", billed)

    assert (await run()).found[0].amount == amount

    spent = await redis.hget("{fg}:account:" + UPSTREAM + ":organisation:main", "spent:total:all")
    assert spent == str(amount)
    assert (await verify(redis, UPSTREAM)).differences == ()


@pytest.mark.usefixtures("thawing")
async def test_a_recovery_that_is_repeated_books_nothing_twice(
    run: Run, books: Any, ago_ms: Any, freeze: Freeze, everything: Look
) -> None:
    books.know("lost-1", ago_ms(6), SENT)
    await run()
    before = await everything()
    await freeze(5 * MINUTE_MS)

    assert (await run()).found == ()

    after = await everything()
    assert {**after, "{fg}:meta": {}} == {**before, "{fg}:meta": {}}


@pytest.mark.usefixtures("thawing")
@pytest.mark.parametrize("reached", ["entry", "counters"])
async def test_a_recovery_that_was_torn_books_it_once_after_all(  # noqa: PLR0917 - fixtures
    redis: Redis, run: Run, books: Any, ago_ms: Any, freeze: Freeze, reached: str
) -> None:
    """Its entry is there, and nothing says yet whose the request is."""
    await redis.hset(keyspace.META, f"books:{UPSTREAM}", "1")
    books.know("lost-1", ago_ms(6), SENT)
    books.bill("lost-1", 45)
    await run()
    account = "{fg}:account:" + UPSTREAM + ":organisation:main"
    await redis.hset(keyspace.torn(UPSTREAM), "recovered-lost-1", "recover")
    await redis.hdel(keyspace.submits(UPSTREAM), "lost-1")
    if reached == "entry":
        await redis.hset(account, "spent:total:all", "0")
    await freeze(5 * MINUTE_MS)

    outcome = await run()

    assert [found.request_id for found in outcome.found] == ["lost-1"]
    assert await redis.hget(account, "spent:total:all") == "45"
    assert await redis.xlen(keyspace.ledger(UPSTREAM)) == 1
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_requests_of_jobs_are_not_unknown(
    run: Run, books: Any, paid: Any, ago_ms: Any, freeze: Freeze
) -> None:
    await paid("a", 60)
    await paid("b", 60)
    await freeze(5 * MINUTE_MS)
    for request_id in ("fal-a", "fal-b"):
        books.know(request_id, ago_ms(0), SENT)

    assert (await run()).found == ()


@pytest.fixture
async def sent(bring: Any, order: Any, freeze: Freeze) -> Any:
    """A job whose submit had no answer before buying was frozen."""
    job = await bring(order(), "submitting")
    await freeze(5 * MINUTE_MS)
    return job


async def test_a_request_becomes_that_of_the_open_job_that_sent_it(
    run: Run, books: Any, sent: Any, jobs: Jobs
) -> None:
    books.know("lost-1", sent.submitted_ms, sent.order.input)

    [found] = (await run()).found

    assert (found.job, found.request_id) == ("a", "lost-1")
    adopted = await jobs.read("a")
    assert adopted is not None
    assert (adopted.state, adopted.request_id) == ("accepted", "lost-1")


@pytest.mark.parametrize("case", [(6, "a secret wish"), (0, "another wish")])
async def test_neither_an_earlier_request_nor_another_wish_is_an_open_jobs(
    run: Run, books: Any, sent: Any, case: Any
) -> None:
    minutes, wish = case
    books.know("lost-1", sent.submitted_ms - minutes * MINUTE_MS, {"prompt": wish})

    [found] = (await run()).found

    assert (found.job, found.amount) == ("", 107)


async def test_of_two_requests_with_one_wish_one_is_the_jobs(
    redis: Redis, run: Run, books: Any, sent: Any
) -> None:
    for request_id in ("lost-1", "lost-2"):
        books.know(request_id, sent.submitted_ms, sent.order.input)

    found = (await run()).found

    assert sorted(each.job for each in found) == ["", "a"]
    assert (await verify(redis, UPSTREAM)).differences == ()


@pytest.mark.usefixtures("thawing")
@pytest.mark.parametrize("kept", [None, {"text": "?"}, {"prompt": 5}])
async def test_what_nobody_can_price_needs_an_amount(
    run: Run, books: Any, ago_ms: Any, is_frozen: Look, kept: Any
) -> None:
    books.know("lost-1", ago_ms(6), kept)
    with pytest.raises(RecoveryRefused, match="--assume"):
        await run()
    assert await is_frozen()

    [found] = (await run(assumed=500)).found

    assert found.amount == 500


async def test_while_fals_list_may_lag_it_is_refused(
    run: Run, freeze: Freeze, is_frozen: Look
) -> None:
    await freeze(10_000)

    with pytest.raises(RecoveryRefused, match="may not have everything yet"):
        await run()

    assert await is_frozen()


@pytest.mark.usefixtures("thawing")
async def test_closed_books_keep_it_frozen(run: Run, books: Any, is_frozen: Look) -> None:
    books.closed = True

    with pytest.raises(BooksClosed):
        await run(accept_loss=True)

    assert await is_frozen()


async def test_books_that_have_nothing_of_ours_keep_it_frozen(
    run: Run, books: Any, paid: Any, ago_ms: Any, freeze: Freeze
) -> None:
    await paid("a", 60)
    await freeze(5 * MINUTE_MS)
    books.know("somebody-elses", ago_ms(300), SENT)

    with pytest.raises(RecoveryRefused, match="same account"):
        await run()

    assert (await run(accept_loss=True)).state == "thawed"


@pytest.mark.usefixtures("thawing")
async def test_without_books_only_who_accepts_the_loss_may_go_on(run: Run, is_frozen: Look) -> None:
    with pytest.raises(RecoveryRefused, match="--accept-loss"):
        await run(blind=True)
    assert (await run(blind=True, accept_loss=True, act=False)).state == "shown"
    assert await is_frozen()

    assert (await run(blind=True, accept_loss=True)).state == "thawed"

    assert not await is_frozen()


@pytest.mark.usefixtures("thawing")
async def test_a_redis_that_is_started_anew_meanwhile_stays_frozen(
    redis: Redis, run: Run, books: Any, is_frozen: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def restart(*_: Any) -> tuple[Any, ...]:
        await redis.hset("{fg}:meta", "history", "another")
        return ()

    monkeypatch.setattr(books, "requests", restart)

    with pytest.raises(RecoveryRefused, match="start again"):
        await run()

    assert await is_frozen()
