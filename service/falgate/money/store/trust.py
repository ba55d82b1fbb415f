"""Trust in Redis: continuous checks that its data is the unbroken history of our ledger.

The ledger stores its id and the last trusted history: the server's process id and its replication
id. In any other history, nothing is bought until that history was checked. After a mere restart,
the append-only file is rewritten and the ledger verified. If a counter differs, or if writes that
Redis acknowledged may be lost, purchases are stopped until an operator runs `falgate ledger
recover`.
"""

# Every hold compares the server's history with the trusted one in the same script. So a restarted
# server or a promoted replica is noticed before anything is bought there, without a watcher that
# could be late. The replication id is part of the history because one process may follow another
# server and be promoted again. A primary also changes it by itself, when its first replica comes or
# its last one is long gone. That change is accepted without a check only if this instance saw the
# trusted history within the last `_WATCHED_S` seconds, too recently for anything else to happen.

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
    """One instance's checks of the server that holds its ledger."""

    def __init__(self, redis: Redis, ledger_id: str, *, weak: bool, clock: Clock) -> None:
        """Watch the ledger `ledger_id`.

        Args:
            redis: The client.
            ledger_id: From `Ledger.birth`.
            weak: Whether a restart of the server may lose acknowledged writes.
            clock: Set to Redis's time at every check.
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
        """Check every second, and at once when a purchase needs it, until cancelled."""
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
        """Wait up to `patience_s` seconds until the current history is trusted.

        Raises:
            Unavailable: It is not trusted yet; the message says why.
        """
        self._there.clear()
        self._wanted.set()
        try:
            async with asyncio.timeout(patience_s):
                await self._there.wait()
        except TimeoutError:
            raise Unavailable(
                self._why or "Redis was restarted, and its ledger is being verified; try again", 5
            ) from None

    def wrote(self, upstream: str, entry: str) -> None:
        """Note an entry that was written; if it is missing at the next check, data was lost."""
        self._written[upstream] = max(self._written.get(upstream, (0, 0)), entry_id(entry))

    async def sound(self) -> None:
        """Check that purchases can be held now.

        Raises:
            Unavailable: They cannot; the message says why.
        """
        now = await self._ledger.standing()
        self._own(now)
        if now.history != now.trusted:
            await self.regain(_GLANCE_S)
            now = await self._ledger.standing()
        if now.frozen:
            raise now.frozen.refusal()

    async def look(self) -> None:
        """Check the server once, and establish trust in a new history.

        Raises:
            Unavailable: The history cannot be trusted now.
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
                why="if this version is killed while writing, its second start may run half a "
                "transaction: let falgate connect after each start, or upgrade Redis",
            )
        if now.history != now.trusted:
            await self._establish(now)
            now = await self._ledger.standing()
            if now.history != now.trusted:
                # Another instance was faster, or the history changed again: check again at once.
                self._wanted.set()
                return
        self._seen, self._seen_s = now.history, began_s
        self._written = await self._ledger.written()
        self._why = str(now.frozen.refusal()) if now.frozen else ""
        self._there.set()

    def _own(self, now: LedgerStanding) -> None:
        check_own(now.ledger_id, self._ledger_id)
        if not now.is_primary:
            raise Unavailable("Redis is a replica now: FALGATE_REDIS_URL must point to its primary")

    async def _establish(self, now: LedgerStanding) -> None:
        if self._renamed(now) and not await self._is_behind():
            # The first replica came, or the last one has been gone for an hour: the server gave
            # the same data another replication id, and nothing was lost.
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
        """Return whether a watched primary changed its replication id by itself."""
        watched = time.monotonic() - self._seen_s < _WATCHED_S
        same = self._seen == now.trusted and now.trusted.partition(" ")[0] == now.run_id
        return watched and same and not now.promoted

    async def _is_behind(self) -> bool:
        """Return whether entries are gone that this instance saw, as after restoring a backup."""
        seen = dict(self._written)  # a copy, because this instance writes in the meantime
        written = await self._ledger.written()
        return any(written.get(name, (0, 0)) < last for name, last in seen.items())

    async def _verified(self) -> tuple[int, int]:
        """Return the number of entries in all ledgers, and of counters that differ from them."""
        entries = differences = 0
        for upstream in await self._ledger.upstreams():
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
    """Replace `Trust.regain` in commands, which buy nothing and therefore do not watch."""
    raise Unavailable("Commands cannot buy; start a gateway")
