"""Changes to what the hold's script does about stops that must not go unnoticed."""

from typing import Any

from judging import Suite, suite_of

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.jobs.verdicts import Joined, PoolChanged, Waiter
from falgate.money.stop import Stop, Stopped, stoppable
from falgate.money.store.stops import Stops

STOP = Stop(who="w", stopped_s=1, why="a leak")


async def stops(world: Any) -> None:
    kept = Stops(world.redis)
    subjects = stoppable(world.order().accounts)
    await world.bring("a", "f", "accepted")
    await world.one.finish(await world.bring("p", "h", "paid"), (), PoolVersion(7, 1))
    for each in subjects:
        assert await kept.put(each, None, STOP, "w")
        assert await world.hold("b", "g") == Stopped(each, STOP)
        assert await kept.put(each, STOP, None, "w")
    for each in reversed(subjects):
        assert await kept.put(each, None, STOP, "w")
        assert await world.hold("b", "g") == Stopped(each, STOP)
    assert await world.hold("b", "f") == Joined("a")
    assert await world.hold("b", "h") == PoolChanged(7, 1)
    joiner = Waiter(request="", joins=True)
    order = world.order("b", "g")
    asked = world.one.hold(order, PoolVersion(), PurchaseLimits(), joiner)
    assert await asked == Stopped(subjects[0], STOP)
    # Before anything is said of its money: it would not be bought with any.
    assert await world.hold("b", "g", held=100_000) == Stopped(subjects[0], STOP)


HOLD = "jobs_hold"
WHOLE = "redis.call('HMGET', stops, unpack(subjects))"
READ = "local claim = redis.call('GET', pool_flight)"
EARLY = f"""local subjects = cjson.decode(stoppable)
for i, stop in ipairs({WHOLE}) do
  if stop then return {{'stopped', subjects[i], stop}} end
end
{READ}"""
SUITE = Suite()
SUITE[stops] = {
    "never_stopped": (HOLD, "if stop then return", "if false then return"),
    "the_last_in_vain": (HOLD, "unpack(subjects))", "unpack(subjects, 1, #subjects - 1))"),
    "the_widest_only": (HOLD, "unpack(subjects))", "subjects[1])"),
    "the_widest_in_vain": (HOLD, "unpack(subjects))", "'', unpack(subjects, 2))"),
    "another_is_named": (HOLD, "subjects[i], stop}", "subjects[1], stop}"),
    "nobody_joins": (HOLD, READ, EARLY),
}

test_the_scripts_as_they_are_pass, test_a_changed_script_is_noticed = suite_of(SUITE)
