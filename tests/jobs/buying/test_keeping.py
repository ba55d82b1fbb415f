"""Who keeps a job's lease must let go of it, even when a cancellation gets lost on the way."""

import asyncio
from typing import Any

from falgate.fal.replies import Lost


class Deaf(asyncio.Event):
    """Loses a cancellation, as `asyncio.wait_for` does when what it waits for ends meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = False

    async def wait(self) -> bool:  # type: ignore[override]  # a Literal there
        """Wait, or be cancelled and go on."""
        self.asked = True
        try:
            return await super().wait()
        except asyncio.CancelledError:
            return True


async def test_a_renewal_that_loses_its_cancellation_is_the_last_one(world: Any) -> None:
    world.processes[0] = world.open(lease_s=0.03)
    world.steps.gates["renew"] = deaf = Deaf()
    world.steps.gates["submit"] = gate = asyncio.Event()
    world.shop.submissions.append(Lost("no answer"))
    caller = asyncio.create_task(world.outcome())
    await world.until(lambda: deaf.asked)

    gate.set()
    assert await caller == "504 TimedOut"
    await world.at_rest()
    deaf.set()
    [job_id] = world.jobs.jobs
    due_ms = world.jobs.leases_ms[job_id]
    world.steps.now_ms += 1_000
    await asyncio.sleep(0.05)

    assert world.jobs.leases_ms[job_id] == due_ms
    await world.reap(31)
