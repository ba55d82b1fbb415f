"""Recovery from torn writes: ledger operations that Redis has executed only in part.

A server may keep the beginning of a transaction in its file and run it at a later start; Redis 7.0
does, if it is killed while writing. So every script that writes entries first marks its operation
as begun, and removes the mark last (`_torn.lua`). In between, it writes entries before counters,
and one write commits the operation: the job's state, the job's corrected amount, the request's job,
or the new opening balances. If that write is there, all entries are there too and only later steps
may be missing: the operation is completed. If it is not, the entries are removed, and the
operation's owner repeats it. Either way, the counters are then set to what the ledger says.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from falgate.core.errors import Unavailable
from falgate.money.store.entries import Entries, Raw, behind
from falgate.redis import keyspace
from falgate.redis.clock import now_ms

What = Literal["settle", "correct", "recover", "archive"]

_ENDED = frozenset({"refused", "released", "unknown"})


def refuse_torn(reply: object) -> None:
    """Raise if a script reports that its operation was torn.

    Raises:
        Unavailable: It does.
    """
    if reply == "torn":
        raise Unavailable("The ledger has a partial write: run `falgate ledger recover`", 60)


class Torn:
    """Torn operations of one ledger. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, upstream: str) -> None:
        """Recover this upstream's ledger."""
        self._redis = redis
        self._upstream = upstream
        self._entries = Entries(redis)

    async def begun(self) -> dict[str, What]:
        """Return the operations that were begun and not completed, by job id or "archive"."""
        found: Any = await self._redis.hgetall(keyspace.torn(self._upstream))
        return cast("dict[str, What]", found)

    async def undo(self, who: str) -> None:
        """Undo uncommitted operations, complete committed ones, and write the audit log."""
        begun = await self.begun()
        written = await self._written(begun)
        for each, what in begun.items():
            async with self._redis.pipeline(transaction=True) as pipeline:
                match what:
                    case "settle":
                        done = await self._settled(pipeline, each, written[each])
                    case "correct":
                        done = await self._corrected(pipeline, each, written[each])
                    case "recover":
                        done = await self._recovered(pipeline, each, written[each])
                    case "archive":
                        done = await self._archived(pipeline)
                pipeline.hdel(keyspace.torn(self._upstream), each)
                pipeline.xadd(
                    keyspace.AUDIT,
                    {
                        "who": who,
                        "action": "mend",
                        "subject": f"{each}@{self._upstream}",
                        "before": f"torn {what}",
                        "after": "completed" if done else "undone",
                    },
                )
                await pipeline.execute()

    async def _written(self, begun: Mapping[str, What]) -> Mapping[str, Sequence[Raw]]:
        """Return each operation's entries; for a correction, with the resets that it lowered."""
        written: defaultdict[str, list[Raw]] = defaultdict(list)
        if not begun.keys() - {"archive"}:
            return written
        last = ""
        async for page in self._entries.pages(self._upstream):
            for entry, fields in page:
                if fields["kind"] in {"close", "correction"}:
                    last = fields["job"]
                elif not (fields["kind"] == "reset" and fields["who"] == "correction"):
                    last = ""
                if last in begun:
                    written[last].append((entry, fields))
        return written

    async def _settled(self, pipeline: Pipeline, job_id: str, written: Sequence[Raw]) -> bool:
        job: Any = await self._redis.hgetall(keyspace.job(job_id))
        if "settled_to" not in job:
            self._take_out(pipeline, written)
            return False
        if job["state"] in _ENDED:
            pipeline.hdel(keyspace.job(job_id), "input")
            pipeline.zrem(keyspace.open_jobs(self._upstream), job_id)
            pipeline.zadd(keyspace.ended_jobs(self._upstream), {job_id: await now_ms(self._redis)})
            flight = await self._redis.get(job["flight"])
            if flight == f"open:{job_id}":
                pipeline.delete(job["flight"])
        return True

    async def _corrected(self, pipeline: Pipeline, job_id: str, written: Sequence[Raw]) -> bool:
        """Recover a correction; of a job's corrections, only the last can be torn."""
        known = await self._redis.hget(keyspace.corrected(self._upstream), job_id)
        billed = overrun = 0
        for _, fields in written:
            billed += int(fields.get("billed", 0))
            overrun += int(fields.get("overrun", 0))
        if known == f"{billed}:{overrun}":
            return True
        last = max(
            (at for at, (_, fields) in enumerate(written) if fields["kind"] == "correction"),
            default=len(written),
        )
        self._take_out(pipeline, written[last:])
        return False

    async def _recovered(self, pipeline: Pipeline, job_id: str, written: Sequence[Raw]) -> bool:
        if not written:
            return False
        ((_, close), *_) = written
        known = await self._redis.hget(keyspace.submits(self._upstream), close["request_id"])
        if known == job_id:
            return True
        self._take_out(pipeline, written)
        return False

    async def _archived(self, pipeline: Pipeline) -> bool:
        until = await self._entries.archived_until(self._upstream)
        pipeline.delete(keyspace.next_opening(self._upstream))
        if until:
            first = behind(until)
            pipeline.xtrim(keyspace.ledger(self._upstream), minid=first, approximate=False)
        return bool(until)

    def _take_out(self, pipeline: Pipeline, written: Sequence[Raw]) -> None:
        if written:
            pipeline.xdel(keyspace.ledger(self._upstream), *(entry for entry, _ in written))
