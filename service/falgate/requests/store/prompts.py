"""Finds and deletes prompts in Redis, wherever they are kept outside pools."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.errors import Unavailable
from falgate.jobs.job import Order
from falgate.jobs.request import QueuedRequest
from falgate.jobs.store import records
from falgate.jobs.store.requests import forget
from falgate.redis import keyspace

_AT_ONCE = 500
_EVER_MS = 10**14


class Prompts:
    """All records with prompts outside pools. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Search this Redis."""
        self._redis = redis

    async def forget_requests(self, upstreams: Sequence[str], prompt: str, sha256: str) -> int:
        """Delete ended requests with this prompt, including their answers; return the count."""
        forgotten = 0
        for upstream in upstreams:
            answered = keyspace.answered(upstream)
            async for names in self._members(answered):
                kept = await self._requests(names)
                about = [request for request in kept if _is(request, prompt, sha256)]
                if about:
                    forgotten += await forget(self._redis, answered, about, _EVER_MS)
        return forgotten

    async def forget_refusals(self, prompt: str) -> int:
        """Delete fal's refusals that quote this prompt; return the count."""
        spelt = _spelt(prompt)
        forgotten = 0
        async for key in self._redis.scan_iter(match=keyspace.refusal("*"), count=_AT_ONCE):
            text: Any = await self._redis.get(key)
            if any(each in (text or "") for each in spelt):
                forgotten += int(await self._redis.delete(key))
        return forgotten

    async def forget_results(self, upstreams: Sequence[str], sha256: str) -> None:
        """Delete what ended jobs for a prompt delivered: a result may describe its pictures."""
        for upstream in upstreams:
            async for names in self._members(keyspace.ended_jobs(upstream)):
                about = [
                    name
                    for name, order in await self._orders(names)
                    if order.prompt_sha256 == sha256
                ]
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for name in about:
                        pipeline.hdel(keyspace.job(name), "pictures")
                    await pipeline.execute()

    async def under_way(self, upstreams: Sequence[str], sha256: str) -> int:
        """Return how many purchases for a prompt are under way; these keep it until they end."""
        found = 0
        for upstream in upstreams:
            async for names in self._members(keyspace.open_jobs(upstream)):
                orders = await self._orders(names)
                found += sum(order.prompt_sha256 == sha256 for _, order in orders)
        return found

    async def rewrite_log(self) -> bool:
        """Ask Redis to rewrite its append-only file without deleted data; return whether it does.

        It does not if that is forbidden, or if it is rewriting it already.
        """
        try:
            await self._redis.bgrewriteaof()
        except Unavailable:
            return False
        return True

    async def _members(self, key: str) -> AsyncIterator[list[str]]:
        cursor = 0
        while True:
            cursor, page = await self._redis.zscan(key, cursor, count=_AT_ONCE)
            if page:
                yield [str(name) for name, _ in page]
            if not cursor:
                return

    async def _orders(self, names: Sequence[str]) -> list[tuple[str, Order]]:
        """Return the orders of those of these jobs that there are."""
        found: Any
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hget(keyspace.job(name), "order")
            found = await pipeline.execute()
        pairs = zip(names, found, strict=True)
        return [(name, msgspec.json.decode(order, type=Order)) for name, order in pairs if order]

    async def _requests(self, names: Sequence[str]) -> list[QueuedRequest]:
        found: Any
        async with self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.hgetall(keyspace.request(name))
            found = await pipeline.execute()
        return [records.request(fields) for fields in found if fields]


def _is(request: QueuedRequest, prompt: str, sha256: str) -> bool:
    if request.asked.prompt_sha256 == sha256:
        return True
    # Errors about an invalid input quote parts of it, which may be the prompt.
    body = msgspec.json.encode(request.failure.body).decode() if request.failure else ""
    return any(each in body for each in _spelt(prompt))


def _spelt(prompt: str) -> tuple[str, str]:
    """Return a prompt as it may be written in JSON: as it is, and in ASCII."""
    return msgspec.json.encode(prompt).decode()[1:-1], json.dumps(prompt)[1:-1]
