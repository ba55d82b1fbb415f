"""Callers on the line: whether one is still there while its answer is made."""

import asyncio

from litestar.types import Receive

from falgate.jobs.admission import AdmittedRequest
from falgate.jobs.answer import Answer
from falgate.requests.runtime import Runtime


async def answered(runtime: Runtime, call: AdmittedRequest, receive: Receive) -> Answer:
    """Answer a call; a caller that leaves frees its places, where it has any of its own.

    What was begun for it goes on: its purchase is had by whoever asks next, most likely this very
    caller, who sends again what it had no reply to.

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
