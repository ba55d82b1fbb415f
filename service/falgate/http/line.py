"""Watches whether a caller disconnects while its answer is being made."""

import asyncio

from litestar.types import Receive

from falgate.jobs.admission import AdmittedRequest
from falgate.jobs.answer import Answer
from falgate.requests.runtime import Runtime


async def answered(runtime: Runtime, call: AdmittedRequest, receive: Receive) -> Answer:
    """Answer a call. If the caller disconnects, the pictures assigned to its request are freed.

    The purchase itself goes on: the next request for the same pictures gets it, most likely a retry
    by this caller.

    Raises:
        Refusal: As `Answers.answer`.
    """
    if not call.treatment.distinct:
        return await runtime.answers.answer(call)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        await runtime.together.left(call)

    watching = asyncio.create_task(watch(), name=f"line {call.request_id}")
    try:
        return await runtime.answers.answer(call)
    finally:
        watching.cancel()
        await asyncio.wait({watching})
