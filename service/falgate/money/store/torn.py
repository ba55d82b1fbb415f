"""What was torn: entries of the ledger whose script has run in part, undone or brought to its end.

A server may keep the beginning of a transaction in its file and run it at a later start (Redis 7.0
does, killed while it writes). So whatever writes entries says so first and takes that back last
(`_torn.lua`); in between, entries come before counters, and one write makes it count: the job's
state, what a job was corrected to, whose a request is, the new balances. Where that write is there,
nothing is missing but what follows from it. Where it is not, the entries are taken out again, and
whoever did it does it again. The counters are set to what the ledger says after that.
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
from falgate.redis.unavailable import translate_errors

What = Literal["settle", "correct", "recover", "archive"]

_ENDED = frozenset({"refused", "released", "unknown"})


def refuse_torn(reply: object) -> None:
    """Nothing, unless a script has found half of what it was to do.

    Raises:
        Unavailable: It has.
    """
    if reply == "torn":
        raise Unavailable("Half of that is in the ledger: run `falgate ledger recover`", 60)


class Torn:
    """The books of one upstream. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, upstream: str) -> None:
        """Look into these books."""
        self._redis = redis
        self._upstream = upstream
        self._entries = Entries(redis)

    async def begun(self) -> dict[str, What]:
        """What was begun, by job; an archive goes by its own name."""
        found: Any
        with translate_errors():
            found = await self._redis.hgetall(keyspace.torn(self._upstream))
        return cast("dict[str, What]", found)

    async def undo(self, who: str) -> None:
        """Undo what does not count yet, and complete what does; with an entry in the audit log."""
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
                with translate_errors():
                    await pipeline.execute()

    async def _written(self, begun: Mapping[str, What]) -> Mapping[str, Sequence[Raw]]:
        """The entries of each; behind a correction, the resets that it took less of."""
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
        job: Any
        with translate_errors():
            job = await self._redis.hgetall(keyspace.job(job_id))
        if "settled_to" not in job:
            self._take_out(pipeline, written)
            return False
        if job["state"] in _ENDED:
            pipeline.hdel(keyspace.job(job_id), "input")
            pipeline.zrem(keyspace.open_jobs(self._upstream), job_id)
            pipeline.zadd(keyspace.ended_jobs(self._upstream), {job_id: await now_ms(self._redis)})
            with translate_errors():
                flight = await self._redis.get(job["flight"])
            if flight == f"open:{job_id}":
                pipeline.delete(job["flight"])
        return True

    async def _corrected(self, pipeline: Pipeline, job_id: str, written: Sequence[Raw]) -> bool:
        """A job may have been corrected before: only the last of its corrections can be torn."""
        with translate_errors():
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
        with translate_errors():
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
