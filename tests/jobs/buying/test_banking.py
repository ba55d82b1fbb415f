"""Banking: each delivered picture by itself, ever more seldom, and not for ever."""

import asyncio
import hashlib
from typing import Any

import pytest

from falgate.core.picture import NotAPicture
from falgate.fal.replies import Delivered, DownloadFailed
from falgate.jobs.ingest import BANK_FOR_S

GONE = DownloadFailed("404")
SHA256S = [
    hashlib.sha256(f"https://pictures/fal-1/{index}".encode()).hexdigest() for index in range(3)
]


def lose_the_second_of_three(world: Any) -> None:
    """Fail one picture in all the tries of one banking; the others are tried once."""
    world.steps.fail("download", GONE, skip=1)
    world.steps.fail("download", GONE, skip=1, times=2)


@pytest.mark.parametrize(
    ("step", "error", "steps"),
    [
        ("download", GONE, "keep, keep, download, keep"),
        ("keep", NotAPicture("a page"), "keep, keep, keep, download, keep"),
    ],
)
async def test_only_what_failed_is_tried_again(
    world: Any, step: str, error: Exception, steps: str
) -> None:
    world.steps.fail(step, error, skip=1)

    answer = await world.ask(3)

    assert [picture.sha256 for picture in answer.pictures] == SHA256S
    assert world.effects().endswith(
        "download, download, download, purchased paid 309, "
        f"{steps}, append 3, finish 3, answered miss 309"
    )


async def test_one_picture_that_cannot_be_had_leaves_all_of_fal_s_own_files(world: Any) -> None:
    lose_the_second_of_three(world)

    assert await world.outcome(3) == "miss 0+3"
    await world.reap(31)
    assert await world.outcome(3) == "hit 3"
    assert (len(world.shop.posts), world.jobs.spent) == (1, 309)


@pytest.mark.parametrize(
    ("age_s", "leases_s"),
    [(2, (2, 4)), (60, (60, 120)), (500, (500, 900)), (7_200, (900, 900)), (72_000, (900, 900))],
)
async def test_what_cannot_be_had_is_looked_at_again_after_as_long_as_it_is_old(
    world: Any, age_s: int, leases_s: tuple[int, int]
) -> None:
    world.steps.fail("download", GONE, times=6)
    world.steps.gates["collect"] = gate = asyncio.Event()
    caller = asyncio.create_task(world.outcome())
    await world.reached("collect")
    world.steps.now_ms += age_s * 1000
    gate.set()
    assert await caller == "miss 0+1"
    await world.at_rest()

    for lease_s in leases_s:
        before = len(world.steps.did)
        await world.reap(lease_s - 1)
        assert world.effects(before) == ""
        await world.reap(1)
        assert world.effects(before).startswith("adopt")
    assert await world.outcome() == "hit 1"


async def test_after_a_day_what_could_be_had_is_published(world: Any) -> None:
    lose_the_second_of_three(world)
    assert await world.outcome(3) == "miss 0+3"
    lose_the_second_of_three(world)
    await world.reap(BANK_FOR_S - 1)
    assert (world.pools.pools, world.jobs.ledger) == ({}, [(world.shop.posts[0], "paid", 309)])
    lose_the_second_of_three(world)
    before = len(world.steps.did)
    await world.reap(15 * 60)

    assert world.effects(before).endswith("anomaly unbanked, append 2, finish 2")
    [job] = world.jobs.jobs.values()
    assert job.state == "finished"
    assert [picture.sha256 for picture in job.pictures] == [SHA256S[0], SHA256S[2]]
    assert await world.outcome(2) == "hit 2"
    assert world.leaks() == []


async def test_a_url_that_is_told_twice_is_fetched_once(world: Any) -> None:
    file = {"url": "https://pictures/0"}
    world.shop.results = [Delivered({"images": [file, file]}, "2")]

    assert await world.outcome(2) == "miss 2"
    assert world.effects().count("download") == 1


async def test_after_a_day_without_any_picture_it_may_be_bought_again(world: Any) -> None:
    world.steps.fail("download", GONE, times=6)
    assert await world.outcome() == "miss 0+1"
    before = len(world.steps.did)
    await world.reap(BANK_FOR_S)

    assert world.effects(before).endswith("anomaly unbanked, finish 0")
    assert await world.outcome() == "miss 1"
    assert len(world.shop.posts) == 2


async def test_fals_own_file_is_not_handed_out_from_a_host_that_delivers_nothing(
    world: Any,
) -> None:
    world.steps.fail("download", DownloadFailed("barred"), times=3)
    output = {"images": [{"url": "http://169.254.169.254/x", "file_name": "../../x"}]}
    world.shop.results.append(Delivered(output, "1"))

    assert await world.outcome() == "504 TimedOut"
    assert world.jobs.spent == 103
