"""Every directive beside every state of a pool: what is answered, and what the headers say."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]

TTL = re.compile("; ttl=[1-9][0-9]{1,6}")
MISS = (200, "miss", "falgate; fwd=miss; stored", 2)
OTHERS = (200, "miss", "falgate; fwd=request; stored", 2)
"""There are pictures, and the request would not have them."""
REFRESH = (200, "bypass", "falgate; fwd=request; stored", 2)
ASIDE = (200, "bypass", "falgate; fwd=request", 2)
HIT = (200, "hit", "falgate; hit; ttl", 0)
DERIVED = (200, "derived", "falgate; hit; ttl; detail=derived", 0)
PARTIAL = (200, "partial", "falgate; fwd=partial; stored", 1)
NONE = (504, "miss", "falgate; detail=only-if-cached", None)

# What is asked for is two JPEG pictures.
TABLE: dict[str, dict[str, tuple[Any, ...]]] = {
    "": {"nothing": MISS, "two": HIT, "one": PARTIAL, "png": DERIVED, "one and png": DERIVED},
    "no-cache": dict.fromkeys(("nothing", "two", "one", "png", "one and png"), REFRESH),
    "no-store": dict.fromkeys(("nothing", "two", "one", "png", "one and png"), ASIDE),
    "no-cache, no-store": {"nothing": ASIDE, "two": ASIDE},
    "max-age=3600": {"nothing": MISS, "two": HIT, "one": PARTIAL, "png": DERIVED},
    'max-age="3600"': {"two": HIT},
    "max-age=0": {"nothing": MISS, "two": OTHERS, "one": OTHERS, "png": MISS},
    "max-age=0, no-cache": {"two": REFRESH},
    "max-age=-1": {"two": HIT},
    "max-age=999999999999999999999": {"two": HIT},
    "only-if-cached": {
        "nothing": NONE,
        "two": HIT,
        "one": NONE,
        "png": DERIVED,
        "one and png": DERIVED,
    },
    "only-if-cached, no-cache": {"two": NONE, "nothing": NONE},
    "only-if-cached, no-store": {"two": NONE},
    "only-if-cached, max-age=0": {"two": NONE, "png": NONE},
    "only-if-cached, max-age=3600": {"two": HIT, "one": NONE},
    "only-if-cached, no-transform": {"two": HIT, "png": NONE},
    "no-transform": {"nothing": MISS, "two": HIT, "one": PARTIAL, "png": MISS},
    "No-Transform , MAX-AGE=3600": {"two": HIT, "png": MISS},
    "max-stale=5, min-fresh=5, unheard-of": {"two": HIT},
}
STATES: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "two": [{"num_images": 2}],
    "one": [{"num_images": 1}],
    "png": [{"num_images": 2, "output_format": "png"}],
    "one and png": [{"num_images": 1}, {"num_images": 2, "output_format": "png"}],
}


def said(answer: httpx.Response) -> tuple[Any, ...]:
    units = answer.headers.get("x-fal-billable-units")
    return (
        answer.status_code,
        answer.headers["x-falgate-cache"],
        TTL.sub("; ttl", answer.headers["cache-status"]),
        None if units is None else int(units),
    )


@pytest.mark.parametrize("directive", TABLE, ids=[f"row{row}" for row in range(len(TABLE))])
async def test_what_each_directive_gets_of_each_pool(directive: str, buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]

    async def outcome(state: str) -> httpx.Response:
        prompt = {"prompt": f"{state}: {directive}"}
        for before in STATES[state]:
            made = await buy(key, **prompt, **before)
            assert made.status_code == 200
        headers = {"Cache-Control": directive} if directive else {}
        return await buy(key, num_images=2, headers=headers, **prompt)

    expected = TABLE[directive]
    answers = dict(zip(expected, await asyncio.gather(*map(outcome, expected)), strict=True))

    assert {state: said(answer) for state, answer in answers.items()} == expected
    for answer in answers.values():
        assert answer.headers["cache-control"] == "private, no-store"
        if answer.status_code == 200:
            assert int(answer.headers["age"]) <= 60
            names = [image["file_name"] for image in answer.json()["images"]]
            assert len(set(names)) == 2
            saved = float(answer.headers["x-falgate-saved-usd"])
            bought = int(answer.headers["x-fal-billable-units"])
            assert saved == pytest.approx((2 - bought) * 0.009)
            assert (float(answer.headers["x-falgate-cost-usd"]) > 0) == (bought > 0)
        else:
            assert answer.headers["x-fal-request-timeout-type"] == "user"


async def test_several_lines_of_one_header_are_one_list(managed: Any, hire: Hire) -> None:
    key = (await hire())["key"]
    lines = [
        ("Authorization", f"Key {key}"),
        ("Cache-Control", "max-age=5"),
        ("Cache-Control", "only-if-cached"),
    ]
    async with httpx.AsyncClient(
        base_url=managed.url, trust_env=False, timeout=PATIENCE_S
    ) as client:
        answer = await client.post(
            "/fal-ai/gpt-image-1.5", json={"prompt": "in two lines"}, headers=lines
        )

    assert said(answer) == NONE


async def test_new_pictures_replace_all_that_were_there(buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]
    old = await buy(key, num_images=2)
    new = await buy(key, headers={"Cache-Control": "no-cache"})
    aside = await buy(key, headers={"Cache-Control": "no-store"})
    later = await buy(key)

    assert later.json() == new.json()
    assert said(later) == (200, "hit", "falgate; hit; ttl", 0)
    assert new.json()["images"][0] not in old.json()["images"]
    assert aside.json() not in (new.json(), old.json())


async def test_a_label_opens_a_pool_of_its_own_that_repeats(buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]
    plain = await buy(key)
    labelled = {"X-Falgate-Variation": "b"}
    other = await buy(key, headers=labelled)
    again = await buy(key, headers=labelled)

    assert said(other)[1:] == (*MISS[1:3], 1)
    assert said(again)[:2] == (200, "hit")
    assert again.json() == other.json() != plain.json()


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Falgate-Variation", "two words"),
        ("X-Falgate-Variation", "x" * 65),
        ("X-Falgate-Scope", "everybody"),
    ],
)
async def test_what_is_no_label_and_no_scope_is_refused(
    header: str, value: str, buy: Buy, hire: Hire
) -> None:
    refused = await buy((await hire())["key"], headers={header: value})

    assert refused.status_code == 422
    assert header in refused.json()["detail"]


@pytest.mark.parametrize("directive", ["no-cache", "no-store", "max-age=60"])
async def test_a_barred_key_buys_nothing_that_is_there(
    directive: str, buy: Buy, hire: Hire
) -> None:
    key = (await hire(permissions={"fresh": False}))["key"]
    await buy(key)

    refused = await buy(key, headers={"Cache-Control": directive})
    asked = await buy(key, headers={"Cache-Control": f"{directive}, only-if-cached"})

    assert refused.status_code == 403
    assert "no-cache" in refused.json()["detail"]
    # What buys nothing is nobody's to forbid.
    assert asked.status_code == (200 if directive == "max-age=60" else 504)


async def test_a_key_that_takes_no_derived_pictures_buys_its_own(buy: Buy, hire: Hire) -> None:
    key = (await hire(permissions={"derive": False}))["key"]
    await buy(key, output_format="png")

    assert said(await buy(key))[1:3] == MISS[1:3]


async def test_an_app_says_what_silence_means_and_callers_may_say_otherwise(
    admin: httpx.AsyncClient, team: str, buy: Buy, hire: Hire
) -> None:
    key = (await hire())["key"]
    app = f"/teams/{team}/apps/app"

    async def set_(**cache: Any) -> None:
        assert (await admin.patch(app, json={"cache": cache})).status_code == 200

    await buy(key)
    await set_(freshness="no-store")
    assert said(await buy(key))[1:3] == ASIDE[1:3]
    assert said(await buy(key, headers={"Cache-Control": "max-age=99"}))[1] == "hit"
    await set_(freshness="no-cache")
    assert said(await buy(key))[1:3] == REFRESH[1:3]
    assert said(await buy(key, headers={"Cache-Control": "only-if-cached"}))[1] == "hit"
    await set_(freshness="cached", max_age_s=1)
    assert said(await buy(key, headers={"Cache-Control": "max-age=99"}))[1] == "hit"
    await set_(callers_may=[], max_age_s=0)
    for header, value in (
        ("Cache-Control", "no-cache"),
        ("Cache-Control", "max-age=99"),
        ("Cache-Control", "no-transform"),
        ("X-Falgate-Variation", "b"),
        ("X-Falgate-Scope", "app"),
    ):
        assert (await buy(key, headers={header: value})).status_code == 403
    assert said(await buy(key))[1] == "hit"
    await set_(ignore_freshness=True)
    for value in ("no-cache", "no-store", "max-age=0"):
        assert said(await buy(key, headers={"Cache-Control": value}))[1] == "hit"


async def test_a_barred_key_of_an_app_that_buys_afresh_gets_what_is_there(
    admin: httpx.AsyncClient, team: str, buy: Buy, hire: Hire
) -> None:
    key = (await hire(permissions={"fresh": False}))["key"]
    await admin.patch(f"/teams/{team}/apps/app", json={"cache": {"freshness": "no-cache"}})

    assert said(await buy(key))[1] == "miss"
    assert said(await buy(key))[1] == "hit"


async def test_a_quote_says_what_the_answer_would(buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]
    quote = "/v1/quote/fal-ai/gpt-image-1.5"

    async def quoted(**arguments: Any) -> tuple[str, int]:
        found = (await buy(key, path=quote, **arguments)).json()
        return found["cache"], found["cached"]

    assert await quoted(num_images=2) == ("miss", 0)
    await buy(key, output_format="png")
    assert await quoted() == ("derived", 1)
    assert await quoted(num_images=2) == ("partial", 1)
    assert await quoted(headers={"Cache-Control": "no-transform"}) == ("miss", 0)
    assert await quoted(output_format="png") == ("hit", 1)
    assert await quoted(output_format="png", headers={"Cache-Control": "no-cache"}) == (
        "bypass",
        0,
    )
    assert await quoted(output_format="png", headers={"Cache-Control": "max-age=0"}) == ("miss", 0)
