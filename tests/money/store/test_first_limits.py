"""Limits from the settings: applied once for each value, so that what operators set stays."""

from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from falgate.core.account import ORGANISATION
from falgate.core.calendar import Calendar
from falgate.first_start import set_limits
from falgate.money.budget import Budget
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger
from falgate.settings import Settings

LIVE = "fal"
USD = 1_000_000


class Books:
    """Books that gateways start on, again and again."""

    def __init__(self, redis: Redis, budgets: Budgets) -> None:
        self.ledger = Ledger(redis)
        self.budgets = budgets

    async def start(self, daily: str = "", overage: str = "", live: str = LIVE) -> list[Any]:
        """Start one with these settings; what it logs."""
        settings = Settings(fal_key="k", org_daily_usd=daily, overage_usd=overage)
        with capture_logs() as logs:
            await set_limits(self.budgets, self.ledger, settings, live)
        return [(line["event"], line["setting"]) for line in logs]

    async def operator_sets(self, usd: int, **more: Any) -> None:
        """As `falgate budgets set org day` does."""
        was = await self.budgets.read(LIVE, ORGANISATION, "day")
        now = Budget(limit=usd * USD, **more)
        assert await self.budgets.put(LIVE, ORGANISATION, "day", was=was, now=now, who="me")

    async def daily(self, live: str = LIVE) -> int | None:
        """The organisation's budget for a day, in dollars."""
        found = await self.budgets.read(live, ORGANISATION, "day")
        return None if found is None else found.limit // USD

    async def overage(self) -> int:
        """The overage limit, in dollars."""
        return (await self.budgets.overage(LIVE))[0] // USD


@pytest.fixture
def books(redis: Redis, calendar: Calendar) -> Books:
    return Books(redis, Budgets(redis, calendar))


async def test_without_a_setting_the_first_start_decides(books: Books) -> None:
    await books.start()
    assert (await books.daily(), await books.overage()) == (10, 1)

    await books.operator_sets(80)
    await books.budgets.set_overage(LIVE, 3 * USD, "me")
    await books.start()

    assert (await books.daily(), await books.overage()) == (80, 3)


@pytest.mark.parametrize("usd", [5, 80])
async def test_a_restart_leaves_what_an_operator_set_since(usd: int, books: Books) -> None:
    await books.start("50", "2")
    assert (await books.daily(), await books.overage()) == (50, 2)
    await books.operator_sets(usd, alerts=(90,))
    await books.budgets.set_overage(LIVE, usd * USD, "me")

    said = await books.start("50", "2")

    assert (await books.daily(), await books.overage()) == (usd, usd)
    assert said == [
        ("setting.overruled", "FALGATE_ORG_DAILY_USD"),
        ("setting.overruled", "FALGATE_OVERAGE_USD"),
    ]


async def test_another_value_is_applied_at_the_next_start(books: Books) -> None:
    await books.start("50", "2")
    await books.operator_sets(80, alerts=(90,))

    assert await books.start("60", "4") == []

    assert (await books.daily(), await books.overage()) == (60, 4)
    budget = await books.budgets.read(LIVE, ORGANISATION, "day")
    assert budget == Budget(limit=60 * USD, alerts=(90,))
    assert await books.start("60", "4") == []


async def test_a_setting_that_is_taken_away_and_given_again_changes_nothing(
    books: Books,
) -> None:
    await books.start("50")
    await books.operator_sets(80)

    await books.start()
    await books.start("50")

    assert await books.daily() == 80


async def test_a_budget_that_was_removed_stays_away(books: Books) -> None:
    await books.start("50")
    month = Budget(limit=USD)
    assert await books.budgets.put(LIVE, ORGANISATION, "month", was=None, now=month, who="me")
    was = await books.budgets.read(LIVE, ORGANISATION, "day")
    assert await books.budgets.put(LIVE, ORGANISATION, "day", was=was, now=None, who="me")

    await books.start("50")

    assert await books.daily() is None


async def test_each_sellers_books_are_given_the_setting_once(books: Books) -> None:
    await books.start("50")

    await books.start("50", live="another")

    assert await books.daily("another") == 50


async def test_the_overage_account_of_an_earlier_version_is_taken_over_once(
    budgets: Budgets, redis: Redis
) -> None:
    earlier: dict[Any, Any] = {"limit": "7", "overrun": "3"}
    await redis.hset("{fg}:house:fal", mapping=earlier)

    await budgets.open_overage("fal", 100)
    await budgets.open_overage("fal", 100)

    assert await budgets.overage("fal") == (7, 3)
    assert not await redis.exists("{fg}:house:fal")
