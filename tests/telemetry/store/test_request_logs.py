"""The request logs in Redis: bounded, found by id, and paged over all teams without a gap."""

from typing import Any, cast

import pytest
from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.clock import now_ms
from falgate.telemetry.logged_request import LogFilter, LoggedRequest, LogKind
from falgate.telemetry.request_log import RequestLog
from falgate.telemetry.store import request_logs
from falgate.telemetry.store.request_logs import RequestLogs

EVERYTHING = LogFilter()


def one(name: str, **changed: Any) -> LoggedRequest:
    fields: dict[str, Any] = {
        "id": name, "at_ms": 1, "outcome": "miss", "route": "run", "status": 200, "team": "web",
        "app": "shop", "key": "k", "model": "a/b", "upstream": "fal", "about": {"budget": "x"},
    }  # fmt: skip
    return LoggedRequest(**{**fields, **changed})


def refused(name: str, **changed: Any) -> LoggedRequest:
    return one(name, outcome="refused", status=402, reason="budget", **changed)


@pytest.fixture
def logs(redis: Redis) -> RequestLogs:
    return RequestLogs(redis)


@pytest.fixture
def log(logs: RequestLogs) -> RequestLog:
    return RequestLog(logs)


async def passed(redis: Redis, at_ms: int) -> None:
    """Wait until Redis's clock is past a time."""
    while await now_ms(redis) <= at_ms:
        pass


async def pages(log: RequestLog, wanted: LogFilter = EVERYTHING, number: int = 7) -> list[str]:
    found, cursor = list[str](), ""
    while True:
        page, cursor = await log.page(wanted, cursor=cursor, number=number)
        assert len(page) <= number
        found += [each.id for each in page]
        if not cursor:
            return found


async def test_a_request_is_found_as_it_was_logged(logs: RequestLogs, log: RequestLog) -> None:
    requests = [one("a"), refused("b", team=""), one("c", outcome="hit", number=9, team="ads")]
    await logs.add(requests)

    assert [await log.find(each.id) for each in requests] == requests
    assert await log.find("d") is None
    assert await log.find("c", team="ads") == requests[2]
    assert await log.find("c", team="web") is None


async def test_a_repeat_changes_nothing(logs: RequestLogs, redis: Redis) -> None:
    await logs.add([one("a"), one("b")])
    before = await redis.xrange(keyspace.request_log("bought", "web"))

    await logs.add([one("a"), one("b")])

    assert await redis.xrange(keyspace.request_log("bought", "web")) == before


async def test_each_log_is_bounded_and_its_ids_with_it(
    logs: RequestLogs, log: RequestLog, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_logs, "LOGGED_MAX", {"hits": 3, "bought": 5, "refused": 4})
    for number in range(20):
        await logs.add([one(f"m{number}"), one(f"h{number}", outcome="hit"), refused(f"r{number}")])

    sizes: dict[LogKind, int] = {"hits": 3, "bought": 5, "refused": 4}
    for kind, size in sizes.items():
        assert await redis.xlen(keyspace.request_log(kind, "web")) == size
        assert await redis.hlen(keyspace.logged(kind, "web")) == size
    assert await log.find("m14") is None
    assert await log.find("m15") is not None


async def test_what_is_too_old_goes(logs: RequestLogs, log: RequestLog, redis: Redis) -> None:
    await logs.add([one("a"), one("b", team="ads")])
    stream = keyspace.request_log("bought", "web")
    assert 0 < await redis.pttl(stream) <= keyspace.REQUESTS_LOGGED_S * 1000
    await passed(redis, await now_ms(redis) + 1)

    await RequestLogs(redis, kept_ms=1).add([one("c")])

    assert await log.find("a") is None
    assert "bought:ads" not in await redis.zrange(keyspace.REQUEST_LOGS, 0, -1)
    await redis.flushall()  # what expires now would have no type when it is looked at


