"""Finds cache hits from what is in memory, at the cost of one read from Redis at most."""

# Everything is decided by the functions that decide for all requests: `permit` and `admit` about
# the caller and the body, `cache/decision` about the pictures. Whatever is no plain hit, such as a
# refusal, is left to the full path, which decides anew.

from hashlib import blake2b

import msgspec

from falgate.accounts import apikey
from falgate.accounts.apikey import Presented
from falgate.accounts.store.tracked_keys import TrackedKeys
from falgate.cache.lookup import look_up
from falgate.cache.store.tracked_pools import TrackedPools
from falgate.core.errors import Refusal
from falgate.jobs import answer
from falgate.jobs.admission import AdmittedRequest, admit, permit
from falgate.jobs.admission import read as read_body
from falgate.jobs.answer import Answer
from falgate.jobs.ports import Ports
from falgate.models.spec import ModelSpec
from falgate.redis.hot import Read

_PARSED_MAX = 10_000


class HitRequest(msgspec.Struct, frozen=True):
    """A request for a model that may be a hit.

    Attributes:
        spec: The model.
        authorization: The Authorization header.
        content_type: The Content-Type header; None without one.
        headers: Those of the others that may change the answer, by lower-case name.
        body: The body.
    """

    spec: ModelSpec
    authorization: str
    content_type: str | None
    headers: dict[str, str]
    body: bytes

    def __repr__(self) -> str:
        """Omit key and prompt."""
        return "HitRequest(...)"


class Hit(msgspec.Struct, frozen=True):
    """A hit.

    Attributes:
        call: The request that was admitted.
        answer: Its answer.
        until_s: When the same request may get another answer although nothing has changed in Redis,
            in seconds since 1970; `inf` if never.
    """

    call: AdmittedRequest
    answer: Answer
    until_s: float


class HitFinder:
    """Finds hits."""

    def __init__(self, ports: Ports, keys: TrackedKeys, pools: TrackedPools) -> None:
        """Read app keys and pools from what is tracked; take everything else from the ports."""
        self._ports = ports
        self._keys = keys
        self._pools = pools
        self._parsed: dict[bytes, Presented] = {}

    async def find(self, asked: HitRequest, read: Read) -> Hit | None:
        """Return the hit that a request is; None if it needs the full path.

        Args:
            asked: The request.
            read: Is given the names of what the hit depends on.
        """
        presented = self._presented(asked.authorization)
        # The full path throttles those who try keys, so it sees each key first.
        if presented is None or not self._ports.wrong_keys.knows(presented):
            return None
        try:
            return await self._find(asked, presented, read)
        except Refusal:
            return None

    def _presented(self, authorization: str) -> Presented | None:
        """Parse an Authorization header, or recall what it was parsed to, by its digest."""
        name = blake2b(authorization.encode(), digest_size=32).digest()
        found = self._parsed.get(name)
        if found is None:
            value = apikey.from_header(authorization)
            found = apikey.present(value) if value else None
            if found is not None and self._ports.wrong_keys.knows(found):
                if len(self._parsed) >= _PARSED_MAX:
                    self._parsed.clear()
                self._parsed[name] = found
        return found

    async def _find(self, asked: HitRequest, presented: Presented, read: Read) -> Hit | None:
        read.of(*self._keys.depends_on(presented.id))
        key, now_s, directory = await self._keys.key(presented.id)
        if key is None or not key.opened_by(presented, now_s):
            return None
        caller = permit(key, directory, now_s)
        paced = any(each.requests_per_second for each in caller.terms.limits)
        if paced or key.permissions.networks:  # decided for each request anew
            return None
        call = admit(
            caller,
            asked.spec,
            read_body(caller, asked.spec, asked.body, asked.content_type),
            upstream=self._ports.upstreams[key.kind].name,
            derives=self._ports.derives,
            headers=asked.headers,
            request_id="",
        )
        if call.treatment.distinct:
            return None
        read.of(self._pools.depends_on(call.fingerprint))
        found = await look_up(self._pools, call)
        if found.missing:
            return None
        until_s = min(found.until_s(call.treatment), key.changes_s(now_s))
        return Hit(call, answer.free(call, found.source, found.pictures), until_s)
