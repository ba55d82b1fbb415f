"""The moves of a job: what the scripts do is what the table says, and so is the diagram."""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from script_arguments import ACCOUNTS, UPSTREAM, USUAL

from falgate.core.calendar import Calendar
from falgate.jobs.job import ENDS, MOVES, Job, Order, State
from falgate.redis import keyspace
from falgate.redis.script import Script

PARAMETER = re.compile(r"^local (\w+) = (?:\w+\()?(?:KEYS|ARGV)\[", re.MULTILINE)
DOCUMENT = Path(__file__).parents[3] / "docs" / "architecture.md"
STEPS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in ("jobs_mark", "jobs_accept", "jobs_renew", "jobs_adopt")),
    *((name, {}) for name in ("jobs_doubt", "jobs_finish", "turns_ask")),
    *(("jobs_settle", {"from": state, "to": to}) for state in MOVES for to in MOVES[state]),
]
"""Every script that is about a job, with whatever its caller may ask of it."""
ON_ACCOUNTS = {"jobs_mark", "jobs_accept", "jobs_settle"}


def diagram() -> str:
    """The table as a diagram that GitHub and others draw."""
    lines = ["stateDiagram-v2", "    [*] --> reserved"]
    lines += [f"    {state} --> {to}" for state in MOVES for to in sorted(MOVES[state])]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in sorted(ENDS))])


def test_the_diagram_in_the_document_is_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```\n" in DOCUMENT.read_text()


@pytest.mark.parametrize("state", MOVES)
async def test_scripts_move_a_job_as_the_table_says(  # noqa: PLR0917 - all fixtures
    state: State,
    redis: Redis,
    ledger_id: str,
    calendar: Calendar,
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
) -> None:
    usual = USUAL | {"ledger_id": ledger_id, "calendar": calendar.name}
    await bring(order(), "reserved")
    key = keyspace.job("a")
    await redis.hset(key, "state", state)
    snapshot = await redis.dump(key)
    assert snapshot
    reached: set[str] = set()
    for name, changes in STEPS:
        await redis.restore(key, 0, snapshot, replace=True)
        await redis.zadd(keyspace.slots(UPSTREAM), {"a:t": 1})
        script, known = Script(name), usual | changes
        named = {each: known[each] for each in dict.fromkeys(PARAMETER.findall(script.text))}
        with suppress(ResponseError):
            await script(redis, more_keys=ACCOUNTS if name in ON_ACCOUNTS else [], **named)
        reached.add(str(await redis.hget(key, "state")))

    assert reached - {state} == MOVES[state]
