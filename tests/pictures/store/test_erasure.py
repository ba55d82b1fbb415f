"""Erasure: everything of one prompt is gone, with a receipt, and nothing of any other."""

from collections.abc import Callable
from typing import Any

import pytest
from asking import UPSTREAM, asked
from contents import found

from falgate.accounts.store.audit import AuditLog
from falgate.cache.fingerprint import prompt_digest
from falgate.core.errors import StoreUnavailable
from falgate.core.problems import Invalid
from falgate.fal.replies import FalAnswer
from falgate.jobs.job import Job
from falgate.jobs.request import Failure
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.requests import Requests
from falgate.jobs.verdicts import NewRequest
from falgate.redis import keyspace, picture_keys
from falgate.requests.erasure import PromptEraser
from falgate.requests.store.prompts import Prompts

CAT = 'a "cat" with ümlauts'
Names = Callable[..., set[str]]


@pytest.fixture
def eraser(world: Any) -> PromptEraser:
    return PromptEraser(
        world.catalogue,
        world.pools,
        world.deleter,
        Prompts(world.redis),
        AuditLog(world.redis),
        upstreams=(UPSTREAM,),
    )


async def test_pools_pictures_and_text_are_gone_wherever_they_are(
    world: Any, eraser: PromptEraser, names_of: Names
) -> None:
    arguments = {"prompt": CAT}
    master = await world.put("one", "f", prompt=CAT, arguments=arguments)
    await world.put("made", "g", prompt=CAT, master=master.name)
    await world.put("aside", "", prompt=CAT)
    purged = await world.put("purged", "h", prompt=CAT, arguments=arguments)
    await world.pools.empty("h")
    await world.catalogue.drop_pool("h")
    pinned = await world.put("pinned", "f", prompt=CAT)
    await world.catalogue.pin(pinned.name, pinned=True)
    other = await world.put("other", "o", prompt="a dog")

    receipt = await eraser.forget(CAT, "me")

    assert (receipt.pools, receipt.pictures, receipt.shared) == (2, 5, ())
    assert receipt.size_bytes == sum(map(len, ("one", "made", "aside", "purged", "pinned")))
    assert receipt.prompt_sha256 == prompt_digest(CAT)
    assert world.files() == names_of(other)
    assert (await world.pools.read("o")).pictures == (other,)
    # Quotation marks are spelt differently in JSON, and in what Python shows of it.
    assert await found(world.redis, "with ümlauts", purged.sha256, master.sha256) == []
    lines: Any = await world.redis.xrange(keyspace.AUDIT)
    assert [fields["subject"] for _, fields in lines] == [f"forget {prompt_digest(CAT)}"]


async def test_again_there_is_nothing_to_forget(world: Any, eraser: PromptEraser) -> None:
    await world.put("one", prompt=CAT)
    await eraser.forget(CAT, "me")

    again = await eraser.forget(CAT, "me")

    assert (again.pools, again.pictures, again.requests, again.refusals) == (0, 0, 0, 0)


async def test_what_another_prompt_has_too_stays_for_that_one(
    world: Any, eraser: PromptEraser, names_of: Names
) -> None:
    shared = await world.put("same", "f", prompt=CAT)
    await world.put("same", "g", prompt="a dog")

    receipt = await eraser.forget(CAT, "me")

    assert (receipt.pictures, receipt.shared) == (0, (shared.name,))
    assert world.files() == names_of(shared)
    assert [len(pool.pictures) for pool in await world.pools.read_all(("f", "g"))] == [0, 1]


async def test_where_the_store_fails_it_goes_on_later(
    world: Any, eraser: PromptEraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = await world.put("one", prompt=CAT)

    async def away(_: str) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(world.bank, "remove", away)
        with pytest.raises(StoreUnavailable):
            await eraser.forget(CAT, "me")
    assert (await world.pools.read("f")).pictures == ()
    # As after a minute, when whoever was removing it is taken for dead.
    await world.redis.hincrby(picture_keys.picture(picture.name), "marked_ms", -61_000)

    receipt = await eraser.forget(CAT, "me")

    assert (receipt.pictures, world.files()) == (1, set())


async def ended(requests: Requests, request_id: str, prompt: str, failure: Failure) -> None:
    wanted = asked(
        request_id,
        endpoint="fal-ai/gpt-image-1.5",
        arguments={"prompt": prompt},
        prompt_sha256=prompt_digest(prompt) if prompt else "",
    )
    await requests.put(NewRequest(asked=wanted), "failed", failure)


async def test_kept_requests_and_what_quotes_the_prompt_are_forgotten(
    world: Any, eraser: PromptEraser
) -> None:
    requests = Requests(world.redis, lease_ms=1_000, kept_s=600)
    plain = Failure(504, {"detail": "late"}, {})
    quoting = Failure(422, {"detail": [{"input": {"prompt": CAT}}]}, {})
    await ended(requests, "by-digest", CAT, plain)
    await ended(requests, "by-quotation", "", quoting)
    await ended(requests, "other", "a dog", plain)

    receipt = await eraser.forget(CAT, "me")

    assert receipt.requests == 2
    assert await requests.read("by-digest") is None
    assert await requests.read("by-quotation") is None
    assert await requests.read("other") is not None


async def test_what_fal_said_when_it_refused_is_forgotten(
    eraser: PromptEraser, bring: Any, order: Any, jobs: Any
) -> None:
    answer = FalAnswer(422, {"detail": [{"input": CAT}]}, {})
    for job_id, said in (("a", answer), ("b", FalAnswer(422, {"detail": "no"}, {}))):
        job = await bring(order(job_id, job_id), "accepted")
        await jobs.settle(job, Settlement(state="refused", charge=0, answer=said))

    receipt = await eraser.forget(CAT, "me")

    assert receipt.refusals == 1
    refused: Job = await jobs.read("a")
    assert refused.answer is not None
    assert CAT not in str(refused.answer.body)


async def test_purchases_under_way_are_told_and_bring_nothing_into_the_pool(
    world: Any, eraser: PromptEraser, bring: Any, order: Any
) -> None:
    await bring(order("a", "f", prompt_sha256=prompt_digest(CAT)), "accepted")
    await bring(order("b", "o"), "accepted")
    before = await world.put("one", "f", prompt=CAT)
    generation = (await world.pools.read("f")).generation

    receipt = await eraser.forget(CAT, "me")

    assert receipt.under_way == 1
    assert await world.pools.append("f", "a", generation, (before,)) is None


async def test_no_prompt_is_none(eraser: PromptEraser) -> None:
    with pytest.raises(Invalid):
        await eraser.forget("", "me")
