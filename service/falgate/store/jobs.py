"""Jobs: claimed, held, marked, bound, settled and finished, each by one idempotent script."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core import budget
from falgate.core.claim import (
    Denied,
    Held,
    HouseFull,
    Joined,
    Seen,
    Stale,
    Unborn,
    Unlimited,
    Verdict,
)
from falgate.core.job import Answer, Fenced, Job, NotDurable, Order, Trouble
from falgate.core.outcome import Settlement
from falgate.core.picture import Picture
from falgate.store import _keys
from falgate.store._reach import reaching
from falgate.store._script import Script
from falgate.store.connect import Durability

_HOLD = Script("jobs_hold")
_MARK = Script("jobs_mark")
_ACCEPT = Script("jobs_accept")
_RENEW = Script("jobs_renew")
_ADOPT = Script("jobs_adopt")
_DOUBT = Script("jobs_doubt")
_SETTLE = Script("jobs_settle")
_FINISH = Script("jobs_finish")

_BARRIER_MS = 2_000

ACCOUNTS = (budget.ORGANISATION,)
"""Whom every purchase is charged to, the organisation first."""


class Jobs:
    """Every job of one ledger. All methods raise `Unavailable` without Redis."""

    def __init__(
        self,
        redis: Redis,
        *,
        ledger_id: str,
        owner: str,
        zone: tzinfo,
        lease_ms: int,
        durability: Durability,
    ) -> None:
        """Work on jobs as `owner`, in the ledger whose birth record is `ledger_id`."""
        self._redis = redis
        self._ledger_id = ledger_id
        self._owner = owner
        self._zone = zone
        self._lease_ms = lease_ms
        self._durability = durability

    async def hold(self, order: Order, seen: Seen) -> Verdict:
        """Claim the order's flight and hold its money on every account, or do neither."""
        now_ms = await self.now_ms()
        bare = msgspec.structs.replace(order, input={})
        while True:
            windows = budget.windows(now_ms, self._zone)
            with reaching():
                reply = await _HOLD(
                    self._redis,
                    meta=_keys.META,
                    job=_keys.job(order.id),
                    flight=_keys.flight(order.fingerprint),
                    open_jobs=_keys.open_jobs(order.upstream),
                    house=_keys.house(order.upstream),
                    more_keys=[_keys.account(order.upstream, account) for account in ACCOUNTS],
                    ledger_id=self._ledger_id,
                    job_id=order.id,
                    owner=self._owner,
                    lease_ms=self._lease_ms,
                    amount=order.held,
                    generation=seen.generation,
                    count=seen.count,
                    windows=msgspec.json.encode(windows).decode(),
                    order=msgspec.json.encode(bare).decode(),
                    input=msgspec.json.encode(order.input).decode(),
                )
            if reply[0] != "elsewhen":
                return _verdict(reply, windows)
            # Midnight passed between our look at the clock and the script's.
            now_ms = int(reply[1])

    async def mark(self, job: Job) -> None:
        """Write down that the submit is about to leave, so that a crash cannot hide it.

        Raises:
            Fenced: Another instance has the job.
            NotDurable: The mark may still be lost. Nothing was sent.
        """
        named: dict[str, Any] = {
            "job": _keys.job(job.order.id),
            "open_jobs": _keys.open_jobs(job.order.upstream),
            "job_id": job.order.id,
            "epoch": job.epoch,
            "lease_ms": self._lease_ms,
        }
        barriers = self._durability
        with reaching():
            if not (barriers.fsync or barriers.replicas):
                marked, durable = await _MARK(self._redis, **named), True
            else:
                # On one connection, because both barriers speak of that connection's writes.
                async with self._redis.pipeline(transaction=False) as pipeline:
                    _MARK.queue(pipeline, **named)
                    pipeline.execute_command("WAITAOF", int(barriers.fsync), 0, _BARRIER_MS)
                    pipeline.execute_command("WAIT", barriers.replicas, _BARRIER_MS)
                    marked, (local, _), copies = await pipeline.execute()
                durable = local >= int(barriers.fsync) and copies >= barriers.replicas
        if not marked:
            raise Fenced
        if not durable:
            raise NotDurable

    async def accept(self, job: Job, request_id: str) -> bool:
        """Bind fal's request id; False when the job has another one or the id another job."""
        with reaching():
            reply = await _ACCEPT(
                self._redis,
                job=_keys.job(job.order.id),
                open_jobs=_keys.open_jobs(job.order.upstream),
                submits=_keys.submits(job.order.upstream),
                job_id=job.order.id,
                request_id=request_id,
                lease_ms=self._lease_ms,
            )
        return bool(reply == "accepted")

    async def renew(self, job: Job, *, lease_ms: int | None = None) -> bool:
        """Keep a job for another lease, or for so long; False when it is no longer the caller's."""
        with reaching():
            kept = await _RENEW(
                self._redis,
                job=_keys.job(job.order.id),
                open_jobs=_keys.open_jobs(job.order.upstream),
                job_id=job.order.id,
                epoch=job.epoch,
                lease_ms=self._lease_ms if lease_ms is None else lease_ms,
            )
        return bool(kept)

    async def doubt(self, job: Job, trouble: Trouble, *, lease_ms: int | None = None) -> None:
        """Tell who waits that waiting is of no use now; the reaper looks again after the lease.

        Raises:
            Fenced: Another instance has the job.
        """
        with reaching():
            noted = await _DOUBT(
                self._redis,
                job=_keys.job(job.order.id),
                open_jobs=_keys.open_jobs(job.order.upstream),
                job_id=job.order.id,
                epoch=job.epoch,
                lease_ms=self._lease_ms if lease_ms is None else lease_ms,
                trouble=trouble,
                wake=_keys.WAKE,
            )
        if not noted:
            raise Fenced

    async def settle(self, job: Job, settlement: Settlement, output: Any = None) -> None:
        """Move the money and write the closing entry: once, whoever asks how often.

        Raises:
            Fenced: Another instance has the job, or it has moved on.
        """
        order = job.order
        raw = await self._field(order.id, "accounts")
        with reaching():
            reply = await _SETTLE(
                self._redis,
                job=_keys.job(order.id),
                open_jobs=_keys.open_jobs(order.upstream),
                ended_jobs=_keys.ended_jobs(order.upstream),
                flight=_keys.flight(order.fingerprint),
                ledger=_keys.ledger(order.upstream),
                house=_keys.house(order.upstream),
                more_keys=raw.split(" "),
                job_id=order.id,
                epoch=job.epoch,
                **{"from": job.state},
                to=settlement.state,
                charge=settlement.charge,
                lease_ms=self._lease_ms,
                output=msgspec.json.encode(output).decode(),
                answer=msgspec.json.encode(settlement.answer).decode(),
                wake=_keys.WAKE,
                more_args=_entry(job, settlement),
            )
        if reply[0] == "fenced":
            raise Fenced

    async def finish(self, job: Job, pictures: Sequence[Picture], published: Seen | None) -> None:
        """End a paid job and its flight, and wake who waits.

        Args:
            job: In state "paid".
            pictures: What was banked.
            published: What the pool holds since, or None when nothing was published.

        Raises:
            Fenced: Another instance has the job.
        """
        seen = published or Seen()
        with reaching():
            reply = await _FINISH(
                self._redis,
                job=_keys.job(job.order.id),
                open_jobs=_keys.open_jobs(job.order.upstream),
                ended_jobs=_keys.ended_jobs(job.order.upstream),
                flight=_keys.flight(job.order.fingerprint),
                markers=_keys.MARKERS,
                job_id=job.order.id,
                epoch=job.epoch,
                pictures=msgspec.json.encode(pictures).decode(),
                generation=seen.generation,
                count=seen.count,
                marker_ms=_keys.MARKER_KEPT_S * 1000,
                fingerprint=job.order.fingerprint,
                wake=_keys.WAKE,
            )
        if reply == "fenced":
            raise Fenced

    async def adopt(self, job_id: str, upstream: str) -> Job | None:
        """Take over a job whose lease ran out; None when somebody works on it or it has ended."""
        with reaching():
            epoch = await _ADOPT(
                self._redis,
                job=_keys.job(job_id),
                open_jobs=_keys.open_jobs(upstream),
                job_id=job_id,
                owner=self._owner,
                lease_ms=self._lease_ms,
            )
        return await self.read(job_id) if epoch else None

    async def lapsed(self, upstream: str, number: int) -> list[str]:
        """Up to so many open jobs whose lease ran out, the longest first."""
        lapsed: Any
        now_ms = await self.now_ms()
        with reaching():
            lapsed = await self._redis.zrangebyscore(
                _keys.open_jobs(upstream), "-inf", now_ms, start=0, num=number
            )
        return list(lapsed)

    async def read(self, job_id: str) -> Job | None:
        """A job as it stands, or None when there is none (any more)."""
        fields: Any
        with reaching():
            fields = await self._redis.hgetall(_keys.job(job_id))
        return _job(fields) if fields else None

    async def now_ms(self) -> int:
        """Redis's clock, milliseconds since 1970: the only one that decides about money."""
        with reaching():
            seconds, micros = await self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    async def _field(self, job_id: str, name: str) -> str:
        with reaching():
            value = await self._redis.hget(_keys.job(job_id), name)
        if value is None:
            raise Fenced
        return str(value)


