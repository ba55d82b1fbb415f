"""The queue: requests are taken and kept, and what they bring comes later."""

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
from falgate.requests.sync import answered
from falgate.requests.worker import RequestWorker

_LOOK_AGAIN_S = 1.0
_REJECTIONS_A_SECOND = 10
_SENT_AGAIN_MS = 120_000
_FORGOTTEN = "The request was forgotten while it was waited for; ask again"


class Hook(NamedTuple):
    """Who is to be told of a request's end, "" for nobody; and what URLs begin with for them."""

    url: str = ""
    base_url: str = ""


NO_HOOK = Hook()


class SubmitService:
    """Takes requests, and lets them be waited for."""

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
        """Take requests.

        Args:
            ports: The world.
            purchases: Who buys.
            claims: Who asks.
            driver: Who looks after them.
            wakes: Who tells of them.
            start_within_s: How long a purchase may wait to be started where nobody said.
            wait_s: How long a caller on the line waits for a kept request.
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
        """Take a request: once this returns, it is kept and its money held, or it has its end.

        Args:
            call: What is asked.
            hook: Who is to be told of its end.
            key: The caller's idempotency key: another request with it is the same request.
            length_max: Refuse where more than so many wait already.

        Raises:
            Refusal: It was not kept, and nothing is held.
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
            case Cached(pictures):
                found = answer.free(call.spec, call.arguments, "hit", pictures)
                kept = await self._put(keep, "done", found)
                if kept.asked.id == call.request_id:
                    self._ports.facts.answered(answered(call, found, "", 0, 0))
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
        hook: Hook = NO_HOOK,
    ) -> QueuedRequest:
        """Keep a request whose input is wrong: fal takes those too, and says so with the result.

        Raises:
            TooMany: This app has too many of them.
            Unavailable: Without Redis.
        """
        key = caller.key
        asked = RequestSpec(
            id=request_id,
            upstream=self._ports.sellers[key.kind].name,
            kind=key.kind,
            team=key.team,
            app=key.app,
            key=key.id,
            endpoint=spec.endpoint,
            fingerprint="",
            arguments={},
            webhook=hook.url,
            base_url=hook.base_url,
        )
        await self._pace_rejections(f"{key.team}/{key.app}")
        return await self._put(NewRequest(asked=asked), "failed", rejection_of(rejection))

    async def _pace_rejections(self, app: str) -> None:
        """Keep no more of these than an app may need to see what is wrong: nobody pays for them."""
        try:
            exceeded = await self._ports.rates.take({f"rejected:{app}": _REJECTIONS_A_SECOND})
        except Unavailable:
            self._ports.facts.unchecked()
            return
        if exceeded is not None:
            raise TooMany(
                f"{_REJECTIONS_A_SECOND} requests of this app in a second had wrong input, and no "
                "more of them are kept; send this one again to see what is wrong with it",
                math.ceil(exceeded.retry_after_ms / 1000),
            )

    async def wait(self, call: AdmittedRequest, *, key: str) -> QueuedRequest:
        """Take a request and wait for its end, whoever asked it first.

        Raises:
            Refusal: Whatever stands in the way, or that it takes longer.
        """
        deadline_s = asyncio.get_running_loop().time() + self._wait_s
        async with self._claims.together.on_the_line(call):
            request = await self.submit(call, key=key)
            return await self._ended(request, deadline_s)

    async def _ended(self, request: QueuedRequest, deadline_s: float) -> QueuedRequest:
        loop = asyncio.get_running_loop()
        alarm = self._wakes.set(request.asked.id)
        try:
            while not (request := await self._read(request.asked.id)).ended:
                left_s = deadline_s - loop.time()
                if left_s <= 0:
                    raise TimedOut("The pictures are still being made; ask again to get them")
                await self._wakes.sleep(alarm, min(left_s, _LOOK_AGAIN_S))
                alarm.event.clear()
        finally:
            self._wakes.stop(alarm)
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
    # The fingerprint says whose pool it is, which is nowhere in the body.
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
    )
    return NewRequest(asked=asked, digest=digest if repeatable else "", repeats_ms=repeats_ms)


def _repeatable(call: AdmittedRequest, key: str, digest: str) -> tuple[str, int]:
    """What names an equal request, and for how long after its end, ms; 0: while it is kept.

    fal's clients send again by themselves what they had no reply to. Whatever may be bought again
    needs a name by which that is known, if the caller gives none.
    """
    owner = f"{call.key.kind}:{call.key.team}/{call.key.app}"
    if key:
        # Hashed, a key of the caller's is short and says nothing.
        return f"{owner}:{hashlib.sha256(key.encode()).hexdigest()}", 0
    if call.treatment.fresh:
        return f"{owner}:{call.treatment.fresh}:{call.key.id}:{digest}", _SENT_AGAIN_MS
    return "", 0
