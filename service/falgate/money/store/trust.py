"""Trust: whether the data that Redis shows is the ledger's own history, looked at all the time.

Known are the ledger's id and the history that was trusted last: the server's process and its
replication id. In any other history nothing is bought until it was looked at. A server that merely
began anew has its append-only file written anew and its ledger verified; where a counter differs,
or where what was acknowledged may be gone, buying is frozen for an operator to mend
(`falgate ledger recover`).
"""

import asyncio
import time

import structlog
from redis.asyncio import Redis

from falgate.core.errors import Unavailable
from falgate.core.problems import Problem
from falgate.money.frozen import COUNTERS, LOST
from falgate.money.store.entries import entry_id
from falgate.money.store.ledger import Ledger, LedgerStanding, check_own
from falgate.money.store.verify import verify
from falgate.redis.client import address
from falgate.redis.clock import Clock
from falgate.redis.rewriting import may_tear, rewrite

_EVERY_S = 1.0
_PATIENCE_S, _GLANCE_S = 2, 1
_WATCHED_S = 30.0

_LOG = structlog.get_logger()


class Trust:
    """One instance's look at the server of its ledger."""

    def __init__(self, redis: Redis, ledger_id: str, *, weak: bool, clock: Clock) -> None:
        """Watch the ledger `ledger_id`.

        Args:
            redis: Where it is.
            ledger_id: From `Ledger.birth`.
            weak: Whether a restart of that server may lose what it acknowledged.
            clock: Set at every look.
        """
        self._redis = redis
        self._ledger = Ledger(redis)
        self._ledger_id = ledger_id
        self._weak = weak
        self._clock = clock
        self._wanted, self._there = asyncio.Event(), asyncio.Event()
        self._seen, self._seen_s = "", 0.0
        self._written: dict[str, tuple[int, int]] = {}
        self._warned = False
        self._why, self._told = "", ""

    async def watch(self) -> None:
        """Look every second, and at once when somebody wants to buy; until cancelled."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                self._why = str(error)
                self._there.clear()
            if self._why != self._told:
                self._told = self._why
                if self._why:
                    _LOG.warning("ledger.untrusted", why=self._why, redis=address(self._redis))
            try:
                async with asyncio.timeout(_EVERY_S):
                    await self._wanted.wait()
            except TimeoutError:
                continue
            self._wanted.clear()

    async def regain(self, patience_s: int = _PATIENCE_S) -> None:
        """Wait for a moment until the history of now is trusted.

        Raises:
            Unavailable: It takes longer; why.
        """
        self._there.clear()
        self._wanted.set()
        try:
            async with asyncio.timeout(patience_s):
                await self._there.wait()
        except TimeoutError:
            raise Unavailable(
                self._why or "Redis began anew, and its ledger is verified first; ask again", 5
            ) from None

    def wrote(self, upstream: str, entry: str) -> None:
        """An entry was written: a server that does not have it at the next look has lost it."""
        self._written[upstream] = max(self._written.get(upstream, (0, 0)), entry_id(entry))

    async def sound(self) -> None:
        """Nothing, where purchases can be held now.

        Raises:
            Unavailable: Why they cannot.
        """
        now = await self._ledger.standing()
        self._own(now)
        if now.history != now.trusted:
            await self.regain(_GLANCE_S)
            now = await self._ledger.standing()
        if now.frozen:
            raise now.frozen.refusal()

    async def look(self) -> None:
        """Look once, and do what a history that is not trusted needs.

        Raises:
            Unavailable: It cannot be trusted now.
        """
        began_s = time.monotonic()
        now = await self._ledger.standing()
        self._clock.note(now.at_ms)
        self._own(now)
        if not self._warned and may_tear(now.version):
            self._warned = True
            _LOG.warning(
                "redis.tears_its_file",
                version=now.version,
                why="killed while it writes, it may keep half a transaction for its second start: "
                "let falgate see each of its starts, or use a later version",
            )
        if now.history != now.trusted:
            await self._establish(now)
            now = await self._ledger.standing()
            if now.history != now.trusted:
                # Another instance was faster, or there is a next history: look again at once.
                self._wanted.set()
                return
        self._seen, self._seen_s = now.history, began_s
        self._written = await self._ledger.written()
        self._why = str(now.frozen.refusal()) if now.frozen else ""
        self._there.set()

    def _own(self, now: LedgerStanding) -> None:
        check_own(now.ledger_id, self._ledger_id)
        if not now.is_primary:
            raise Unavailable(
                "Redis is a replica now: FALGATE_REDIS_URL has to lead to its primary"
            )

    async def _establish(self, now: LedgerStanding) -> None:
        if self._renamed(now) and not await self._is_behind():
            # The first replica came, or the last one has been gone for an hour: the server took
            # another replication id for the writes that it had, with nothing in between.
            await self._ledger.trust(now.history, now.trusted)
            return
        run_id, _, _ = now.trusted.partition(" ")
        restarted = run_id != now.run_id
        if restarted:
            await rewrite(self._redis, now.version)
        why = set()
        if now.trusted and (now.promoted or not restarted or self._weak or await self._is_behind()):
            why.add(LOST)
        entries, differences = await self._verified()
        if differences:
            why.add(COUNTERS)
        frozen = " ".join(sorted(why))
        if not await self._ledger.trust(now.history, now.trusted, why=frozen):
            return
        say = _LOG.error if why else _LOG.debug
        say("ledger.looked_at", frozen=frozen, entries=entries, differences=differences)

    def _renamed(self, now: LedgerStanding) -> bool:
        """Whether a primary changed its replication id by itself, under this instance's eyes."""
        watched = time.monotonic() - self._seen_s < _WATCHED_S
        same = self._seen == now.trusted and now.trusted.partition(" ")[0] == now.run_id
        return watched and same and not now.promoted

    async def _is_behind(self) -> bool:
        """Whether entries are gone that this instance has seen: a backup, or a copy that lagged."""
        seen = dict(self._written)  # this instance goes on to write while it asks
        written = await self._ledger.written()
        return any(written.get(name, (0, 0)) < last for name, last in seen.items())

    async def _verified(self) -> tuple[int, int]:
        """How many entries all books have, and how many counters differ from them."""
        entries = differences = 0
        for upstream in await self._ledger.books():
            try:
                found = await verify(self._redis, upstream)
            except Problem as problem:
                _LOG.error("ledger.unreadable", upstream=upstream, why=str(problem))
                differences += 1
                continue
            entries += found.entries
            differences += sum(each.mendable for each in found.differences)
        return entries, differences


async def unwatched() -> None:
    """In the place of `Trust.regain` where nobody looks: a command, which buys nothing."""
    raise Unavailable("A command does not buy; start a gateway")