@pytest.mark.parametrize("number", [1, 7, 500])
async def test_pages_have_every_request_once_newest_first(
    number: int, logs: RequestLogs, log: RequestLog
) -> None:
    names = list[str]()
    for batch in range(30):
        some = [
            one(f"{batch}-{at}", team=f"team-{at % 5}", outcome="hit" if at % 2 else "miss")
            for at in range(batch % 9)
        ]
        if some:
            await logs.add(some)
        names += [each.id for each in some]

    found = await pages(log, number=number)

    assert sorted(found) == sorted(names)
    for team in range(5):
        for odd in range(2):
            mine = [
                name for name in found if int(name[-1]) % 5 == team and int(name[-1]) % 2 == odd
            ]
            batches = [int(name.partition("-")[0]) for name in mine]
            assert batches == sorted(batches, reverse=True)


async def test_pages_are_complete_while_requests_are_added(
    logs: RequestLogs, log: RequestLog
) -> None:
    for number in range(60):
        await logs.add([one(f"old-{number}", team=f"team-{number % 4}")])
    found, cursor = list[str](), ""
    for added in range(1_000):
        page, cursor = await log.page(EVERYTHING, cursor=cursor, number=5)
        found += [each.id for each in page]
        await logs.add([one(f"new-{added}", team=f"team-{added % 6}"), refused(f"bad-{added}")])
        if not cursor:
            break

    assert sorted(found) == sorted(f"old-{number}" for number in range(60))


async def test_filters_find_what_they_name_and_nothing_else(
    logs: RequestLogs, log: RequestLog
) -> None:
    await logs.add(
        [
            one("miss"),
            one("joined", outcome="coalesced", app="blog"),
            one("hit", outcome="hit", model="c/d"),
            one("ads", team="ads", key="other"),
            refused("broke"),
            one("wrong", outcome="refused", status=401, reason="key", team="", app="", key=""),
        ]
    )

    async def named(**wanted: Any) -> set[str]:
        return set(await pages(log, LogFilter(**wanted)))

    assert await named(team="ads") == {"ads"}
    assert await named(app="blog") == await named(app="web/blog") == {"joined"}
    assert await named(key="other") == {"ads"}
    assert await named(model="c/d") == await named(outcome="hit") == {"hit"}
    assert await named(outcome="coalesced") == {"joined"}
    assert await named(outcome="answered") == await named(status=200)
    assert await named(outcome="answered") == {"miss", "joined", "hit", "ads"}
    assert await named(outcome="refused") == {"broke", "wrong"}
    assert await named(reason="key") == await named(status=401) == {"wrong"}
    assert await named(outcome="hit", status=402) == set()


async def test_only_what_was_logged_in_a_time_is_listed(
    logs: RequestLogs, log: RequestLog, redis: Redis
) -> None:
    stream, times = keyspace.request_log("bought", "web"), list[int]()
    for name in "abc":
        await logs.add([one(name)])
        ((entry, _),) = cast("Any", await redis.xrevrange(stream, count=1))
        times.append(int(entry.partition("-")[0]))
        await passed(redis, times[-1])

    between = LogFilter(first_ms=times[1], last_ms=times[2])

    assert await pages(log, between) == ["b"]
    assert await pages(log, between, number=1) == ["b"]
    assert await pages(log, LogFilter(first_ms=times[2])) == ["c"]
    assert await pages(log, LogFilter(last_ms=times[0])) == []


async def test_a_page_of_few_matches_is_short_and_goes_on(
    logs: RequestLogs, log: RequestLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.telemetry.request_log.LOOKED_MAX", 10)
    await logs.add([one("first", app="rare"), *(one(f"{n}") for n in range(25))])

    page, cursor = await log.page(LogFilter(app="rare"), number=5)

    assert (page, bool(cursor)) == ([], True)
    assert await pages(log, LogFilter(app="rare")) == ["first"]


async def test_what_a_filter_cannot_want_is_not_decoded(
    logs: RequestLogs, log: RequestLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await logs.add([*(one(f"r{each}") for each in range(50)), one("rare", key="k-rare")])
    seen = list[str]()

    def decoded(request: str) -> LoggedRequest:
        seen.append(request)
        return request_logs.decoded(request)

    monkeypatch.setattr("falgate.telemetry.request_log.decoded", decoded)

    assert await pages(log, LogFilter(key="k-rare")) == ["rare"]
    assert await pages(log, LogFilter(model="none")) == []
    assert len(seen) == 1
