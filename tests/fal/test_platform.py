"""fal's own books: read whole and exactly, or not at all."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import pytest

from falgate.fal.billing import BooksClosed, totals
from falgate.fal.client import FalQueue
from falgate.fal.platform import FalPlatform
from falgate.models.endpoints import MODELS

ENDPOINT = "fal-ai/gpt-image-1.5"
SPEC = MODELS[ENDPOINT]
FOREVER = (0, 10**14)


def body(prompt: str) -> dict[str, Any]:
    return SPEC.purchase(SPEC.input(prompt=prompt, quality="low"), 1)


@pytest.fixture
async def platform(sandbox: str) -> AsyncIterator[Callable[..., FalPlatform]]:
    """Makes clients of the sandbox's books, or of another URL's."""
    async with AsyncExitStack() as stack:

        def make(url: str = sandbox.replace("/queue", "/v1"), key: str = "id:s") -> FalPlatform:
            client = FalPlatform(url, key)
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
async def bought(fal: Any, queue: Callable[..., FalQueue]) -> list[str]:
    """Three requests that fal has carried out, by their ids."""
    fal.turn(work_s=0)
    for number in range(3):
        await queue().submit(ENDPOINT, body(f"wish {number}"), "job")
    return [entry["request_id"] for entry in fal.books()["submits"]]


def page(key: str, *items: dict[str, Any], **more: Any) -> str:
    return json.dumps({key: items, "has_more": False, "next_cursor": None} | more)


async def test_requests_come_with_what_was_sent_and_when(
    platform: Callable[..., FalPlatform], bought: list[str]
) -> None:
    listed = await platform().requests(ENDPOINT, *FOREVER)

    assert [each.request_id for each in listed] == bought
    assert [each.input for each in listed] == [body(f"wish {n}") for n in range(3)]
    assert {each.endpoint for each in listed} == {ENDPOINT}
    assert all(abs(each.sent_ms - time.time() * 1000) < 60_000 for each in listed)


async def test_only_requests_of_a_time_are_listed(
    platform: Callable[..., FalPlatform], bought: list[str]
) -> None:
    listed = await platform().requests(ENDPOINT, *FOREVER)
    second_ms = listed[1].sent_ms

    assert listed[1] in await platform().requests(ENDPOINT, second_ms, second_ms + 1)
    assert await platform().requests(ENDPOINT, 5, 10) == ()
    assert len(await platform().billed_between(ENDPOINT, 5, 10)) == 0
    assert len(await platform().billed_between(ENDPOINT, *FOREVER)) == len(bought)


async def test_what_was_billed_is_exact(
    fal: Any, platform: Callable[..., FalPlatform], bought: list[str]
) -> None:
    events = await platform().billed(bought[:2])

    truth = {entry["request_id"]: entry["billed_micros"] for entry in fal.books()["submits"]}
    assert totals(events) == {each: truth[each] for each in bought[:2]}
    assert all(truth.values())


async def test_every_page_is_read(
    platform: Callable[..., FalPlatform], bought: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.fal.platform._PAGE", 1)
    monkeypatch.setattr("falgate.fal.platform._IDS_AT_ONCE", 2)

    assert len(await platform().requests(ENDPOINT, *FOREVER)) == len(bought)
    assert len(await platform().billed(bought)) == len(bought)


async def test_a_list_that_is_longer_than_is_read_is_none(
    platform: Callable[..., FalPlatform], bought: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("falgate.fal.platform._PAGE", 1)
    monkeypatch.setattr("falgate.fal.platform._PAGES_MAX", len(bought) - 1)

    with pytest.raises(BooksClosed, match="longer"):
        await platform().requests(ENDPOINT, *FOREVER)


async def test_lists_lag(fal: Any, queue: Callable[..., FalQueue], platform: Any) -> None:
    fal.turn(lag_s=3600, work_s=0)
    await queue().submit(ENDPOINT, body("late"), "job")

    assert await platform().requests(ENDPOINT, *FOREVER) == ()
    assert await platform().billed_between(ENDPOINT, *FOREVER) == ()


EVENTS: dict[str, tuple[dict[str, Any], Decimal | None]] = {
    "total": ({"cost_total": 0.034}, Decimal("0.034")),
    "total before estimate": (
        {"cost_total": 0.034, "cost_estimate_nano_usd": 99_000_000},
        Decimal("0.034"),
    ),
    "estimate alone": ({"cost_estimate_nano_usd": 34_000_001}, Decimal("0.034000001")),
    "no total": ({"cost_total": None, "cost_estimate_nano_usd": 34_000_000.0}, Decimal("0.034")),
    "text": ({"cost_total": "0.034"}, Decimal("0.034")),
    "not a number": ({"cost_total": "NaN"}, None),
    "no amount": ({}, None),
}


@pytest.mark.parametrize(("said", "dollars"), EVENTS.values(), ids=EVENTS)
async def test_an_event_says_its_amount_in_one_of_two_ways(
    peer: Any, say: Any, platform: Callable[..., FalPlatform], said: Any, dollars: Decimal | None
) -> None:
    there = await peer(say(200, page("billing_events", {"request_id": "a", **said})))

    [event] = await platform(there.url).billed(["a"])

    assert event.dollars == dollars


async def test_events_of_others_are_left_out(peer: Any, say: Any, platform: Any) -> None:
    both = [{"request_id": each, "cost_total": 1} for each in ("a", "b")]
    there = await peer(say(200, page("billing_events", *both)))

    assert [event.request_id for event in await platform(there.url).billed(["a"])] == ["a"]


async def test_events_beside_what_was_asked_are_left_out(
    peer: Any, say: Any, platform: Callable[..., FalPlatform]
) -> None:
    """As where fal does not know the times of the question."""
    events = [
        {"request_id": "in time", "timestamp": "2026-11-22T14:00:00Z"},
        {"request_id": "no time"},
        {"request_id": "before", "timestamp": "2026-11-22T13:59:59.999Z"},
        {"request_id": "after", "timestamp": "2026-11-22T14:00:01Z"},
        {"request_id": "another model", "endpoint_id": "acme/easel"},
    ]
    there = await peer(say(200, page("billing_events", *events)))
    since_ms = 1_795_356_000_000

    found = await platform(there.url).billed_between(ENDPOINT, since_ms, since_ms + 1000)

    assert [event.request_id for event in found] == ["in time", "no time"]


INPUTS: dict[str, tuple[Any, Any]] = {
    "object": ({"prompt": "x"}, {"prompt": "x"}),
    "text of an object": ('{"prompt": "x"}', {"prompt": "x"}),
    "text of a list": ("[1]", None),
    "text": ("x", None),
    "a number": (5, None),
    "deep": ("[" * 100_000, None),
    "nothing": (None, None),
}


@pytest.mark.parametrize(("kept", "read"), INPUTS.values(), ids=INPUTS)
async def test_an_input_is_an_object_or_not_known(
    peer: Any, say: Any, platform: Callable[..., FalPlatform], kept: Any, read: Any
) -> None:
    others: list[dict[str, Any]] = [{}, {"request_id": "b", "endpoint_id": "acme/easel"}]
    there = await peer(say(200, page("items", {"request_id": "a", "json_input": kept}, *others)))

    [listed] = await platform(there.url).requests(ENDPOINT, 5, 10)

    assert (listed.input, listed.sent_ms, listed.endpoint) == (read, 0, ENDPOINT)


BROKEN = {
    "no admin key": (403, '{"error":{"type":"x","message":"This API key is not permitted"}}'),
    "an error": (500, "secret-prompt"),
    "a redirect": (302, ""),
    "no JSON": (200, "<html>secret-prompt"),
    "no list": (200, '{"items": null}'),
    "a list of text": (200, '{"items": ["secret-prompt"]}'),
    "no cursor": (200, page("items", has_more=True)),
    "the same cursor for ever": (200, page("items", has_more=True, next_cursor="1")),
}


@pytest.mark.parametrize(("status", "text"), BROKEN.values(), ids=BROKEN)
async def test_books_that_make_no_sense_are_closed(
    peer: Any, say: Any, platform: Callable[..., FalPlatform], status: int, text: str
) -> None:
    there = await peer(say(status, text))

    with pytest.raises(BooksClosed) as caught:
        await platform(there.url, key="id:secret-key").requests(ENDPOINT, 5, 10)

    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


async def test_books_out_of_reach_are_closed(platform: Callable[..., FalPlatform]) -> None:
    with pytest.raises(BooksClosed):
        await platform("http://127.0.0.1:1").billed(["a"])


async def test_its_key_is_shown_to_nobody_else(platform: Callable[..., FalPlatform]) -> None:
    assert "secret" not in repr(platform("http://127.0.0.1:1", key="id:secret"))
