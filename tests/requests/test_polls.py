"""Polls: however many ask, a further one costs the same."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from falgate.jobs.notifier import Notifier
from falgate.jobs.places import PlaceKeeper
from falgate.jobs.progress import RequestProgress
from falgate.jobs.request import QueuedRequest, RequestSpec
from falgate.requests.owner import Owner
from falgate.requests.status import StatusService

pytestmark = pytest.mark.usefixtures("no_pauses")

OWNER = Owner("live", "t", "p")
ASKED = RequestSpec(
    id="r", upstream="fal", kind="live", team="t", app="p", key="k", endpoint="m",
    fingerprint="f", arguments={},
)  # fmt: skip
STANDING = RequestProgress(request=QueuedRequest(asked=ASKED, state="open", began_ms=1))


class Requests:
    """All of them are open, for ever."""

    async def look(self, _request_id: str, _upstream: str) -> RequestProgress:
        """The same each time."""
        return STANDING


async def took_s(polls: StatusService, names: range) -> float:
    """The CPU time that it takes to ask once about 50 of these requests, at its least.

    At its least, because now and then Python collects garbage meanwhile.
    """
    took = []
    for first in names[::50]:
        began_s = time.process_time()
        for name in range(first, first + 50):
            assert await polls.news(OWNER, f"r{name}") is STANDING
        took.append(time.process_time() - began_s)
    return min(took)


async def test_a_poll_costs_no_more_where_very_many_ask() -> None:
    fal = SimpleNamespace(name="fal")
    ports: Any = SimpleNamespace(requests=Requests(), upstreams={"live": fal}, places=None)
    polls = StatusService(ports, Notifier(), PlaceKeeper(ports.places, wait_s=0))
    few_s = await took_s(polls, range(500))
    await took_s(polls, range(500, 11_000))

    many_s = await took_s(polls, range(11_000, 11_500))

    assert many_s < 10 * few_s
