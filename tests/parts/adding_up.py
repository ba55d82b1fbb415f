"""Adds up days whose roll-ups a test wrote by itself, and checks how others were added up."""

from collections import Counter, defaultdict
from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from falgate.core.calendar import days_of, month_of
from falgate.money.usage import spelt
from falgate.redis import usage_keys
from falgate.redis.script import Script


def add_up(redis: Redis, upstream: str, day: str) -> None:
    """Write the sums of a day anew, as a start of a gateway does for days without them."""
    keys = (
        usage_keys.usage(upstream, day),
        usage_keys.breakdown(upstream, day),
        usage_keys.day_sums(upstream, day),
        usage_keys.month_sums(upstream, month_of(day)),
        usage_keys.callers(upstream),
        *(usage_keys.day_sums(upstream, each) for each in days_of(month_of(day))),
    )
    redis.eval(Script("usage_sums").text, len(keys), *keys, "1")


async def assert_added_up(redis: AsyncRedis, upstream: str) -> None:
    """Check that the sums of all days and months are those of their roll-ups, to the unit."""
    months: defaultdict[str, Counter[str]] = defaultdict(Counter)
    called: dict[str, int] = {}
    async for key in redis.scan_iter(usage_keys.usage(upstream, "*"), count=1_000):
        day = str(key)[-len("2026-11-30") :]
        sums: Counter[str] = Counter()
        for field, number in (await _hash(redis, key)).items():
            team, _, rest = field.partition("/")
            measure = rest.rpartition(":")[2]
            for of in ("", team):
                sums[f"{of}:{measure}"] += int(number)
                months[day[:7]][f"{of}:{measure}"] += int(number)
        for field, number in (await _hash(redis, usage_keys.breakdown(upstream, day))).items():
            subject, _, measure = field.rpartition(":")
            app, (_, model, _, outcome) = spelt(subject)
            for of in ("", app.partition("/")[0]):
                sums[f"{of}|{outcome}:{measure}"] += int(number)
                if model:
                    sums[f"{of}|{outcome}|{model}:{measure}"] += int(number)
            if model:
                score = int(day.replace("-", ""))
                called[f"{model}|{app}"] = max(called.get(f"{model}|{app}", 0), score)
        found = await _hash(redis, usage_keys.day_sums(upstream, day))
        must = {"whole": "1", **{field: str(number) for field, number in sums.items()}}
        wrong = sorted(found.items() ^ must.items())
        assert not wrong, f"{day}: {wrong}"
    for month, counted in months.items():
        found = await _hash(redis, usage_keys.month_sums(upstream, month))
        assert {field: int(number) for field, number in found.items() if number != "0"} == {
            field: number for field, number in counted.items() if number
        }, month
    scores: Any = await redis.zrange(usage_keys.callers(upstream), 0, -1, withscores=True)
    assert {name: int(score) for name, score in scores} == called


async def _hash(redis: AsyncRedis, key: str) -> dict[str, str]:
    found: Any = await redis.hgetall(key)
    return dict(found)
