"""The line that the scripts and plain reads of a client share, with a deadline for each caller."""

# A script that was sent may have run although its reply is lost with the line. All scripts are
# idempotent for that reason: the caller then sends it again by redis-py, which also words errors.

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as TookTooLong

from falgate.core.errors import Unavailable
from falgate.redis.line import Line, connect

_AGAIN_S = 0.5
_CONNECT_S = 2.0


class Unanswered(Exception):
    """The line has no answer that can be used: it is not there, was lost, or had an error."""


class SharedLine:
    """A line that is there while the server is; made at the first use, and again after a loss."""

    def __init__(self, redis: Redis, late_s: float) -> None:
        """Connect as the client does; give a line up if a reply is `late_s` late."""
        self._redis = redis
        self._late_s = late_s
        self._line: Line | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._again_s = 0.0
        self._over = False

    async def ask(self, commands: Sequence[tuple[Any, ...]], trip_s: float) -> list[Any]:
        """Return the replies to commands that are sent together.

        Raises:
            Unanswered: Ask by another way.
            TimeoutError: redis-py's own; there was no reply within `trip_s`.
        """
        line = self._there()
        if line is None:
            raise Unanswered
        replies = [line.ask(*command) for command in commands]
        last = replies[-1]
        timer = asyncio.get_running_loop().call_later(trip_s, self._expire, line, last, trip_s)
        try:
            await asyncio.shield(last)
            return [reply.result() for reply in replies]
        except asyncio.CancelledError:
            # A cancelled caller may next undo what a script does, so let it end first.
            await asyncio.wait(replies)
            raise
        except (ResponseError, Unavailable) as error:
            raise Unanswered from error
        finally:
            if last.done():
                timer.cancel()
            for reply in replies:
                reply.add_done_callback(_retrieved)

    async def close(self) -> None:
        """End the line, and make no other."""
        self._over = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        line, self._line = self._line, None
        if line is not None:
            with suppress(RuntimeError):  # its loop is closed already
                line.close()

    def _there(self) -> Line | None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # a client may serve one loop after another
            self._loop, self._line, self._connecting, self._again_s = loop, None, None, 0.0
        if self._line is not None and not self._line.lost.done():
            return self._line
        if self._connecting is None and not self._over and loop.time() >= self._again_s:
            self._connecting = loop.create_task(self._connect(), name="redis line")
        return None

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(_CONNECT_S):
                self._line = await connect(self._redis)
        except (OSError, RedisError, Unavailable):
            # redis-py meets the same, and says what it is.
            self._again_s = asyncio.get_running_loop().time() + _AGAIN_S
        finally:
            self._connecting = None

    def _expire(self, line: Line, reply: "asyncio.Future[Any]", trip_s: float) -> None:
        """Let a caller go whose reply is late, and give the line up if it stays silent."""
        if reply.done():
            return
        reply.set_exception(TookTooLong(f"no answer within {trip_s:g} s"))
        heard = line.heard
        asyncio.get_running_loop().call_later(self._late_s, self._give_up, line, heard)

    def _give_up(self, line: Line, heard: int) -> None:
        if line.heard == heard:
            line.close()


def _retrieved(reply: "asyncio.Future[Any]") -> None:
    """Retrieve an error that nobody asks for any more."""
    if not reply.cancelled():
        reply.exception()
