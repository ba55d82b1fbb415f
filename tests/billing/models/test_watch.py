"""A model that fal changed is stopped once, until an operator has looked."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from easel import ENDPOINT, document, easel, inputs
from publishing import Publisher, publishing
from redis.asyncio import Redis

from falgate.billing.model_drift import ModelDriftWatch
from falgate.billing.model_drift_report import ModelDrift
from falgate.billing.store.model_drifts import ModelDrifts
from falgate.core.account import Account
from falgate.fal.documents import DocumentUnavailable, FalDocuments
from falgate.fal.platform import FalPlatform
from falgate.money.stop import Stop
from falgate.money.store.stops import Stops

SUBJECT = Account("model", ENDPOINT)
SPEC = easel(lambda it: it["price"].update(unit_usd="0.01"))


class Facts:
    """Keeps what operators are told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.alerts: list[tuple[str, int]] = []

    def anomaly(self, event: Any) -> None:
        """Something to look at."""
        self.told.append(f"{event.what}: {event.detail}")

    async def alert(self, endpoint: str, change: str) -> None:
        """A model was changed."""
        self.alerts.append((endpoint, len(change)))


@pytest.fixture
def fal() -> Iterator[Publisher]:
    """fal, which says what was pinned."""
    with publishing() as publisher:
        publisher.documents[ENDPOINT] = document()
        publisher.prices[ENDPOINT] = 0.01
        yield publisher


@pytest.fixture
def facts() -> Facts:
    return Facts()


@pytest.fixture
async def watch(redis: Redis, fal: Publisher, facts: Any) -> AsyncIterator[ModelDriftWatch]:
    async with AsyncExitStack() as stack:
        documents, prices = FalDocuments(fal.url), FalPlatform(fal.platform_url, "id:secret")
        stack.push_async_callback(documents.close)
        stack.push_async_callback(prices.close)
        yield ModelDriftWatch(
            [SPEC],
            documents,
            prices,
            drifts=ModelDrifts(redis, "one"),
            tell=facts.alert,
            stops=Stops(redis),
            facts=facts,
        )


@pytest.fixture
def reported(redis: Redis) -> Callable[[], Any]:
    """What operators see of the model."""

    async def report() -> tuple[int, list[str], bool]:
        found: ModelDrift | None = await ModelDrifts(redis).read(ENDPOINT)
        assert found
        stopped = await Stops(redis).read(SUBJECT) is not None
        return found.level, [str(each) for each in found.differences], stopped

    return report


async def test_what_is_as_it_was_is_reported_so(
    watch: ModelDriftWatch, fal: Publisher, reported: Any, facts: Facts
) -> None:
    await watch.look()

    assert await reported() == (0, [], False)
    assert facts.told == []
    assert fal.keys == ["", "Key id:secret"]


async def test_a_new_argument_is_reported_and_stops_nothing(
    watch: ModelDriftWatch, fal: Publisher, reported: Any, facts: Facts
) -> None:
    inputs(fal.documents[ENDPOINT])["mood"] = {"type": "string"}
    await watch.look()

    assert await reported() == (1, ["input.mood: new"], False)
    assert facts.told == []


async def test_a_change_stops_the_model_and_tells_why(
    watch: ModelDriftWatch, fal: Publisher, reported: Any, facts: Facts, redis: Redis
) -> None:
    inputs(fal.documents[ENDPOINT])["quality"]["default"] = "low"
    await watch.look()

    words = 'input.quality.default: "high" is now "low"'
    assert await reported() == (2, [words], True)
    assert facts.told == [f"model_changed: {ENDPOINT}: {words}"]
    assert facts.alerts == [(ENDPOINT, 64)]
    stop = await Stops(redis).read(SUBJECT)
    assert stop
    assert (stop.who, stop.why[:23]) == ("falgate", "fal changed this model;")


async def test_a_price_that_fal_changed_stops_the_model(
    watch: ModelDriftWatch, fal: Publisher, reported: Any
) -> None:
    fal.prices[ENDPOINT] = 0.015
    await watch.look()

    assert await reported() == (2, ["price.unit_usd: 0.01 is now 0.015"], True)


async def test_what_an_operator_resumed_is_not_stopped_again_for_the_same(
    watch: ModelDriftWatch, fal: Publisher, reported: Any, facts: Facts, redis: Redis
) -> None:
    inputs(fal.documents[ENDPOINT])["quality"]["default"] = "low"
    await watch.look()
    stops = Stops(redis)
    assert await stops.put(SUBJECT, await stops.read(SUBJECT), None, "operator")
    await watch.look()
    assert (await reported())[::2] == (2, False)

    inputs(fal.documents[ENDPOINT])["steps"]["maximum"] = 40
    await watch.look()
    assert (await reported())[::2] == (2, True)
    assert len(facts.told) == 2


async def test_an_operators_own_stop_stays_as_it_is(
    watch: ModelDriftWatch, fal: Publisher, redis: Redis
) -> None:
    stops, own = Stops(redis), Stop(who="operator", stopped_s=1, why="a leak")
    await stops.put(SUBJECT, None, own, "operator")
    inputs(fal.documents[ENDPOINT]).pop("note")
    await watch.look()

    assert await stops.read(SUBJECT) == own


async def test_while_fal_does_not_answer_the_last_result_stays(
    watch: ModelDriftWatch, fal: Publisher, reported: Any
) -> None:
    inputs(fal.documents[ENDPOINT])["mood"] = {"type": "string"}
    await watch.look()
    fal.documents.clear()
    await watch.look()

    assert await reported() == (1, ["input.mood: new"], False)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}"])
async def test_a_document_that_is_none_stops_the_model(
    watch: ModelDriftWatch, fal: Publisher, reported: Any, body: bytes
) -> None:
    fal.documents[ENDPOINT] = body
    await watch.look()

    assert (await reported())[::2] == (2, True)


async def test_a_price_that_cannot_be_read_is_no_change(
    watch: ModelDriftWatch, fal: Publisher, reported: Any
) -> None:
    fal.prices[ENDPOINT] = "dear"
    await watch.look()
    assert (await reported())[0] == 0

    fal.prices[ENDPOINT] = None
    await watch.look()
    assert (await reported())[0] == 0


async def test_a_model_that_is_no_longer_described_is_forgotten(
    watch: ModelDriftWatch, redis: Redis
) -> None:
    drifts = ModelDrifts(redis)
    await drifts.keep("acme/former", ModelDrift(at_ms=1))
    await watch.look()

    assert list(await drifts.all()) == [ENDPOINT]


async def test_one_instance_compares_for_all(redis: Redis) -> None:
    assert await ModelDrifts(redis, "one").take_round(60_000)
    assert not await ModelDrifts(redis, "two").take_round(60_000)


async def test_a_document_that_there_is_not_is_said_to_be_missing(fal: Publisher) -> None:
    documents = FalDocuments(fal.url)
    try:
        with pytest.raises(DocumentUnavailable, match=r"fal answered 404 .* acme/none"):
            await documents.document("acme/none")
    finally:
        await documents.close()
