"""A client of Redis whose every trip has one deadline, with all that redis-py tries within it."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import TimeoutError as TookTooLong

_TRIP_MS = 2_000
_LATE_MS = 2_000
"""A server may be silent for so long because it waits for its disk, or is behind."""
_CLOSE_S, _AGAIN_S = 1.0, 0.1


class Trips:
    """What is under way, each in a task of its own.

    Time-outs of sockets add up over retries of commands and of connections, and redis-py may lose a
    cancellation on its way through `asyncio.wait_for`: neither bounds how long somebody waits. So
    whoever asks waits beside the trip, and leaves it at the deadline. A late reply is read by the
    trip that asked for it, with its connection in order; one that has none after a while longer is
    cancelled, again and again until that is not lost, and its connection is closed with it.

    So sockets need no time-outs, which would cost a task and a timer for every command.
    """

    def __init__(self, late_ms: int) -> None:
        """Give a trip that was left so long for its late reply."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._late_s = late_ms / 1000

    async def within(self, trip: Coroutine[Any, Any, Any], trip_ms: int) -> Any:
        """What a trip brings; raises redis-py's own `TimeoutError` when it takes too long."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(trip)
        self._tasks.add(task)
        # What `asyncio.wait` does for any number, done for one: each hit takes two trips.
        over: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(trip_ms / 1000, _end, over)
        task.add_done_callback(partial(self._ended, over))
        try:
            await over
        except asyncio.CancelledError:
            # Whoever is cancelled may undo next what is on its way here: that has to come first.
            self._cancel(task)
            await asyncio.wait([task], timeout=trip_ms / 1000)
            raise
        finally:
            timer.cancel()
        if not task.done():
            loop.call_later(self._late_s, self._cancel, task)
            raise TookTooLong(f"no answer within {trip_ms / 1000:g} s")
        return task.result()

    async def close(self) -> None:
        """Give up what is under way."""
        for _ in range(round(_CLOSE_S / _AGAIN_S)):
            if not self._tasks:
                return
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=_AGAIN_S)

    def _cancel(self, task: "asyncio.Task[Any]") -> None:
        if not task.done():
            task.cancel()
            asyncio.get_running_loop().call_later(_AGAIN_S, self._cancel, task)

    def _ended(self, over: "asyncio.Future[None]", task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        _end(over)
        if not task.cancelled():
            task.exception()  # Looked at: nobody else may, who left before.


def _end(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_result(None)


class BoundedRedis(Redis):
    """Subscriptions have connections of their own, and may be silent for as long as they like.

    Attributes:
        trip_ms: How long a command may take, from asking for a connection to the reply.
    """

    trip_ms = _TRIP_MS

    def __init__(self, *, late_ms: int = _LATE_MS, **named: Any) -> None:
        """As redis-py's, without a time-out of sockets; a late reply is waited for so long."""
        super().__init__(**named)
        self._trips = Trips(late_ms)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run one command."""
        command = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis-py's
        return await self._trips.within(command, self.trip_ms)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Collect commands; running them is one trip."""
        made = BoundedPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        made.trips, made.trip_ms = self._trips, self.trip_ms
        return made

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Give up what is under way, then close."""
        await self._trips.close()
        await super().aclose(close_connection_pool)


class BoundedPipeline(Pipeline):
    """Commands that are run together."""

    trips: Trips
    trip_ms: int
    _under_way = False

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Run them."""
        self._under_way = True
        found: list[Any] = await self.trips.within(super().execute(raise_on_error), self.trip_ms)
        self._under_way = False
        return found

    async def __aexit__(self, *error: object) -> None:
        # Whoever leaves a trip that is under way leaves its connection to it: it is reset at its
        # end, once the late reply was read.
        if not self._under_way:
            await super().__aexit__(*error)  # type: ignore[no-untyped-call]  # redis-py's


def grant(pipeline: Pipeline, more_ms: int) -> None:
    """Let a pipeline take longer, whose commands wait for something themselves."""
    assert isinstance(pipeline, BoundedPipeline)
    pipeline.trip_ms += more_ms
