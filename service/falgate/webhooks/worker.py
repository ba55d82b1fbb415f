"""Delivering webhooks: at least once, some at a time, again and again for two hours."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from falgate.core.errors import Unavailable
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
from falgate.webhooks.target import origin

_EVERY_S = 1.0
_SWEEP_EVERY_S = 60.0
_LEAVE_S = 0.5
_APART_S = 0.02
_AT_ONCE, _AT_ONCE_EACH = 64, 16
_OUTCOMES: Mapping[State, TriedAs] = {
    "waiting": "later",
    "failed": "failed",
    "delivered": "delivered",
}

GONE = "ResultGone"
"""What is said of a webhook whose request is not kept any more."""


class DeliveryQueue(Protocol):
    """Webhooks that wait. Without Redis: `Unavailable`, and they stay there."""

    async def claim(self, number: int, each: int, busy: Mapping[str, int]) -> list[Claimed]:
        """Take up to so many, of one app's `each` less those that are `busy`."""

    async def settle(self, claimed: Claimed, state: State, said: str, *, after_ms: int = 0) -> bool:
        """Write down what came of an attempt; False when it is another's by now."""

    async def sweep(self) -> int:
        """Forget some that ended long ago; how many it were."""


class Outcomes(Protocol):
    """How requests ended. Without Redis: `Unavailable`."""

    async def outcome(self, request_id: str) -> RequestOutcome | None:
        """What to tell of one; None when it is not kept any more."""


class Sender(Protocol):
    """The way to receivers. Never raises."""

    async def send(self, url: str, request_id: str, body: bytes, now_s: int) -> Attempt:
        """Send one, once, within less time than a claim lasts."""


class DeliveryFacts(Protocol):
    """Metrics and logs. Never raises."""

    def tried(self, event: WebhookAttempted) -> None:
        """A webhook was sent, or could not be."""


class WebhookWorker:
    """Sends what is due, whichever instance did not come to it."""

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
        """Deliver by these ports.

        Args:
            queue: Where they wait.
            outcomes: What they tell.
            sender: Who sends them.
            facts: Who is told of that.
            every_s: How often to look.
            at_once: How many may be under way here.
            at_once_each: How many of one app's: a slow receiver keeps only its own waiting.
            chance: From 0 to 1; spreads attempts that failed together.
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
        """Look now: a request has ended here that wants to be told of."""
        self._look.set()

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then is anybody's when its claim lapses."""
        swept_s = float("-inf")
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._look.clear()
                # Without Redis no request ends; what ended before waits there.
                with suppress(Unavailable):
                    for claimed in await self._due():
                        task = asyncio.create_task(self._deliver(claimed))
                        tasks.add(task)
                        task.add_done_callback(tasks.discard)
                    if time.monotonic() - swept_s >= _SWEEP_EVERY_S:
                        await self._queue.sweep()
                        swept_s = time.monotonic()
                # One look for many that end together.
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
            # What is known must not be lost: it would be sent again.
            await retry_until_available(
                lambda: self._queue.settle(claimed, state, attempt.said, after_ms=after_ms)
            )
        except Unavailable:
            # What it is about cannot be read: anybody's when the claim lapses.
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
        except Exception as error:  # noqa: BLE001 - whatever it was, others have to be delivered
            return Attempt(taken=False, said=type(error).__name__)

    def _next(self, claimed: Claimed, attempt: Attempt) -> tuple[State, int]:
        """What a webhook is after an attempt, and when it is due again, if it waits."""
        if attempt.taken:
            return "delivered", 0
        if attempt.said == GONE:
            return "failed", 0
        wait_s = pause_s(claimed.delivery.attempts, self._chance())
        return ("failed", 0) if wait_s is None else ("waiting", round(wait_s * 1000))

    def _note(self, claimed: Claimed, state: State, attempt: Attempt, took_s: float) -> None:
        delivery = claimed.delivery
        self._facts.tried(
            WebhookAttempted(
                request_id=delivery.request_id,
                subject=delivery.subject,
                target=origin(delivery.url),
                outcome="gone" if attempt.said == GONE else _OUTCOMES[state],
                attempt=delivery.attempts,
                said=attempt.said,
                took_s=took_s,
            )
        )
