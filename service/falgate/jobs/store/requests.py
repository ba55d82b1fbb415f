"""Queued requests in Redis: each ends once, is leased by one instance, and is deleted later."""

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.fal.progress import Progress
from falgate.jobs.progress import RequestProgress
from falgate.jobs.request import Outcome, QueuedRequest, RequestSpec, State
from falgate.jobs.store import records
from falgate.jobs.verdicts import Mismatched, NewRequest, Repeated
from falgate.redis import keyspace
from falgate.redis.script import Script

_PUT = Script("requests_put")
_END = Script("requests_end")
_LOOK = Script("requests_look")
_ADOPT = Script("requests_adopt")
_RENEW = Script("requests_renew")
_TELL = Script("requests_tell")
_SWEEP = Script("requests_sweep")

_AT_ONCE = 100


class Requests:
    """The queued requests of one ledger. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, *, lease_ms: int, kept_s: int) -> None:
        """Lease requests for `lease_ms` at a time; delete them `kept_s` after their end."""
        self._redis = redis
        self._lease_ms = lease_ms
        self._kept_ms = kept_s * 1000

    async def put(
        self, keep: NewRequest, state: State, outcome: Outcome
    ) -> Repeated | Mismatched | None:
        """Store a request that has ended already; return None, or why it was not stored."""
        asked = keep.asked
        reply = await _PUT(
            self._redis,
            idempotency=keyspace.idempotency(asked.repeatable),
            request_id=asked.id,
            asked=records.asked(asked),
            state=state,
            outcome=msgspec.json.encode(outcome).decode(),
            digest=keep.digest,
            repeats_ms=keep.repeats_ms,
            **_telling(asked),
        )
        match reply:
            case ["repeated", request_id]:
                return Repeated(request_id)
            case ["mismatched"]:
                return Mismatched()
        return None

    async def end(self, request: QueuedRequest, state: State, outcome: Outcome) -> int | None:
        """End a request if its job is still the one that was read; cancel it in any case.

        Return how many others wait for its flight, or None if it has another job or has ended.
        """
        asked = request.asked
        others = await _END(
            self._redis,
            idempotency=keyspace.idempotency(asked.repeatable),
            request_id=asked.id,
            job="" if state == "cancelled" else request.job,
            state=state,
            outcome=msgspec.json.encode(outcome).decode(),
            repeatable=asked.repeatable,
            wake=keyspace.WAKE,
            waiters_prefix=keyspace.waiters(""),
            **_telling(asked),
        )
        return None if others < 0 else int(others)

    async def read(self, request_id: str) -> QueuedRequest | None:
        """Return a request as it is now; None if there is none."""
        fields: Any = await self._redis.hgetall(keyspace.request(request_id))
        return records.request(fields) if fields else None

    async def look(self, request_id: str, upstream: str) -> RequestProgress | None:
        """Return an upstream's request and the state of its job, in one round trip."""
        found = await _LOOK(
            self._redis,
            request_id=request_id,
            upstream=upstream,
            job_prefix=keyspace.job(""),
            progress_prefix=keyspace.progress(""),
        )
        if not found:
            return None
        fields, state, place, progress = found
        request = records.request(dict(zip(fields[::2], fields[1::2], strict=True)))
        return RequestProgress(
            request=request,
            job=state or None,
            position=place if place >= 0 else None,
            progress=msgspec.json.decode(progress, type=Progress) if progress else None,
        )

    async def tell(self, job_id: str, progress: Progress) -> None:
        """Store the progress that the upstream reports for a job, and wake those who follow it."""
        await _TELL(
            self._redis,
            told=msgspec.json.encode(progress).decode(),
            kept_s=keyspace.PROGRESS_KEPT_S,
            moved=keyspace.MOVED,
            job_id=job_id,
        )

    async def progress(self, job_id: str) -> Progress | None:
        """Return the progress that the upstream last reported for a job, if any."""
        found = await self._redis.get(keyspace.progress(job_id))
        return msgspec.json.decode(found, type=Progress) if found else None

    async def leave(self, flight: str, request_id: str) -> None:
        """Stop waiting for a flight."""
        await self._redis.zrem(keyspace.waiters(flight), request_id)

    async def depend_on(self, flight: str) -> bool:
        """Return whether queued requests wait for a flight, even if their instances died."""
        return bool(await self._redis.zcount(keyspace.waiters(flight), "+inf", "+inf"))

    async def waiting(self, upstream: str) -> int:
        """Return how many jobs wait for a slot at an upstream."""
        return int(await self._redis.zcard(keyspace.waiting(upstream)))

    async def adopt(self, upstream: str, number: int) -> list[QueuedRequest]:
        """Take over up to `number` requests whose leases ran out."""
        lapsed = await _ADOPT(
            self._redis,
            pending=keyspace.pending(upstream),
            lease_ms=self._lease_ms,
            number=number,
        )
        found = [await self.read(request_id) for request_id in lapsed]
        return [request for request in found if request and not request.ended]

    async def renew(
        self, upstream: str, request_ids: Sequence[str], *, lease_ms: int | None = None
    ) -> None:
        """Renew the leases of requests; with 0 ms, other instances can adopt them at once."""
        lease_ms = self._lease_ms if lease_ms is None else lease_ms
        await _RENEW(
            self._redis,
            pending=keyspace.pending(upstream),
            lease_ms=lease_ms,
            more_args=list(request_ids),
        )

    async def sweep(self, upstream: str, now_ms: int) -> int:
        """Delete up to 100 requests whose retention is over; return the count."""
        before_ms, answered = now_ms - self._kept_ms, keyspace.answered(upstream)
        old: Any = await self._redis.zrangebyscore(
            answered, "-inf", f"({before_ms}", start=0, num=_AT_ONCE
        )
        found = [request for each in old if (request := await self.read(each))]
        if not found:
            return 0
        return await forget(self._redis, answered, found, before_ms)


async def forget(
    redis: Redis, answered: str, requests: Sequence[QueuedRequest], before_ms: int
) -> int:
    """Delete those of the requests that ended before `before_ms`; return the count.

    Their idempotency keys are deleted too.
    """
    forgotten = await _SWEEP(
        redis,
        answered=answered,
        before_ms=before_ms,
        more_keys=[
            key
            for each in requests
            for key in (
                keyspace.request(each.asked.id),
                keyspace.idempotency(each.asked.repeatable),
            )
        ],
        more_args=[each.asked.id for each in requests],
    )
    return int(forgotten)


def _telling(asked: RequestSpec) -> dict[str, str]:
    """Return the arguments of scripts that may queue a webhook for a request's end."""
    return {
        "due": keyspace.deliveries("waiting"),
        "webhook": asked.webhook,
        "subject": f"{asked.team}/{asked.app}",
        "upstream": asked.upstream,
    }
