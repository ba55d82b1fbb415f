"""`falgate ledger reconcile` and `recover`, over a ledger and the sandbox's own books."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from patience import TRIP_S
from two_servers import embedded

from falgate.cli.main import main
from falgate.core.account import chain
from falgate.core.calendar import Calendar
from falgate.fal.client import FalQueue
from falgate.fal.replies import Accepted
from falgate.models.endpoints import MODELS
from falgate.money.store.ledger import Ledger
from falgate.redis import keyspace
from falgate.redis.client import connect
from falgate.sandbox.app import create_sandbox
from falgate.sandbox.behaviour import Behaviour

CALENDAR = Calendar(UTC)
UPSTREAM = "sandbox"
SPEC = MODELS["fal-ai/gpt-image-1.5"]

Falgate = Callable[..., Result]


async def _buy(data: Path, wish: str) -> str:
    """Have the sandbox carry a request out."""
    app: Any = create_sandbox(MODELS, directory=data / "sandbox", behaviour=Behaviour(work_s=0))
    transport = httpx.ASGITransport(app)
    queue = FalQueue(UPSTREAM, "http://queue.sandbox", key="id:secret", transport=transport)
    body = SPEC.purchase(SPEC.input(prompt=wish, quality="low"), 1)
    accepted = await queue.submit(SPEC.endpoint, body, "job")
    await queue.close()
    assert isinstance(accepted, Accepted)
    return accepted.request_id


async def _fill(url: str, data: Path) -> None:
    """One job, booked at a dollar, for a request that the sandbox billed otherwise."""
    redis = connect(url, timeout_s=TRIP_S)
    ledger = Ledger(redis)
    await ledger.birth(None, CALENDAR)
    await ledger.note_upstreams(UPSTREAM, [])
    request_id = await _buy(data, "a fox")
    seconds, _ = await redis.time()
    windows = [window.name for window in CALENDAR.windows(int(seconds) * 1000)]
    fields: dict[Any, Any] = {
        "kind": "close", "job": "job-1", "outcome": "paid", "windows": " ".join(windows),
        "held": "2000000", "billed": "1000000", "overrun": "0", "request_id": request_id,
        "team": "web", "app": "shop", "key": "k", "model": SPEC.endpoint,
    }  # fmt: skip
    await redis.xadd(keyspace.ledger(UPSTREAM), fields)
    await redis.hset(keyspace.submits(UPSTREAM), request_id, "job-1")
    for account in chain("web", "shop", "k"):
        spent: dict[Any, Any] = {f"spent:{name}": "1000000" for name in windows}
        await redis.hset(keyspace.account(UPSTREAM, account), mapping=spent)
    await redis.aclose()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with embedded() as url:
        asyncio.run(_fill(url, tmp_path))
        yield url


@pytest.fixture
def falgate(url: str, tmp_path: Path) -> Falgate:
    """Runs a command."""
    settings = {"FALGATE_REDIS_URL": url, "FALGATE_DATA_DIR": str(tmp_path)}

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env=settings)

    return run


@pytest.fixture
def remember(url: str) -> Callable[[str, dict[str, str]], None]:
    """Writes into one of Redis's hashes."""

    async def write(key: str, values: dict[Any, Any]) -> None:
        async with connect(url, timeout_s=TRIP_S) as redis:
            await redis.hset(key, mapping=values)

    return lambda key, values: asyncio.run(write(key, values))


def test_a_difference_is_shown_and_posted_once(falgate: Falgate) -> None:
    compare = ("ledger", "reconcile", "--lag-minutes", "0")

    shown, again = falgate(*compare), falgate(*compare, "--json")

    assert (shown.exit_code, again.exit_code) == (0, 0), shown.output + again.output
    assert "job-1" in shown.output
    assert "1 corrected by $-0.98" in shown.output
    figures = json.loads(again.output)
    assert (figures["looked"], figures["corrected"], figures["corrections"]) == (1, 0, [])
    assert figures["difference_usd"] == "0.00"


def test_an_unknown_job_beside_a_request_of_nobody_is_said_to_stay_booked(
    falgate: Falgate, url: str, tmp_path: Path
) -> None:
    async def lose() -> None:
        """Leave a job whose submit had no answer, and which fal has carried out."""
        await _buy(tmp_path, "a hare")
        async with connect(url, timeout_s=TRIP_S) as redis:
            page: Any = await redis.xrange(keyspace.ledger(UPSTREAM), count=1)
            lost = {**page[0][1], "job": "job-2", "outcome": "unknown", "request_id": ""}
            await redis.xadd(keyspace.ledger(UPSTREAM), lost)

    words = "stays booked in full"
    assert words not in falgate("ledger", "reconcile", "--lag-minutes", "0").output
    asyncio.run(lose())

    told = falgate("ledger", "reconcile", "--lag-minutes", "0")

    assert "1 that fal's billing does not decide yet" in told.output
    assert "Billed for 1 requests that are not ours" in told.output
    assert words in told.output


def test_young_jobs_are_left_alone(falgate: Falgate) -> None:
    figures = json.loads(falgate("ledger", "reconcile", "--json").output)

    assert figures["looked"] == 0


def test_without_a_key_that_may_read_billing_it_says_which_one_to_give(
    falgate: Falgate, remember: Callable[..., None]
) -> None:
    remember(keyspace.META, {"live": "fal"})

    told = falgate("ledger", "reconcile")

    assert told.exit_code == 1
    assert "FALGATE_FAL_ADMIN_KEY" in told.output


def test_counters_that_differ_are_set_right_once_and_then_there_is_nothing_to_recover(
    falgate: Falgate,
) -> None:
    # The books here have an entry that no counter knows.
    listed = json.loads(falgate("ledger", "recover", "--json").output)["counters"]
    shown, done, after = (falgate("ledger", "recover", *more) for more in ((), ("--yes",), ()))

    assert {shown.exit_code, done.exit_code, after.exit_code} == {0}, shown.output + done.output
    assert listed, "each counter that differs is named"
    assert all(each["found"] != each["ledger"] and each["books"] == UPSTREAM for each in listed)
    assert "counters differ from the ledger" in shown.output
    assert "were set to what the ledger says" in done.output
    assert "not frozen" in after.output
    assert falgate("ledger", "verify").exit_code == 0


def test_a_lost_request_is_shown_then_booked(
    falgate: Falgate, remember: Callable[..., None], tmp_path: Path
) -> None:
    request_id = asyncio.run(_buy(tmp_path, "a request that the ledger has lost"))
    remember(keyspace.META, {"frozen_ms": "1", "history": "x"})

    shown, done, after = (falgate("ledger", "recover", *more) for more in ((), ("--yes",), ()))

    assert {shown.exit_code, done.exit_code, after.exit_code} == {0}, shown.output + done.output
    assert request_id in shown.output
    assert "Nothing was done" in shown.output
    assert "Buying goes on" in done.output
    assert "not frozen" in after.output


def test_without_fals_books_a_loss_has_to_be_accepted(
    falgate: Falgate, remember: Callable[..., None]
) -> None:
    remember(keyspace.META, {"live": "fal", "frozen_ms": "1", "history": "x"})

    refused = falgate("ledger", "recover", "--yes")
    assert (refused.exit_code, "--accept-loss" in refused.output) == (1, True)

    assert "Buying goes on" in falgate("ledger", "recover", "--yes", "--accept-loss").output
