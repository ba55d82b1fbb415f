"""Changes to what the hold's script does about limits on purchases that must not go unnoticed."""

from typing import Any

from judging import Suite, suite_of

from falgate.accounts.limits import NONE, Exceeded, Limits, PurchaseLimits, PurchaseRates
from falgate.jobs.settlement import Settlement
from falgate.jobs.verdicts import Held


async def paces(world: Any) -> None:
    def terms(**limits: int) -> PurchaseLimits:
        return PurchaseLimits(limits=(NONE, Limits(**limits), NONE, NONE))

    def of_model(**limits: int) -> PurchaseLimits:
        return PurchaseLimits(model=PurchaseRates(**limits))

    assert await world.hold("a", "f", terms=terms(generations_per_minute=2)) == Held()
    assert await world.hold("b", "g", terms=terms(generations_per_minute=2)) == Held()
    slow = await world.hold("c", "h", terms=terms(generations_per_minute=2))
    assert isinstance(slow, Exceeded)
    assert (slow.account, slow.what, slow.limit) == ("team:t", "generations_per_minute", 2)
    assert 50_000 < slow.retry_after_ms <= 60_000
    busy = await world.hold("c", "h", terms=terms(generations_at_once=2))
    assert isinstance(busy, Exceeded)
    assert (busy.what, busy.limit) == ("generations_at_once", 2)
    await world.one.settle(await world.read("a"), Settlement(state="released", charge=0))
    assert await world.hold("c", "h", terms=terms(generations_at_once=2)) == Held()
    model = world.order().accounts[-1]
    assert await world.hold("d", "i", terms=of_model(generations_per_minute=1)) == Held()
    for limit in ({"generations_per_minute": 1}, {"generations_at_once": 3}):
        slow = await world.hold("e", "j", terms=of_model(**limit))
        assert isinstance(slow, Exceeded)
        assert slow.account == model.name


HOLD = "jobs_hold"
SUITE = Suite()
SUITE[paces] = {
    "any_number_at_once": (HOLD, ">= one.at_once then", "> one.at_once then"),
    "one_more_in_a_minute": (HOLD, "if more >= 0 then", "if more > 0 then"),
    "the_pace_of_another": (
        HOLD,
        "KEYS[first_account + #paced + i - 1]\n  if",
        "KEYS[first_account + #paced + 1]\n  if",
    ),
    "a_pace_not_counted": (HOLD, "redis.call('ZADD', pace, whole(now), job_id)", ""),
}

test_the_scripts_as_they_are_pass, test_a_changed_script_is_noticed = suite_of(SUITE)
