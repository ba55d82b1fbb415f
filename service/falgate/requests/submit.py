"""The queue's front: checks and stores requests, whose results come later."""

# The script that claims a flight and holds its money also stores the request. So a successful reply
# to a submit means that both are done, and a crash cannot come between them.

import asyncio
import hashlib
import math
from typing import NamedTuple

import msgspec

from falgate.cache.fingerprint import prompt_digest
from falgate.core.errors import InputRejected, TimedOut, TooMany, Unavailable
from falgate.jobs import answer
from falgate.jobs.acquire import Cached, Claims, Duplicate, Leader
from falgate.jobs.admission import AdmittedRequest, Caller
from falgate.jobs.notifier import Notifier
from falgate.jobs.ports import Ports
from falgate.jobs.queue_errors import KeyReused, QueueTooLong
from falgate.jobs.request import Outcome, QueuedRequest, RequestSpec, State, rejection_of
from falgate.jobs.verdicts import Mismatched, NewRequest, Repeated, Waiter
from falgate.jobs.worker import JobWorker
from falgate.models.spec import ModelSpec
from falgate.requests import ends
from falgate.requests.sync import answered
from falgate.requests.worker import RequestWorker

_LOOK_AGAIN_S = 1.0
_REJECTIONS_A_SECOND = 10
_SENT_AGAIN_MS = 120_000
_FORGOTTEN = "The request was deleted while waiting for its result; try again"


class Hook(NamedTuple):
    """The webhook of a request: its URL ("" for none), and what picture URLs in it begin with."""

    url: str = ""
    base_url: str = ""


NO_HOOK = Hook()


class SubmitService:
    """Accepts requests into the queue, and waits for them."""

    def __init__(
        self,
        ports: Ports,
        purchases: JobWorker,
        claims: Claims,
        driver: RequestWorker,
        wakes: Notifier,
        *,
        start_within_s: float,
        wait_s: float,
    ) -> None:
        """Accept requests.

        Args:
            ports: The ports of the request flow.
            purchases: Runs jobs.
            claims: Finds or claims what a request needs.
            driver: Runs the queued requests.
            wakes: Notifies when one of them changes.
            start_within_s: How long a purchase may wait to be started if its caller set no limit,
                in seconds.
            wait_s: How long a caller on a connection waits for a queued request, in seconds.
        """
        self._ports = ports
        self._purchases = purchases
        self._claims = claims
        self._driver = driver
        self._wakes = wakes
        self._start_within_s = start_within_s
        self._wait_s = wait_s

    async def submit(
        self,
        call: AdmittedRequest,
        *,
        hook: Hook = NO_HOOK,
        key: str = "",
        length_max: int | None = None,
    ) -> QueuedRequest:
        """Accept a request. When this returns, it is stored and its money held, or it has ended.

        Args:
            call: The request.
            hook: The webhook that reports its end.
            key: The caller's idempotency key; requests of the same key are the same request.
            length_max: Refuse the request if more than this number wait already.

        Raises:
            Refusal: The request was not stored, and nothing is held.
        """
        if length_max is not None:
            length = await self._ports.requests.waiting(call.upstream)
            if length > length_max:
                raise QueueTooLong(length)
        async with self._claims.together.on_the_line(call):
            return await self._take(call, _keep(call, hook, key))

    async def _take(self, call: AdmittedRequest, keep: NewRequest) -> QueuedRequest:
        waiter = Waiter(request=call.request_id, keep=keep)
        within_s = call.options.start_within_s or self._start_within_s
        start_by_s = asyncio.get_running_loop().time() + within_s
        match await self._claims.claim(call, waiter, start_by_s):
            case Cached(there):
                found = answer.free(call, there.source, there.pictures)
                kept = await self._put(keep, "done", found)
                if kept.asked.id == call.request_id:
                    self._ports.facts.answered(answered(call, found, "", 0, 0, route="queue"))
                return kept
            case Duplicate(request_id):
                return await self._read(request_id)
            case Leader(job_id, held=held):
                await self._purchases.begin(job_id, held)
        request = await self._read(call.request_id)
        self._driver.start(request)
        return request

    async def reject(
        self,
        caller: Caller,
        spec: ModelSpec,
        rejection: InputRejected,
        *,
        request_id: str,
        called: str = "",
        hook: Hook = NO_HOOK,
    ) -> QueuedRequest:
        """Store a request with invalid input, as fal does, which reports the errors as its result.

        Raises:
            TooMany: This app has too many of them.
            Unavailable: Without Redis.
        """
        key = caller.key
        asked = RequestSpec(
            id=request_id,
            upstream=self._ports.upstreams[key.kind].name,
            kind=key.kind,
            team=key.team,
            app=key.app,
            key=key.id,
            endpoint=spec.endpoint,
            fingerprint="",
            arguments={},
            webhook=hook.url,
            base_url=hook.base_url,
            called=called,
        )
        await self._pace_rejections(f"{key.team}/{key.app}")
        kept = await self._put(NewRequest(asked=asked), "failed", rejection_of(rejection))
        self._ports.facts.failed(ends.failed(asked, rejection))
        return kept

    async def _pace_rejections(self, app: str) -> None:
        """Limit how many of an app's invalid requests are stored, because nobody pays for those."""
        try:
            exceeded = await self._ports.rates.take({f"rejected:{app}": _REJECTIONS_A_SECOND})
        except Unavailable:
            self._ports.facts.unchecked()
            return
        if exceeded is not None:
            raise TooMany(
                f"This app sent more than {_REJECTIONS_A_SECOND} requests per second with invalid "
                "input, so this one was not stored; send it again to see its errors",
                math.ceil(exceeded.retry_after_ms / 1000),
            )

    async def wait(self, call: AdmittedRequest, *, key: str) -> QueuedRequest:
        """Accept a request and wait for its end, even if an equal one was accepted before.

        Raises:
            Refusal: The request was refused, or takes longer.
        """
        deadline_s = asyncio.get_running_loop().time() + self._wait_s
        async with self._claims.together.on_the_line(call):
            request = await self.submit(call, key=key)
            return await self._ended(request, deadline_s)

    async def _ended(self, request: QueuedRequest, deadline_s: float) -> QueuedRequest:
        loop = asyncio.get_running_loop()
        with self._wakes.subscribed(request.asked.id) as alarm:
            while not (request := await self._read(request.asked.id)).ended:
                left_s = deadline_s - loop.time()
                if left_s <= 0:
                    raise TimedOut(
                        "The pictures are still being made; repeat the request to get them"
                    )
                await self._wakes.sleep(alarm, min(left_s, _LOOK_AGAIN_S))
                alarm.event.clear()
        return request

    async def _put(self, keep: NewRequest, state: State, outcome: Outcome) -> QueuedRequest:
        match await self._ports.requests.put(keep, state, outcome):
            case Repeated(request_id):
                return await self._read(request_id)
            case Mismatched():
                raise KeyReused
        return await self._read(keep.asked.id)

    async def _read(self, request_id: str) -> QueuedRequest:
        request = await self._ports.requests.read(request_id)
        if request is None:
            raise Unavailable(_FORGOTTEN)
        return request


