"""Operators are warned of models that end, once each time, and their pictures are kept."""

# ruff: noqa: D102 - the ports say what each method does

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from falgate.accounts.directory import Directory, Gone, Model, gone_name
from falgate.core.events import ModelAlerted
from falgate.models.endpoints import MODELS
from falgate.webhooks.retirement import RetirementWatch

ENDPOINT, SUCCESSOR = "fal-ai/gpt-image-1.5", "openai/gpt-image-2"
DAY_S = 86_400
DEC_1_S = 1_796_083_200


class World:
    """A clock, a queue of alerts, and what is known of models."""

    def __init__(self) -> None:
        self.now = DEC_1_S - 200 * DAY_S
        self.directory = Directory(1, {}, {})
        self.called: dict[str, Sequence[str]] = {ENDPOINT: ["web/shop", "web/blog"]}
        self.asked_callers = 0
        self.alerts = list[ModelAlerted]()
        self.names = set[str]()
        self.turns = dict[str, int]()
        self.kept = list[str]()

    async def once(self, name: str, alert: ModelAlerted) -> bool:
        if name in self.names:
            return False
        self.names.add(name)
        self.alerts.append(alert)
        return True

    async def told(self, name: str) -> bool:
        return name in self.names

    async def turn(self, of: str, lease_s: int) -> bool:
        if self.now < self.turns.get(of, 0):
            return False
        self.turns[of] = self.now + lease_s
        return True

    async def now_s(self) -> int:
        return self.now

    async def callers(self, upstream: str, days: int) -> Mapping[str, Sequence[str]]:
        assert (upstream, days) == ("fal", 30)
        self.asked_callers += 1
        return self.called

    async def latest(self) -> Directory:
        return self.directory

    async def keep(self, endpoint: str) -> None:
        self.kept.append(endpoint)

    def watch(self) -> RetirementWatch:
        return RetirementWatch(
            MODELS, "fal", self.latest, callers=self, alerts=self, keep=self.keep
        )


@pytest.fixture
def world() -> World:
    return World()


async def test_apps_that_still_call_a_model_are_named_90_30_and_7_days_before_and_at_its_end(
    world: World,
) -> None:
    watches = [world.watch(), world.watch()]
    days: dict[int, ModelAlerted] = {}
    while world.now < DEC_1_S + 10 * DAY_S:
        for watch in watches:
            await watch.look()
        for alert in world.alerts[len(days) :]:
            days[alert.days_left] = alert
        world.now += DAY_S // 2

    assert list(days) == [90, 30, 7, 0]
    assert {alert.apps for alert in days.values()} == {("web/shop", "web/blog")}
    assert {(alert.model, alert.successor, alert.what) for alert in days.values()} == {
        (ENDPOINT, SUCCESSOR, "retires")
    }
    assert days[7].retires == "2026-12-01"
    assert world.kept.count(ENDPOINT) == 10


async def test_nobody_is_warned_of_a_model_that_no_app_calls(world: World) -> None:
    world.called = {}
    world.now = DEC_1_S - 5 * DAY_S
    await world.watch().look()

    assert world.alerts == []


async def test_a_watch_that_comes_late_warns_once_of_the_day_that_is_near(world: World) -> None:
    world.now = DEC_1_S - 5 * DAY_S
    await world.watch().look()

    assert [alert.days_left for alert in world.alerts] == [5]


async def test_another_day_is_another_warning(world: World) -> None:
    world.now = DEC_1_S - 5 * DAY_S
    await world.watch().look()
    world.directory = Directory(2, {}, {}, models={ENDPOINT: Model(retires=date(2026, 12, 3))})
    world.now += DAY_S
    await world.watch().look()

    assert [alert.retires for alert in world.alerts] == ["2026-12-01", "2026-12-03"]


async def test_that_a_model_is_gone_is_told_at_once_and_once(world: World) -> None:
    gone = Gone(since_s=world.now, seen_s=world.now)
    world.directory = Directory(1, {}, {}, gone={gone_name("fal", ENDPOINT): gone})
    for _ in range(3):
        await world.watch().look()
        world.now += 15

    (alert,) = world.alerts
    assert (alert.what, alert.model, alert.apps) == ("gone", ENDPOINT, ("web/shop", "web/blog"))
    assert world.kept == []
    world.now += DAY_S
    await world.watch().look()
    assert ENDPOINT in world.kept


async def test_a_model_that_is_gone_at_another_upstream_is_not_told(world: World) -> None:
    gone = Gone(since_s=world.now, seen_s=world.now)
    world.directory = Directory(1, {}, {}, gone={gone_name("sandbox", ENDPOINT): gone})
    await world.watch().look()

    assert world.alerts == []


async def test_calls_are_counted_only_where_a_model_is_near_its_end(world: World) -> None:
    await world.watch().look()

    assert world.asked_callers == 0


async def test_a_change_of_a_model_is_told_once_with_the_apps_that_call_it(world: World) -> None:
    for change in ("a", "a", "b"):
        await world.watch().tell_changed(ENDPOINT, change)

    assert [(alert.what, alert.model, alert.apps) for alert in world.alerts] == [
        ("changed", ENDPOINT, ("web/shop", "web/blog"))
    ] * 2
