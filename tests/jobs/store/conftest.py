"""Scripts about a job, called as they are: with every argument that they take."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from script_arguments import ACCOUNTS, PACES, USUAL

from falgate.core.calendar import Calendar
from falgate.redis.script import Script

PARAMETER = re.compile(r"^local (\w+) = (?:\w+\()?(?:KEYS|ARGV)\[", re.MULTILINE)
HELD_ON = {"jobs_hold", "jobs_mark", "jobs_accept", "jobs_settle"}


@pytest.fixture
def call(redis: Redis, ledger_id: str, calendar: Calendar) -> Callable[..., Awaitable[Any]]:
    """Runs a script about job a and flight f, with some of its arguments changed."""
    usual = USUAL | {"ledger_id": ledger_id, "calendar": calendar.name}

    async def call(name: str, **changes: str | int) -> Any:
        script = Script(name)
        known = usual | changes
        named = {key: known[key] for key in dict.fromkeys(PARAMETER.findall(script.text))}
        more = ACCOUNTS if name in HELD_ON else []
        more = [*more, *PACES] if name == "jobs_hold" else more
        return await script(redis, more_keys=more, **named)

    return call
