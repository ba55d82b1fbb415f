"""The webhook worker: delivers each webhook at least once, with retries over two hours."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from falgate.core.errors import Unavailable
from falgate.egress.target import origin
from falgate.redis.retry import retry_until_available
from falgate.webhooks.delivery import (
    Attempt,
    Claimed,
    RequestOutcome,
    State,
    TriedAs,
    WebhookAttempted,
    body,
    pause_s,
)

_EVERY_S = 1.0
_SWEEP_EVERY_S = 60.0
_LEAVE_S = 0.5
_APART_S = 0.02
_AT_ONCE, _AT_ONCE_EACH = 64, 16

GONE = "ResultGone"
"""Recorded as the error of a webhook whose request's result has expired."""


class DeliveryQueue(Protocol):
    """Waiting webhooks. Methods raise `Unavailable` without Redis; the webhooks stay queued."""

    async def claim(self, number: int, each: int, busy: Mapping[str, int]) -> list[Claimed]:
        """Claim up to `number` due webhooks; with those `busy`, at most `each` of one app."""

    async def settle(self, claimed: Claimed, state: State, said: str, *, after_ms: int = 0) -> bool:
        """Record the result of an attempt; return False when the claim has expired."""

    async def sweep(self) -> int:
        """Delete some webhooks that ended long ago; return the count."""


class Outcomes(Protocol):
    """Results of requests. Methods raise `Unavailable` without Redis."""

    async def outcome(self, request_id: str) -> RequestOutcome | None:
        """Return the outcome of a request, or None once it has expired."""


class Sender(Protocol):
    """Delivers messages to receivers. Never raises."""

    async def send(self, url: str, request_id: str, body: bytes, now_s: int) -> Attempt:
        """Make one attempt, which takes less time than a claim lasts."""


class DeliveryFacts(Protocol):
    """Metrics and logs of deliveries. Never raises."""

    def tried(self, event: WebhookAttempted) -> None:
        """Record one delivery attempt."""


class WebhookWorker:
    """Delivers due webhooks, including those queued or left unfinished by other instances."""

    def __init__(
        self,
        queue: DeliveryQueue,
        outcomes: Outcomes,
        sender: Sender,
        facts: DeliveryFacts,
        *,
        every_s: float = _EVERY_S,
        at_once: int = _AT_ONCE,
        at_once_each: int = _AT_ONCE_EACH,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Deliver through these ports.

        Args:
            queue: Holds the waiting webhooks.
            outcomes: Supplies the outcome that a webhook reports.
            sender: Sends the message.
            facts: Records each attempt.
            every_s: Poll interval, seconds.
            at_once: Maximum number of concurrent deliveries of this instance.
            at_once_each: Maximum per app, so that a slow receiver only delays its own webhooks.
            chance: Random number from 0 to 1 that spreads the retries of deliveries that failed
                together.
        """
        self._queue = queue
        self._outcomes = outcomes
        self._sender = sender
        self._facts = facts
        self._every_s = every_s
        self._at_once = at_once
        self._at_once_each = at_once_each
        self._chance = chance
        self._busy: Counter[str] = Counter()
        self._look = asyncio.Event()

    def wake(self) -> None:
        """Poll now: a request with a webhook has just ended on this instance."""
        self._look.set()

    async def run(self) -> None:
        """Deliver until cancelled.

        Other instances retry the deliveries under way at that time once their claims expire.
        """
        swept_s = float("-inf")
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._look.clear()
                # Without Redis no request ends, and webhooks queued before stay in Redis.
                with suppress(Unavailable):
                    for claimed in await self._due():
                        task = asyncio.create_task(self._deliver(claimed))
                        tasks.add(task)
                        task.add_done_callback(tasks.discard)
                    if time.monotonic() - swept_s >= _SWEEP_EVERY_S:
                        await self._queue.sweep()
                        swept_s = time.monotonic()
                # Requests that end together share one poll.
                await asyncio.sleep(_APART_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every_s):
                        await self._look.wait()
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=_LEAVE_S)

    async def _due(self) -> list[Claimed]:
        free = self._at_once - self._busy.total()
        if free <= 0:
            return []
        found = await self._queue.claim(free, self._at_once_each, +self._busy)
        self._busy.update(claimed.delivery.subject for claimed in found)
        return found

    async def _deliver(self, claimed: Claimed) -> None:
        begun_s = time.monotonic()
        try:
            attempt = await self._tried(claimed)
            state, after_ms = self._next(claimed, attempt)
            # If this result were lost, the webhook would be sent again.
            await retry_until_available(
                lambda: self._queue.settle(claimed, state, attempt.said, after_ms=after_ms)
            )
        except Unavailable:
            # The outcome could not be read. Any instance retries when the claim expires.
            return
        finally:
            self._busy[claimed.delivery.subject] -= 1
            self._look.set()
        self._note(claimed, state, attempt, time.monotonic() - begun_s)

    async def _tried(self, claimed: Claimed) -> Attempt:
        delivery = claimed.delivery
        try:
            outcome = await self._outcomes.outcome(delivery.request_id)
            if outcome is None:
                return Attempt(taken=False, said=GONE)
            return await self._sender.send(
                delivery.url, delivery.request_id, body(outcome), claimed.now_s
            )
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one failure must not stop other deliveries
            return Attempt(taken=False, said=type(error).__name__)

    def _next(self, claimed: Claimed, attempt: Attempt) -> tuple[State, int]:
        """Return the webhook's next state and, if waiting, the delay to its next attempt, ms."""
        if attempt.taken:
            return "delivered", 0
        if attempt.said == GONE:
            return "failed", 0
        wait_s = pause_s(claimed.delivery.attempts, self._chance())
        return ("failed", 0) if wait_s is None else ("waiting", round(wait_s * 1000))

    def _note(self, claimed: Claimed, state: State, attempt: Attempt, took_s: float) -> None:
        delivery = claimed.delivery
        outcome: TriedAs = "later" if state == "waiting" else state
        self._facts.tried(
            WebhookAttempted(
                request_id=delivery.request_id,
                subject=delivery.subject,
                target=origin(delivery.url),
                outcome="gone" if attempt.said == GONE else outcome,
                attempt=delivery.attempts,
                said=attempt.said,
                took_s=took_s,
            )
        )
