"""The fast path: answers cache hits before the framework, from memory or after one Redis read."""

# It changes nothing but speed. What is a hit is decided by the same functions as for all requests
# (`requests/hits`), and its answer is made by the same ones. It takes a request only if there is
# nothing in its head that it would have to judge by itself; the others are for the application.
#
# An answer is kept under a digest of everything in the request that may change it: the route, the
# scheme, the body, and all headers that falgate reads for a hit. A digest, so that neither keys nor
# prompts stay in memory. It is forgotten when its key, its app, or its pool changes in Redis, and
# not used when that cannot be known (`redis/tracking`).

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b
from math import inf
from typing import Any

from falgate.core.bounds import HEADERS
from falgate.core.errors import Refusal
from falgate.http import responses
from falgate.http.address import Address
from falgate.http.cors import Cors
from falgate.http.forwarded import TrustedProxies
from falgate.http.hit_response import HitResponse, headers
from falgate.http.picture_urls import PictureUrls
from falgate.http.request_ids import request_ids
from falgate.http.server import Message, Request, Whole
from falgate.jobs.admitting import AT_ONCE_BYTES_MAX
from falgate.models.spec import ModelSpec
from falgate.redis.clock import Clock
from falgate.redis.hot import HotCache
from falgate.redis.tracking import Tracking
from falgate.requests.hits import Hit, HitFinder, HitRequest
from falgate.requests.sync import answered
from falgate.telemetry.hits import HitCounter, HitKind

_SENT_WHOLE_BYTES_MAX = 64 * 1024
"""A longer response, with pictures inside, is sent in pieces, as the client takes them."""

_MOST = {name.encode(): bound.most for name, bound in HEADERS.items()}
_KEYED = (
    b"host", b"authorization", b"content-type",
    b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-prefix",
    b"cache-control", b"x-falgate-variation", b"x-falgate-scope",
)  # fmt: skip
"""Headers that may change the answer to a hit."""
_PLACE = {name: place for place, name in enumerate(_KEYED)}
_HOST, _AUTHORIZATION, _TYPE, _FORWARDED_HOST, _, _, *_DIRECTIVES = range(len(_KEYED))
_DECLINED = frozenset((b"idempotency-key", b"content-encoding"))
"""Headers that need the full path. All others have no meaning for a hit."""
_QUEUE_HOST = b"queue."
_ENTRY_BYTES = 1_500
"""What an entry has in memory besides its response: pictures, event, and objects around them."""
_RECEIVED_MAX = 20_000
"""Requests that are remembered as they were received."""


class Candidate:
    """A request that may be a hit, by its head.

    Attributes:
        spec: The model.
        fields: The values of the headers in `_KEYED`.
        via: What of its connection may change the answer.
        began_s: When it was complete.
        kept: The name under which its answer is kept; empty if none was found.
    """

    __slots__ = ("began_s", "fields", "kept", "spec", "via")

    def __init__(self, spec: ModelSpec, fields: list[bytes], via: bytes) -> None:
        self.spec = spec
        self.fields = fields
        self.via = via
        self.began_s = 0.0
        self.kept = b""

    def name(self, body: bytes) -> bytes:
        """Return the digest of all that may change the answer; no field can contain a NUL."""
        endpoint = self.spec.endpoint.encode()
        whole = b"\0".join((self.via, endpoint, *self.fields, body))
        return blake2b(whole, digest_size=32).digest()


class _Entry:
    """A kept answer.

    Attributes:
        kind: For the counter.
        until_s: When it must be decided anew, Redis time.
        made_s: The second of Redis time for which the response was made.
        response: The response.
    """

    __slots__ = ("_maker", "kind", "made_s", "response", "until_s")

    def __init__(self, hit: Hit, maker: HitResponse, now_s: int) -> None:
        event = answered(hit.call, hit.answer, "", 0, 0)
        self.kind = HitKind(event, hit.call.fingerprint, hit.answer.pictures, hit.call.dropped)
        self.until_s = hit.until_s
        self._maker = maker
        self.made_s, self.response = now_s, maker.at(now_s)

    def renew(self, now_s: int) -> None:
        """Make the response for another second."""
        self.made_s, self.response = now_s, self._maker.at(now_s)


