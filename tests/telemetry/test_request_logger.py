"""The request log's writer: bounded in memory and per batch, with sums that are right."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from falgate.core.errors import Unavailable
from falgate.core.events import Answered, Refused
from falgate.core.picture import Picture
from falgate.telemetry.counts import Labels
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.hits import HitCounter, HitKind
from falgate.telemetry.logged_request import LoggedRequest
from falgate.telemetry.metrics import Metrics
from falgate.telemetry.request_logger import NOTED_MAX, PICKED_MAX, RequestLogger

HIT = Answered(
    request_id="", model="a/b", upstream="fal", team="web", app="shop", key="k", job="",
    source="hit", pictures=2, billed=0, saved=9, took_s=0.001, waited_s=0, reused=2, quality="low",
    fingerprint="", route="run",
)  # fmt: skip
REFUSED = Refused(
    request_id="r", route="run", status=429, team="web", app="shop", key="k", reason="pace",
    error_type="rate_limited", about={"limit": "x"}, asked=True,
)  # fmt: skip


class Written:
    """Logs that can be out of reach."""

    def __init__(self) -> None:
        self.down = False
        self.batches: list[Sequence[LoggedRequest]] = []

    async def add(self, requests: Sequence[LoggedRequest]) -> None:
        """As the store does it."""
        if self.down:
            raise Unavailable("down")
        self.batches.append(requests)

    @property
    def all(self) -> list[LoggedRequest]:
        """Every request that was written."""
        return [each for batch in self.batches for each in batch]


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def unlogged() -> Counter[Labels]:
    return Counter()


@pytest.fixture
def logger(written: Written, unlogged: Counter[Labels]) -> RequestLogger:
    return RequestLogger(written, unlogged)


def hit(number: int, **changed: Any) -> LoggedRequest:
    event = msgspec.structs.replace(HIT, request_id=f"r-{number}", **changed)
    return LoggedRequest.answered(event, number)


async def test_few_requests_are_logged_one_by_one(logger: RequestLogger, written: Written) -> None:
    for number in range(PICKED_MAX["hits"]):
        logger.note(hit(number))

    await logger.flush()
    await logger.flush()

    assert [each.id for each in written.all] == [f"r-{n}" for n in range(PICKED_MAX["hits"])]
    assert {each.number for each in written.all} == {1}


@pytest.mark.parametrize("noted", [21, 40, 41, 1_000, 100_000])
async def test_of_many_equal_ones_a_few_stand_for_all(
    noted: int, logger: RequestLogger, written: Written
) -> None:
    for number in range(noted):
        logger.note(hit(number))

    await logger.flush()

    assert 10 <= len(written.all) <= PICKED_MAX["hits"]
    assert sum(each.number for each in written.all) == noted
    assert sum(each.saved for each in written.all) == 9 * noted
    assert sum(each.pictures for each in written.all) == 2 * noted
    spread = [each.number for each in written.all]
    assert max(spread) <= noted // 5


async def test_requests_of_many_kinds_are_bounded_and_sums_are_right(
    logger: RequestLogger, written: Written
) -> None:
    for number in range(3_000):
        logger.note(hit(number, app=f"app-{number % 300}", team="web"))

    await logger.flush()

    assert len(written.all) <= PICKED_MAX["hits"]
    assert sum(each.number for each in written.all) == 3_000
    blurred = [each for each in written.all if not each.app]
    by_app = Counter[str]()
    for each in written.all:
        by_app[each.app] += each.number
    assert {by_app[app] for app in by_app if app} == {10}
    assert blurred


async def test_each_team_and_kind_has_a_share_of_its_own(
    logger: RequestLogger, written: Written
) -> None:
    for number in range(500):
        logger.note(hit(number))
    logger.note(hit(500, team="ads"))
    logger.note(hit(501, source="miss", job="j"))
    logger.note(LoggedRequest.refused(REFUSED, 502))

    await logger.flush()

    assert [each.id for each in written.all[-3:]] == ["r-500", "r-501", "r"]


async def test_purchases_are_logged_one_by_one(logger: RequestLogger, written: Written) -> None:
    for number in range(100):
        logger.note(hit(number, source="miss", job=f"j-{number}"))

    await logger.flush()

    assert len(written.all) == 100
    assert max(map(len, written.batches)) <= 200


async def test_without_redis_requests_are_dropped_and_counted(
    logger: RequestLogger, written: Written, unlogged: Counter[Labels]
) -> None:
    written.down = True
    for number in range(70):
        logger.note(hit(number))
    with pytest.raises(Unavailable):
        await logger.flush()
    written.down = False

    await logger.flush()

    assert (written.batches, unlogged) == ([], {("redis",): 70})


async def test_what_waits_in_memory_is_bounded(
    logger: RequestLogger, written: Written, unlogged: Counter[Labels]
) -> None:
    for number in range(2 * NOTED_MAX):
        logger.note(hit(number, team=f"team-{number}"))

    await logger.flush()

    assert len(written.all) == NOTED_MAX
    assert unlogged == {("many",): NOTED_MAX}


async def test_hits_of_the_fast_path_are_all_accounted_for(
    logger: RequestLogger, written: Written
) -> None:
    telemetry = Telemetry(Metrics(), lambda *_: None, log=logger)
    counter = HitCounter(telemetry, lambda *_: None)
    picture = Picture(
        sha256="0" * 64, content_type="image/png", size_bytes=1, width=1, height=1, made_s=1
    )
    kinds = [HitKind(HIT, "pool", (picture,), 0), HitKind(HIT, "other", (picture,), 0)]
    noted = defaultdict[int, int](int)
    for batch in range(4):
        for number in range(7 * batch + 1):
            counter.note(kinds[number % 2], b"id-%d-%d" % (batch, number), 0.002)
            noted[batch] += 1
        counter.count()

    await logger.flush()

    assert sum(each.number for each in written.all) == sum(noted.values())
    assert written.all[0].id == "id-0-0"
    assert {each.took_ms for each in written.all} == {2.0}
    assert len({each.id for each in written.all}) == len(written.all) <= PICKED_MAX["hits"]


async def test_who_only_polls_is_not_logged(logger: RequestLogger, written: Written) -> None:
    telemetry = Telemetry(Metrics(), lambda *_: None, log=logger)
    telemetry.refused(msgspec.structs.replace(REFUSED, asked=False))
    telemetry.refused(REFUSED)

    await logger.flush()

    assert [(each.id, each.status, each.about) for each in written.all] == [
        ("r", 429, {"limit": "x"})
    ]
