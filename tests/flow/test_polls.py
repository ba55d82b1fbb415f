"""Polls: however many ask, a further one costs the same."""

import time
from types import SimpleNamespace
from typing import Any

from falgate.core.owner import Owner
from falgate.core.progress import Standing
from falgate.core.queued import Asked, QueuedRequest
from falgate.flow.polls import Polls
from falgate.flow.together import Together
from falgate.flow.wakes import Wakes

OWNER = Owner("live", "t", "p")
ASKED = Asked(
    id="r", upstream="fal", kind="live", team="t", app="p", key="k", endpoint="m",
    fingerprint="f", arguments={},
)  # fmt: skip
STANDING = Standing(request=QueuedRequest(asked=ASKED, state="open", began_ms=1))


class Requests:
    """All of them are open, for ever."""

    async def look(self, _request_id: str, _upstream: str) -> Standing:
        """The same each time."""
        return STANDING


async def took_s(polls: Polls, names: range) -> float:
    """The CPU time that it takes to ask once about each of these requests."""
    began_s = time.process_time()
    for name in names:
        assert await polls.news(OWNER, f"r{name}") is STANDING
    return time.process_time() - began_s


async def test_a_poll_costs_no_more_where_very_many_ask() -> None:
    fal = SimpleNamespace(name="fal")
    ports: Any = SimpleNamespace(requests=Requests(), sellers={"live": fal}, places=None)
    polls = Polls(ports, Wakes(), Together(ports.places, wait_s=0))
    few_s = await took_s(polls, range(500))
    await took_s(polls, range(500, 11_000))

    many_s = await took_s(polls, range(11_000, 11_500))

    assert many_s < 10 * few_s