def _keep(call: AdmittedRequest, hook: Hook, key: str) -> NewRequest:
    arguments = msgspec.to_builtins(call.arguments)
    # The fingerprint is included because the pool's scope is not in the body.
    body = msgspec.json.encode(arguments, order="sorted").decode()
    same = (call.fingerprint, hook.url, body)
    digest = hashlib.sha256(msgspec.json.encode(same)).hexdigest()
    repeatable, repeats_ms = _repeatable(call, key, digest)
    asked = RequestSpec(
        id=call.request_id,
        upstream=call.upstream,
        kind=call.key.kind,
        team=call.key.team,
        app=call.key.app,
        key=call.key.id,
        endpoint=call.spec.endpoint,
        fingerprint=call.fingerprint,
        arguments=arguments,
        inline=call.spec.wants_inline(call.arguments),
        options=call.options,
        treatment=call.treatment,
        webhook=hook.url,
        base_url=hook.base_url,
        prompt_sha256=prompt_digest(call.spec.prompt_of(call.arguments)),
        repeatable=repeatable,
        ignored=call.ignored,
        called=call.called,
    )
    return NewRequest(asked=asked, digest=digest if repeatable else "", repeats_ms=repeats_ms)


def _repeatable(call: AdmittedRequest, key: str, digest: str) -> tuple[str, int]:
    """Return the name of equal requests, and how long it is valid after the end, in ms.

    0 ms means for as long as the request is stored. fal's clients repeat a submit by themselves if
    its reply is lost. Requests that would buy again therefore need a name even if the caller gives
    none.
    """
    owner = f"{call.key.kind}:{call.key.team}/{call.key.app}"
    if key:
        # Hashed, so that the name is short and does not reveal the caller's key.
        return f"{owner}:{hashlib.sha256(key.encode()).hexdigest()}", 0
    if call.treatment.fresh:
        return f"{owner}:{call.treatment.fresh}:{call.key.id}:{digest}", _SENT_AGAIN_MS
    return "", 0
