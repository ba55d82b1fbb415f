"""Delivering: at least once, for two hours, some at a time, whatever one of them does."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec
import pytest
from patience import PATIENCE_S

from falgate.core.errors import Unavailable
from falgate.webhooks.delivery import (
    Attempt,
    Claimed,
    Delivery,
    RequestOutcome,
    State,
    WebhookAttempted,
)
from falgate.webhooks.worker import WebhookWorker

pytestmark = pytest.mark.usefixtures("no_pauses")

URL = "https://hooks.example/told?token=secret"
OK, DOWN = Attempt(taken=True, said="200"), Attempt(taken=False, said="503")


def webhook(request_id: str = "r", attempts: int = 1, subject: str = "web/shop") -> Claimed:
    return Claimed(
        Delivery(
            request_id=request_id,
            url=URL,
            subject=subject,
            upstream="fal",
            state="waiting",
            attempts=attempts,
            began_ms=1,
        ),
        60_000,
        1_763_820_000,
    )


class World:
    """Every port: webhooks that are due, what they tell, who takes them and who is told of it."""

    def __init__(self) -> None:
        self.due: list[Claimed] = []
        self.down = 0
        self.settled: dict[str, tuple[State, str, int]] = {}
        self.asked: list[tuple[int, int, dict[str, int]]] = []
        self.swept = 0
        self.gone: set[str] = set()
        self.broken: set[str] = set()
        self.answers: dict[str, Attempt | Exception] = {}
        self.held = asyncio.Event()
        self.held.set()
        self.sent: list[tuple[str, str, bytes, int]] = []
        self.noted: list[WebhookAttempted] = []

    async def claim(self, number: int, each: int, busy: Mapping[str, int]) -> list[Claimed]:
        """Some that are due."""
        self._fail()
        self.asked.append((number, each, dict(busy)))
        found, self.due = self.due[:number], self.due[number:]
        return found

    async def settle(self, claimed: Claimed, state: State, said: str, *, after_ms: int = 0) -> bool:
        """Take note."""
        self._fail()
        self.settled[claimed.delivery.request_id] = (state, said, after_ms)
        return True

    async def sweep(self) -> int:
        """Take note."""
        self.swept += 1
        return 0

    async def outcome(self, request_id: str) -> RequestOutcome | None:
        """What is to be told."""
        if request_id in self.broken:
            raise Unavailable("down")
        if request_id in self.gone:
            return None
        return RequestOutcome(request_id=request_id, ok=True, payload={"a": 1})

    async def send(self, url: str, request_id: str, body: bytes, now_s: int) -> Attempt:
        """Answer as told, once nobody holds it up."""
        self.sent.append((url, request_id, body, now_s))
        await self.held.wait()
        answer = self.answers.get(request_id, OK)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def tried(self, event: WebhookAttempted) -> None:
        """Take note."""
        self.noted.append(event)

    def _fail(self) -> None:
        if self.down:
            self.down -= 1
            raise Unavailable("down")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def delivering(world: World) -> Callable[..., AbstractAsyncContextManager[WebhookWorker]]:
    """Delivers by these ports as long as a block; without chance."""

    @asynccontextmanager
    async def run(**more: Any) -> Any:
        made = WebhookWorker(
            world, world, world, world, **{"every_s": 0.01, "chance": lambda: 0.5, **more}
        )
        task = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

    return run


Run = Callable[..., AbstractAsyncContextManager[WebhookWorker]]


async def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end_s
        await asyncio.sleep(0.005)


async def test_what_is_due_is_sent_and_settled(world: World, delivering: Run) -> None:
    world.due = [webhook()]
    async with delivering():
        await until(lambda: bool(world.noted))

    [(url, request_id, body, now_s)] = world.sent
    assert (url, request_id, now_s) == (URL, "r", 1_763_820_000)
    assert msgspec.json.decode(body)["payload"] == {"a": 1}
    assert world.settled == {"r": ("delivered", "200", 0)}
    [noted] = world.noted
    assert (noted.outcome, noted.attempt, noted.said) == ("delivered", 1, "200")
    assert noted.target == "https://hooks.example"
    assert "secret" not in repr(noted)


@pytest.mark.parametrize(("attempts", "after_ms"), [(1, 5_000), (6, 600_000), (10, 2_215_000)])
async def test_what_did_not_arrive_is_due_again_ever_later(
    attempts: int, after_ms: int, world: World, delivering: Run
) -> None:
    world.due, world.answers = [webhook(attempts=attempts)], {"r": DOWN}
    async with delivering():
        await until(lambda: bool(world.noted))

    assert world.settled == {"r": ("waiting", "503", after_ms)}
    assert world.noted[0].outcome == "later"


async def test_after_its_eleventh_attempt_a_webhook_is_given_up(
    world: World, delivering: Run
) -> None:
    world.due, world.answers = [webhook(attempts=11)], {"r": DOWN}
    async with delivering():
        await until(lambda: bool(world.noted))

    assert world.settled == {"r": ("failed", "503", 0)}
    assert world.noted[0].outcome == "failed"


async def test_a_request_that_is_not_kept_any_more_has_nothing_to_tell(
    world: World, delivering: Run
) -> None:
    world.due, world.gone = [webhook()], {"r"}
    async with delivering():
        await until(lambda: bool(world.noted))

    assert (world.sent, world.settled) == ([], {"r": ("failed", "ResultGone", 0)})
    assert world.noted[0].outcome == "gone"


async def test_what_cannot_be_read_now_is_left_to_whoever_comes_next(
    world: World, delivering: Run
) -> None:
    world.due, world.broken = [webhook("a"), webhook("b")], {"a"}
    async with delivering():
        await until(lambda: "b" in world.settled)

    assert "a" not in world.settled


async def test_one_that_breaks_down_does_not_keep_the_others(world: World, delivering: Run) -> None:
    world.due, world.answers = [webhook("a"), webhook("b")], {"a": ZeroDivisionError("secret")}
    async with delivering():
        await until(lambda: len(world.noted) == 2)

    assert world.settled["a"] == ("waiting", "ZeroDivisionError", 5_000)
    assert world.settled["b"] == ("delivered", "200", 0)


async def test_that_it_arrived_is_written_down_when_redis_is_back(
    world: World, delivering: Run
) -> None:
    world.due = [webhook()]
    world.held.clear()
    async with delivering():
        await until(lambda: bool(world.sent))
        world.down = 2
        world.held.set()
        await until(lambda: bool(world.noted))

    assert world.settled == {"r": ("delivered", "200", 0)}
    assert len(world.sent) == 1


async def test_without_redis_it_is_looked_again(world: World, delivering: Run) -> None:
    world.down, world.due = 3, [webhook()]
    async with delivering():
        await until(lambda: bool(world.settled))

    assert world.down == 0


async def test_only_so_many_are_under_way_at_once(world: World, delivering: Run) -> None:
    world.due = [webhook(f"r{number}", subject=f"web/{number % 2}") for number in range(5)]
    world.held.clear()
    async with delivering(at_once=3, at_once_each=2):
        await until(lambda: len(world.sent) == 3)
        assert world.asked == [(3, 2, {})]
        world.held.set()
        await until(lambda: len(world.settled) == 5)

    assert all(number + sum(busy.values()) == 3 for number, _, busy in world.asked)


async def test_who_is_busy_is_told_to_the_next_claim(world: World, delivering: Run) -> None:
    world.due = [webhook(subject="web/slow")]
    world.held.clear()
    async with delivering(at_once=3):
        await until(lambda: len(world.asked) > 1)

    assert world.asked[1] == (2, 16, {"web/slow": 1})


async def test_a_wake_up_is_looked_after_at_once(world: World, delivering: Run) -> None:
    async with delivering(every_s=3_600) as woken:
        await until(lambda: len(world.asked) == 1)
        world.due = [webhook()]
        woken.wake()
        await until(lambda: bool(world.settled))

    assert world.swept == 1
