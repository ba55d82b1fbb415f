"""Alerts: noted once, sent until they arrive or a day has passed."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from falgate.core.errors import Unavailable
from falgate.core.events import Alert, Alerted, AlertFailed
from falgate.webhooks.alerts import AlertWorker

pytestmark = pytest.mark.usefixtures("no_pauses")

CROSSED_S = 1_763_820_000
ALERT = Alerted(
    alert=f"{CROSSED_S * 1000}-0", upstream="fal", account="team:web", level="team",
    window="day:2026-11-22", percent=80, limit=10, spent=8,
    what="threshold", held=0,
)  # fmt: skip


class Queue:
    """One alert that may be taken again at any time."""

    def __init__(self) -> None:
        self.fresh: list[Alert] = [ALERT]
        self.just: list[Alert] = []
        self.taken: list[Alert] = []
        self.time_s = CROSSED_S + 1
        self.warned: list[str] = []
        self.down = False

    async def new(self) -> Sequence[Alert]:
        """Not taken yet."""
        if self.down:
            raise Unavailable("down")
        self.just, self.fresh = self.fresh, []
        self.taken += self.just
        return self.just

    async def again(self, pauses_s: Sequence[int]) -> Sequence[Alert]:
        """Taken before."""
        assert list(pauses_s) == sorted(pauses_s)
        return [alert for alert in self.taken if alert not in self.just]

    async def warn(self, upstream: str) -> None:
        """Take note."""
        self.warned.append(upstream)

    async def done(self, alert: Alert) -> None:
        """Forget it."""
        self.taken.remove(alert)

    async def now_s(self) -> int:
        """The clock."""
        return self.time_s


class Hook:
    """Says what it is told to."""

    def __init__(self) -> None:
        self.problem = ""
        self.sent: list[str] = []

    async def send(self, alert: Alert, now_s: int) -> str:
        """Take note."""
        assert now_s > CROSSED_S
        self.sent.append(alert.alert)
        return self.problem


class Facts:
    """What was noted."""

    def __init__(self) -> None:
        self.crossed: list[Alert] = []
        self.problems: list[AlertFailed] = []
        self.refusing: list[str] = []

    def alerted(self, event: Alert) -> None:
        """Take note."""
        self.crossed.append(event)

    def unpaid(self) -> Sequence[str]:
        """One upstream, at the first time."""
        found, self.refusing = self.refusing, []
        return found

    def untold(self, event: AlertFailed) -> None:
        """Take note."""
        self.problems.append(event)


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
def facts() -> Facts:
    return Facts()


async def test_without_a_hook_an_alert_is_noted_and_done_with(queue: Queue, facts: Facts) -> None:
    await AlertWorker(queue, None, facts).look()

    assert (facts.crossed, queue.taken) == ([ALERT], [])


async def test_an_alert_that_arrived_is_not_sent_again(
    queue: Queue, hook: Hook, facts: Facts
) -> None:
    alerting = AlertWorker(queue, hook, facts)
    await alerting.look()
    queue.time_s += 100
    await alerting.look()

    assert (hook.sent, facts.crossed, facts.problems) == ([ALERT.alert], [ALERT], [])


async def test_an_alert_that_did_not_arrive_is_sent_again_under_its_id(
    queue: Queue, hook: Hook, facts: Facts
) -> None:
    alerting = AlertWorker(queue, hook, facts)
    hook.problem = "503"
    await alerting.look()
    queue.time_s += 100
    hook.problem = ""
    await alerting.look()

    assert hook.sent == [ALERT.alert, ALERT.alert]
    assert facts.crossed == [ALERT]
    assert facts.problems == [AlertFailed(alert=ALERT.alert, problem="503", lost=False)]
    assert queue.taken == []


async def test_an_alert_that_another_took_is_noted_too(
    queue: Queue, hook: Hook, facts: Facts
) -> None:
    await queue.new()
    queue.just = []

    await AlertWorker(queue, hook, facts).look()

    assert (facts.crossed, hook.sent, queue.taken) == ([ALERT], [ALERT.alert], [])


async def test_after_a_day_an_alert_is_given_up(queue: Queue, hook: Hook, facts: Facts) -> None:
    hook.problem = "ConnectError"
    queue.time_s += 86_400

    await AlertWorker(queue, hook, facts).look()

    assert facts.problems[-1].lost
    assert queue.taken == []


async def test_without_redis_there_is_nothing_to_tell(
    queue: Queue, hook: Hook, facts: Facts
) -> None:
    queue.down = True

    with pytest.raises(Unavailable):
        await AlertWorker(queue, hook, facts).look()
    assert facts.crossed == []


async def test_alerts_are_sent_at_once_so_that_no_slow_answer_keeps_the_others_back(
    queue: Queue, facts: Facts
) -> None:
    later = replace(ALERT, alert=f"{CROSSED_S * 1000}-1")
    queue.fresh = [ALERT, later]
    both = asyncio.Barrier(2)

    class Meeting(Hook):
        """Answers none before the other one was sent too."""

        async def send(self, alert: Alert, now_s: int) -> str:
            """Wait for the other."""
            await both.wait()
            return await super().send(alert, now_s)

    hook = Meeting()
    async with asyncio.timeout(5):
        await AlertWorker(queue, hook, facts).look()

    assert sorted(hook.sent) == [ALERT.alert, later.alert]
    assert queue.taken == []


async def test_an_alert_that_cannot_be_forgotten_keeps_no_other_from_being_sent(
    queue: Queue, hook: Hook, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = replace(ALERT, alert=f"{CROSSED_S * 1000}-1")
    queue.fresh = [ALERT, later]

    async def down(_: Alert) -> None:
        raise Unavailable("down")

    monkeypatch.setattr(queue, "done", down)
    with pytest.raises(Unavailable):
        await AlertWorker(queue, hook, facts).look()

    assert sorted(hook.sent) == [ALERT.alert, later.alert]


async def test_an_exhausted_balance_becomes_an_alert(
    queue: Queue, hook: Hook, facts: Facts
) -> None:
    facts.refusing = ["fal"]
    alerting = AlertWorker(queue, hook, facts)
    await alerting.look()
    await alerting.look()

    assert queue.warned == ["fal"]
