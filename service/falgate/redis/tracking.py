"""Reads that may be kept in memory, because Redis says when what was read changes."""

# Redis's client-side caching (CLIENT TRACKING in broadcasting mode): Redis sends the name of every
# key under some prefixes that anybody changes. Reads and these messages share one connection, so
# that a message about a change arrives after the reply of each read that did not see the change.
#
# What was read is current as long as the connection stands and answers: a heartbeat tells that
# everything that changed before it was sent has been heard of. Without an answer for `CURRENT_S`,
# nothing that was read before may be used, until the next answer; after a loss of the connection,
# all of it is forgotten. So a change is seen everywhere within `CURRENT_S`.

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from falgate.core.errors import Unavailable
from falgate.redis.clock import Clock
from falgate.redis.denials import words
from falgate.redis.line import Line, connect

CURRENT_S = 0.5
"""For how long after a heartbeat was sent what was read counts as current, in seconds."""

_BEAT_S, _LATE_S, _GONE_S, _PAUSE_S = 0.1, 0.01, 2.0, 0.5
_LOG = structlog.get_logger()

Changed = Callable[[Iterable[bytes] | None], None]
"""Called with the names of keys that have changed; None: any key may have."""


class Tracking:
    """One connection for reads and for news of changes.

    Attributes:
        current_until_s: Until when what was read is current, by the event loop's clock.
    """

    def __init__(
        self, redis: Redis, prefixes: Sequence[str], witness: tuple[str, str], clock: Clock
    ) -> None:
        """Follow changes.

        Args:
            redis: The client whose server is followed.
            prefixes: Of the names of the keys whose changes are told.
            witness: A key and its field. If it has another value, so that this is not the same data
                any more, anything may have changed.
            clock: Set by the heartbeats.
        """
        self.current_until_s = 0.0
        self._redis = redis
        self._prefixes = prefixes
        self._witness = witness
        self._witnessed: bytes | None = None
        self._clock = clock
        self._listeners: list[Changed] = []
        self._line: Line | None = None
        self._warned = False

    def listen(self, changed: Changed) -> None:
        """Call `changed` at every change from now on."""
        self._listeners.append(changed)

    @property
    def is_current(self) -> bool:
        """Whether what was read is current."""
        return asyncio.get_running_loop().time() < self.current_until_s

    async def ask(self, *command: str | bytes | int) -> Any:
        """Return the reply to a command that reads.

        Raises:
            Unavailable: Redis cannot be reached, does not answer within `CURRENT_S`, or refuses.
        """
        if self._line is None:
            raise Unavailable("Redis cannot be reached; try again")
        try:
            return await self._line.ask(*command)
        except ResponseError as error:
            raise Unavailable("Redis answered with an error; try again") from error

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        while True:
            try:
                await self._follow()
            except (OSError, RedisError, Unavailable, ValueError, TypeError) as error:
                self._warn(error)
            await asyncio.sleep(_PAUSE_S)

    async def _follow(self) -> None:
        line: Line | None = None
        try:
            async with asyncio.timeout(_GONE_S):
                line = await connect(self._redis, self._pushed)
                prefixes = [part for each in self._prefixes for part in ("PREFIX", each)]
                await line.ask("CLIENT", "TRACKING", "ON", "BCAST", *prefixes)
            self._line = line
            while not line.lost.done():
                await self._beat(line)
                self._warned = False
        finally:
            self._line = None
            self.current_until_s = 0.0
            self._tell(None)
            if line is not None:
                line.close()

    async def _beat(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        sent_s = loop.time()
        whose = line.ask("HGET", *self._witness)
        beat = line.ask("TIME")
        await asyncio.wait([beat], timeout=CURRENT_S)
        if not beat.done():
            # Perhaps this process was busy for so long, and the answer is there already. If not,
            # the server hangs, and whoever waits for it is let go with this heartbeat.
            await asyncio.sleep(_LATE_S)
            line.give_up()
        seconds, micros = await beat
        if (witnessed := await whose) != self._witnessed:
            self._witnessed = witnessed
            self._tell(None)
        self._clock.note(int(seconds) * 1000 + int(micros) // 1000)
        self.current_until_s = sent_s + CURRENT_S
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(line.lost), _BEAT_S)

    def _pushed(self, message: Sequence[Any]) -> None:
        if message[0] == b"invalidate":
            self._tell(message[1])

    def _tell(self, names: Iterable[bytes] | None) -> None:
        for each in self._listeners:
            each(names)

    def _warn(self, error: Exception) -> None:
        """Say once per outage that hits cost more; a denied right is named."""
        if not self._warned:
            self._warned = True
            _LOG.warning(
                "tracking.lost",
                problem=words(error),
                then="until it is back, cache hits are not answered from memory",
            )