def _verdict(  # noqa: PLR0911 - one return for each of the script's answers
    reply: list[Any], windows: Sequence[budget.Window]
) -> Verdict:
    match reply:
        case ["held"]:
            return Held()
        case ["joined", job_id]:
            return Joined(job_id)
        case ["stale", generation, count]:
            return Stale(int(generation), int(count))
        case ["denied", account, kind, limit, spent, held]:
            window = next(window for window in windows if window.kind == kind)
            return Denied(ACCOUNTS[int(account)], window, int(limit), int(spent), int(held))
        case ["unlimited"]:
            return Unlimited()
        case ["house", limit, overrun]:
            return HouseFull(int(limit), int(overrun))
        case ["unborn"]:
            return Unborn()
    raise AssertionError(f"jobs_hold.lua answered {reply[0]}")


def _entry(job: Job, settlement: Settlement) -> list[str]:
    """The closing entry's fields beside those that the script itself knows. No prompt."""
    order = job.order
    fields = {
        "request_id": job.request_id,
        "team": order.team,
        "app": order.app,
        "key": order.key,
        "model": order.endpoint,
        "asked": order.asked,
        "reused": order.reused,
        "bought": settlement.delivered,
        "list": order.listed,
        "price_version": order.price_version,
        **order.recorded,
    }
    return [str(part) for field in fields.items() for part in field]


def _job(fields: dict[str, str]) -> Job:
    order = msgspec.json.decode(fields["order"], type=Order)
    if "input" in fields:
        order = msgspec.structs.replace(order, input=msgspec.json.decode(fields["input"]))
    remaining = int(fields.get("remaining", -1))
    return msgspec.convert(
        {
            "order": order,
            "state": fields["state"],
            "owner": fields["owner"],
            "epoch": int(fields["epoch"]),
            "windows": tuple(fields["windows"].split(" ")),
            "began_ms": int(fields["began_ms"]),
            "submitted_ms": int(fields.get("submitted_ms", 0)),
            "request_id": fields.get("request_id", ""),
            "output": msgspec.json.decode(fields.get("output", "null")),
            "charged": int(fields.get("charged", 0)),
            "overrun": int(fields.get("overrun", 0)),
            "remaining": None if remaining < 0 else remaining,
            "pictures": msgspec.json.decode(fields.get("pictures", "[]"), type=tuple[Picture, ...]),
            "answer": msgspec.json.decode(fields.get("answer", "null"), type=Answer | None),
            "trouble": fields.get("trouble", ""),
        },
        Job,
    )
