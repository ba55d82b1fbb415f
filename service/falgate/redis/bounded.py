"""A Redis client with one deadline per round trip and one error: `Unavailable`.

The deadline includes all of redis-py's retries. redis-py may have sent a command more than once by
then, so every script is idempotent.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import TimeoutError as TookTooLong

from falgate.redis.shared import SharedLine, Unanswered
from falgate.redis.unavailable import TRANSLATED

_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "EVALSHA": lambda reply: reply,
    "GET": lambda reply: reply,
    "HGET": lambda reply: reply,
    "HGETALL": lambda reply: dict(zip(reply[::2], reply[1::2], strict=True)),
    "HMGET": lambda reply: reply,
    "TIME": lambda reply: (int(reply[0]), int(reply[1])),
    "ZREM": lambda reply: reply,
}
"""What requests ask on the shared line, and what redis-py makes of the replies."""

# All of it can be repeated, see `shared`. A repeated ZREM may tell that nothing was there.
_TRIP_MS = 2_000
_LATE_MS = 2_000
"""How long a server may be silent because it waits for its disk or has a backlog."""
_CLOSE_S, _AGAIN_S = 1.0, 0.1


class Trips:
    """Round trips under way, each in a task of its own.

    A caller waits beside its round trip, and leaves it at the deadline. The trip then reads its
    late reply by itself, so its connection stays usable. If no reply comes for `late_ms` more, the
    trip is cancelled, repeatedly until the cancellation takes effect, and its connection is closed
    with it.
    """

    # Neither socket time-outs nor cancellation bound how long a caller waits: time-outs add up over
    # retries of commands and connections, and redis-py may lose a cancellation on its way through
    # `asyncio.wait_for`. Cancelling at the deadline would also close a connection for each caller
    # of a server that hangs. Sockets have no time-outs either, which would cost a task and a timer
    # for every command.

    def __init__(self, late_ms: int) -> None:
        """Cancel a trip if its reply is `late_ms` later than its deadline."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._late_s = late_ms / 1000

    async def within(self, trip: Coroutine[Any, Any, Any], trip_ms: int) -> Any:
        """Return a trip's result; raise redis-py's own `TimeoutError` if it takes too long."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(trip)
        self._tasks.add(task)
        # Like `asyncio.wait`, but cheaper for a single task.
        over: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(trip_ms / 1000, _end, over)
        task.add_done_callback(partial(self._ended, over))
        try:
            await over
        except asyncio.CancelledError:
            # A cancelled caller may next undo what this trip does, so let the trip end first.
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
        """Cancel all trips under way."""
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
            task.exception()  # Retrieve it: the caller may have left.


def _end(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_result(None)


class BoundedRedis(Redis):
    """A client whose commands have a deadline; subscriptions, on connections of their own, do not.

    Attributes:
        trip_ms: Deadline of a command, in milliseconds, including the wait for a connection.
    """

    trip_ms = _TRIP_MS

    def __init__(self, *, late_ms: int = _LATE_MS, **named: Any) -> None:
        """As redis-py's, without socket time-outs; see `Trips` for `late_ms`."""
        super().__init__(**named)
        self._trips = Trips(late_ms)
        self._line = SharedLine(self, late_ms / 1000)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command.

        Raises:
            Unavailable: Redis cannot be reached, or answers with an error.
            NoScriptError: The server does not know a script's text; `Script` sends it then.
        """
        with TRANSLATED:
            if read := _PLAIN.get(args[0]):
                with suppress(Unanswered):
                    (reply,) = await self._line.ask((args,), self.trip_ms / 1000)
                    return read(reply)
            command = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis-py's
            return await self._trips.within(command, self.trip_ms)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Create a pipeline; executing it is one round trip."""
        made = BoundedPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        made.trips, made.trip_ms, made.line = self._trips, self.trip_ms, self._line
        return made

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Cancel what is under way, then close."""
        await self._line.close()
        await self._trips.close()
        await super().aclose(close_connection_pool)


class BoundedPipeline(Pipeline):
    """A pipeline that is executed in one round trip."""

    trips: Trips
    trip_ms: int
    line: SharedLine
    _under_way = False

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Execute the commands; without `raise_on_error`, the server's error replies are returned.

        Raises:
            Unavailable: Redis cannot be reached, or answers with an error.
        """
        if plain := self._plain():
            with TRANSLATED, suppress(Unanswered):
                replies = await self.line.ask(plain, self.trip_ms / 1000)
                await self.reset()  # type: ignore[no-untyped-call]  # redis-py's
                return [_PLAIN[str(c[0])](reply) for c, reply in zip(plain, replies, strict=True)]
        self._under_way = True
        with TRANSLATED:
            found: list[Any] = await self.trips.within(
                super().execute(raise_on_error), self.trip_ms
            )
        self._under_way = False
        return found

    def _plain(self) -> list[tuple[Any, ...]]:
        """Return the commands, if the shared line takes all of them."""
        commands = [command for command, _ in self.command_stack]
        plain = not self.is_transaction and all(command[0] in _PLAIN for command in commands)
        return commands if plain else []

    async def __aexit__(self, *error: object) -> None:
        # A caller that leaves a trip under way leaves the connection to it: the trip resets it at
        # its end, after reading the late reply.
        if not self._under_way:
            await super().__aexit__(*error)  # type: ignore[no-untyped-call]  # redis-py's


def grant(pipeline: Pipeline, more_ms: int) -> None:
    """Extend the deadline of a pipeline whose commands themselves wait."""
    assert isinstance(pipeline, BoundedPipeline)
    pipeline.trip_ms += more_ms


async def attempt(redis: Redis, *command: str | int) -> Any:
    """Return the reply to a command that the server may refuse: a `ResponseError` if it does.

    Raises:
        Unavailable: Redis cannot be reached.
    """
    async with redis.pipeline(transaction=False) as pipeline:
        pipeline.execute_command(*command)
        (reply,) = await pipeline.execute(raise_on_error=False)
    return reply