class FastPath:
    """Answers hits; see `http.server.shortcut` for the interface.

    Attributes:
        kept: The answers in memory, by the digests of their requests.
    """

    def __init__(
        self,
        finder: HitFinder,
        tracking: Tracking,
        clock: Clock,
        counter: HitCounter,
        *,
        models: Mapping[str, ModelSpec],
        address: Address,
        picture_urls: PictureUrls,
        cors: Cors | None,
        proxies: TrustedProxies,
        body_bytes_max: int,
        bytes_max: int,
    ) -> None:
        """Answer hits.

        Args:
            finder: Finds them.
            tracking: Tells what has changed.
            clock: Redis's time.
            counter: Counts them.
            models: By endpoint.
            address: Base of picture URLs.
            picture_urls: Builds them.
            cors: Which pages may read the answers.
            proxies: The proxies whose X-Forwarded headers count.
            body_bytes_max: Maximum size of a request's body that the gateway accepts.
            bytes_max: Size of the answers that are kept in memory.
        """
        self.body_bytes_max = min(AT_ONCE_BYTES_MAX, body_bytes_max)
        self._finder = finder
        self._tracking = tracking
        self._clock = clock
        self._note = counter.note
        self._note_read = counter.read
        self._address = address
        self._picture_urls = picture_urls
        self._cors = cors
        self._paths = {
            f"{root}/{endpoint}".encode(): spec
            for endpoint, spec in models.items()
            for root in ("", "/run")
        }
        self._declined = _DECLINED if cors is None else _DECLINED | {b"origin"}
        self._proxies = proxies
        self.kept: HotCache[_Entry] = HotCache(bytes_max)
        self._received: OrderedDict[bytes, bytes] = OrderedDict()
        self._ids = request_ids()
        self._loop_s = asyncio.get_running_loop().time
        self._now_s, self._second_until_s = 0, 0.0
        tracking.listen(self.kept.changed)

    def connected(self, peer: str, *, secure: bool) -> bytes:
        """Return whether a connection is secure, and whether its peer is a trusted proxy."""
        return b"%d%d" % (secure, self._proxies.trust(peer))

    def consider(self, request: Request, via: bytes) -> Candidate | None:
        """Return what is needed of a request's head; None if it is no candidate."""
        head = request.head
        spec = self._paths.get(head.path)
        if spec is None or request.method != b"POST" or request.version != "1.1":
            return None
        if head.query:
            return None
        fields = [b""] * len(_KEYED)
        seen = []
        for name, value in request.fields:
            most = _MOST.get(name)
            if most is None:
                continue
            if len(value) > most or name in self._declined or name in seen:
                return None
            seen.append(name)
            place = _PLACE.get(name)
            if place is not None:
                fields[place] = value
        hosts = b"%b %b" % (fields[_HOST], fields[_FORWARDED_HOST])
        if _QUEUE_HOST in hosts.lower() or b"," in fields[_TYPE]:
            return None
        return Candidate(spec, fields, via)

    def recall(self, data: bytes, via: bytes) -> Whole | None:
        """Return the response to a whole request, as it was received, that is remembered."""
        began_s = time.perf_counter()
        name = self._received.get(_digest(data, via))
        return self._kept(name, began_s) if name else None

    def remember(self, candidate: Candidate, data: bytes, via: bytes) -> None:
        """Remember the bytes of a whole request that was answered."""
        if not candidate.kept:
            return
        if len(self._received) >= _RECEIVED_MAX:
            self._received.popitem(last=False)
        self._received[_digest(data, via)] = candidate.kept

    def answer(self, candidate: Candidate, body: bytes) -> Whole | None:
        """Return the response to a hit that is in memory and short."""
        candidate.began_s = time.perf_counter()
        name = candidate.name(body)
        if found := self._kept(name, candidate.began_s):
            candidate.kept = name
        return found

    async def find(self, candidate: Candidate, body: bytes, scope: Message) -> Whole | None:
        """Return the response to a hit that is long, or not in memory."""
        name = candidate.name(body)
        if found := self._kept(name, candidate.began_s, most=inf):
            return found
        try:
            with self.kept.reading() as read:
                hit = await self._finder.find(_request(candidate, body), read)
                if hit is None:
                    return None
                entry = _Entry(hit, await self._maker(hit, scope), self._clock.now_s())
                self.kept.put(name, entry, entry.response.size + _ENTRY_BYTES, read)
        except Refusal:  # a picture is lost, or the store is away
            return None
        self._note_read()
        return self._respond(entry, candidate.began_s)

    def _kept(
        self, name: bytes, began_s: float, most: float = _SENT_WHOLE_BYTES_MAX
    ) -> Whole | None:
        """Return an answer that is in memory, if it is current and has at most `most` bytes."""
        loop_s = self._loop_s()
        if loop_s >= self._tracking.current_until_s:
            return None
        entry = self.kept.get(name)
        if entry is None or len(entry.response.body) > most:
            return None
        if loop_s >= self._second_until_s:
            self._now_s, left_s = self._clock.second()
            self._second_until_s = loop_s + left_s
        now_s = self._now_s
        if entry.made_s != now_s:
            if now_s >= entry.until_s:
                return None
            entry.renew(now_s)
        return self._respond(entry, began_s)

    def _respond(self, entry: _Entry, began_s: float) -> Whole:
        request_id = next(self._ids)
        self._note(entry.kind, request_id, time.perf_counter() - began_s)
        before, after, body = entry.response
        return b"%b%b%b" % (before, request_id, after), body

    async def _maker(self, hit: Hit, scope: Any) -> HitResponse:
        """Return what makes the response to a hit; raises `Unavailable` if a picture is lost."""
        call, answer, urls = hit.call, hit.answer, self._picture_urls
        if self._proxies.sent(scope):
            self._proxies.note(scope)
        inline = None
        if call.spec.wants_inline(call.arguments):
            inline = await responses.inlined(call.spec, answer, urls)
        more = []
        if self._cors:
            more = self._cors.answered(scope, headers(answer, call.ignored, 0, 0))
        return HitResponse(
            call.spec,
            answer,
            self._address.base_url(scope),
            urls,
            ignored=call.ignored,
            inline=inline,
            more=more,
        )


def _digest(data: bytes, via: bytes) -> bytes:
    return blake2b(data, digest_size=32, person=via).digest()


def _request(candidate: Candidate, body: bytes) -> HitRequest:
    """Return what the finder reads of a request."""
    fields = [value.decode("latin-1") for value in candidate.fields]
    return HitRequest(
        spec=candidate.spec,
        authorization=fields[_AUTHORIZATION],
        content_type=fields[_TYPE] or None,
        headers={_KEYED[at].decode(): fields[at] for at in _DIRECTIVES if fields[at]},
        body=body,
    )
