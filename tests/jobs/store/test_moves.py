"""The moves of a job: what the scripts do is what the table says, and so is the diagram."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from script_arguments import UPSTREAM

from falgate.jobs.job import ENDS, MOVES, Job, Order, State
from falgate.redis import keyspace

DOCUMENT = Path(__file__).parents[3] / "docs" / "architecture.md"
STEPS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in ("jobs_mark", "jobs_accept", "jobs_renew", "jobs_adopt")),
    *((name, {}) for name in ("jobs_uncertain", "jobs_finish", "turns_ask")),
    *(("jobs_settle", {"from": state, "to": to}) for state in MOVES for to in MOVES[state]),
]
"""Every script that is about a job, with whatever its caller may ask of it."""


def diagram() -> str:
    """The table as a diagram that GitHub and others draw."""
    lines = ["stateDiagram-v2", "    [*] --> reserved"]
    lines += [f"    {state} --> {to}" for state in MOVES for to in sorted(MOVES[state])]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in sorted(ENDS))])


def test_the_diagram_in_the_document_is_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```\n" in DOCUMENT.read_text()


@pytest.mark.parametrize("state", MOVES)
async def test_scripts_move_a_job_as_the_table_says(
    state: State,
    redis: Redis,
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    call: Callable[..., Awaitable[Any]],
) -> None:
    await bring(order(), "reserved")
    key = keyspace.job("a")
    await redis.hset(key, "state", state)
    snapshot = await redis.dump(key)
    assert snapshot
    reached: set[str] = set()
    for name, changes in STEPS:
        await redis.restore(key, 0, snapshot, replace=True)
        await redis.zadd(keyspace.slots(UPSTREAM), {"a:t": 1})
        await call(name, **changes)
        reached.add(str(await redis.hget(key, "state")))

    assert reached - {state} == MOVES[state]
