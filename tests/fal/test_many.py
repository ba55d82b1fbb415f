"""Many jobs followed at once: few connections, few tasks, and none waits for another's stream."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from patience import PATIENCE_S

from falgate.fal.client import FalQueue
from falgate.fal.replies import Accepted, Delivered
from falgate.models.endpoints import MODELS

SPEC = MODELS["fal-ai/gpt-image-1.5"]
BODY = SPEC.purchase(SPEC.input(prompt="a fox", quality="low"), 1)


async def test_a_job_that_finds_no_stream_free_is_followed_by_looks(
    fal: Any, queue: Callable[..., FalQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.fal.client._STREAMS_MAX", 1)
    client = queue()
    fal.turn(outcome="never_ends", times=1)
    endless = await client.submit(SPEC.endpoint, BODY, "job")
    assert isinstance(endless, Accepted)
    following = asyncio.create_task(client.collect(SPEC, endless.request_id))
    async with asyncio.timeout(PATIENCE_S):
        while "status/stream" not in fal.books()["visits"]:  # noqa: ASYNC110 - another thread's
            await asyncio.sleep(0.01)
    fal.turn(work_s=0.2)
    submission = await client.submit(SPEC.endpoint, BODY, "job")
    assert isinstance(submission, Accepted)
    async with asyncio.timeout(PATIENCE_S):
        assert isinstance(await client.collect(SPEC, submission.request_id), Delivered)
    assert fal.books()["visits"]["status/stream"] == 1
    following.cancel()


async def test_many_jobs_are_followed_at_once_over_few_connections(
    fal: Any, queue: Callable[..., FalQueue], connections: Callable[[], int]
) -> None:
    fal.turn(queue_s=0.2, work_s=1)
    client = queue()
    submissions = await asyncio.gather(
        *(client.submit(SPEC.endpoint, BODY, "job") for _ in range(300))
    )
    ids = [taken.request_id for taken in submissions if isinstance(taken, Accepted)]
    assert len(set(ids)) == 300
    before, tasks = connections(), len(asyncio.all_tasks())
    following = [asyncio.create_task(client.collect(SPEC, request_id)) for request_id in ids]
    most = 0
    while not all(task.done() for task in following):
        most = max(most, connections() - before)
        assert len(asyncio.all_tasks()) - tasks <= 2 * 300
        await asyncio.sleep(0.02)
    assert all(isinstance(task.result(), Delivered) for task in following)
    # 64, and those of status streams that have ended and are being closed.
    assert 1 <= most <= 64 + 32
    assert len(asyncio.all_tasks()) <= tasks
