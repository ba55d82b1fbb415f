"""The synchronous route: one call that is answered when the pictures are ready."""

import asyncio
import math
import time
from typing import Any

from litestar import Request
from litestar.types import ASGIApp

from falgate.fal.paths import Route
from falgate.sandbox import outcome, refusals
from falgate.sandbox.faults import hang
from falgate.sandbox.record import life, new_id
from falgate.sandbox.state import SandboxState


async def serve(state: SandboxState, request: Request[Any, Any, Any], route: Route) -> ASGIApp:
    """Run a model. A client that disconnects changes nothing; the request is still billed.

    The response is that of the submit and the result in one, so faults of either apply.
    """
    if request.method != "POST":
        return refusals.platform(405, new_id(time.time()))
    record = await state.accept(request, route)
    ends_s = life(record).ends_s
    if math.isinf(ends_s):
        return hang
    # Invalid input is refused at once: unlike the queue, this route has no accepted state.
    rejected = record.issues is not None
    await asyncio.sleep(0 if rejected else record.behaviour.submit_s + max(0, ends_s - time.time()))
    base_url = state.base_url(request)
    spec = state.models[record.endpoint]
    answer = await asyncio.to_thread(outcome.result, record, spec, base_url)
    return state.spoil(
        answer, record, "accepted" if record.behaviour.at == "accepted" else "result", base_url
    )
