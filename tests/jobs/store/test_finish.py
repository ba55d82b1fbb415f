"""The end of a paid job: its pictures are ours, and what was asked is forgotten."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from falgate.cache.pool import PoolVersion
from falgate.core.picture import Picture
from falgate.jobs.job import Fenced, Job, Order
from falgate.jobs.store.jobs import Jobs
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
Orders = Callable[..., Order]
Brings = Callable[..., Awaitable[Job]]
Everything = Callable[[], Awaitable[dict[str, Any]]]
PICTURE = Picture(
    sha256="5" * 64, content_type="image/png", size_bytes=9, width=1, height=1, made_s=7
)


@pytest.mark.parametrize("published", [PoolVersion(7, 1), None])
async def test_a_finished_job_has_its_pictures_and_forgets_what_was_asked(
    published: PoolVersion | None, jobs: Jobs, order: Orders, bring: Brings, everything: Everything
) -> None:
    job = await bring(order(), "paid")

    await jobs.finish(job, (PICTURE,), published)

    read = await jobs.read("a")
    assert read is not None
    assert (read.state, read.pictures, read.output) == ("finished", (PICTURE,), None)
    left = await everything()
    assert left.get(keyspace.flight("f")) == ("done:a:7:1" if published else None)
    assert left.get(keyspace.MARKERS) == (["f"] if published else None)
    assert keyspace.open_jobs(UPSTREAM) not in left
    assert left[keyspace.ended_jobs(UPSTREAM)] == ["a"]
    assert "secret wish" not in str(left)


async def test_only_a_paid_job_is_finished(
    jobs: Jobs, order: Orders, bring: Brings, everything: Everything
) -> None:
    job = await bring(order(), "accepted")
    before = await everything()

    with pytest.raises(Fenced):
        await jobs.finish(job, (), PoolVersion(7, 1))
    assert await everything() == before
