"""`falgate cache`: about the pools and pictures of a Redis, and of a gateway that is running."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from patience import TRIP_S

from falgate.cache.fingerprint import prompt_digest, version
from falgate.cache.pool_info import PoolInfo
from falgate.cache.store.pools import Pools
from falgate.core.picture import Picture
from falgate.models.endpoints import MODELS
from falgate.pictures import admin
from falgate.pictures.catalogue import NewPicture
from falgate.pictures.store.catalogue import Catalogue
from falgate.redis.client import connect

Falgate = Callable[..., Result]
Ask = Callable[..., Any]
Refused = Callable[..., str]

MODEL = "fal-ai/gpt-image-1.5"
F, G = "f" * 64, "0" * 64


def picture(digit: str) -> Picture:
    return Picture(
        sha256=digit * 64,
        content_type="image/png",
        size_bytes=9,
        width=1,
        height=2,
        made_s=1_795_000_000,
        until_s=10**10,
    )


ONE, TWO = picture("1"), picture("2")


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@pytest.fixture(autouse=True)
def pools(redis_url: str, redis: Any) -> None:
    """Two pools, of an app that lets prompts be kept and of one that does not."""
    assert redis.ping()

    async def put() -> None:
        async with connect(redis_url, timeout_s=TRIP_S) as client:
            for name, found, app, kept in ((F, ONE, "web/shop", True), (G, TWO, "web/blog", False)):
                about = PoolInfo(
                    endpoint=MODEL,
                    upstream="sandbox",
                    scope="organisation",
                    variation="",
                    version=version(MODELS[MODEL]),
                    prompt_sha256=prompt_digest("a cat"),
                    recorded={"quality": "low"},
                    arguments={"prompt": "a cat"} if kept else None,
                )
                filing = NewPicture(
                    kept=found,
                    value=9_000,
                    app=app,
                    prompt_sha256=about.prompt_sha256,
                    fingerprint=name,
                    about=about,
                )
                assert await Catalogue(client).register(filing)
                assert await Pools(client).append(name, "job", 0, (found,))

    run(put())


def test_pools_are_listed_and_shown(falgate: Falgate, ask: Ask) -> None:
    listed = ask("cache", "list")

    assert {each["fingerprint"] for each in listed} == {F, G}
    (first,) = ask("cache", "list", "--app", "web/shop")
    assert (first["prompt"], first["apps"], first["asked"]) == (
        "a cat",
        ["web/shop"],
        {"quality": "low"},
    )
    assert [each["name"] for each in first["pictures"]] == [ONE.name]
    assert ask("cache", "show", F) == first
    assert {each["fingerprint"] for each in ask("cache", "list", "--prompt", "a cat")} == {F, G}
    assert ask("cache", "list", "--prompt", "a dog") == []
    assert ask("cache", "list", "--older-than", "3600") == []
    assert len(ask("cache", "list", "--limit", "1")) == 1
    table = falgate("cache", "list").stdout
    assert F in table
    assert "a cat" in table
    assert ONE.name in falgate("cache", "show", F).stdout


def test_a_prompt_does_nothing_to_the_terminal(falgate: Falgate, redis_url: str) -> None:
    evil = "\x1b]0;owned\x07\x9b2J\u202etac"

    async def put() -> None:
        async with connect(redis_url, timeout_s=TRIP_S) as client:
            about = PoolInfo(
                endpoint=MODEL,
                upstream="sandbox",
                scope="organisation",
                variation="",
                version=version(MODELS[MODEL]),
                prompt_sha256=prompt_digest(evil),
                recorded={"quality": "low"},
                arguments={"prompt": evil},
            )
            filing = NewPicture(
                kept=TWO,
                value=9_000,
                app="web/shop",
                prompt_sha256=about.prompt_sha256,
                fingerprint="e" * 64,
                about=about,
            )
            assert await Catalogue(client).register(filing)

    run(put())

    for arguments in (("list",), ("show", "e" * 64), ("list", "--json")):
        shown = falgate("cache", *arguments).stdout
        assert "owned" in shown
        assert not set(evil) & set(shown) & {"\x1b", "\x07", "\x9b", "\u202e"}


def test_a_picture_is_shown_by_its_url(falgate: Falgate, ask: Ask) -> None:
    shown = ask("cache", "show", f"http://127.0.0.1/pictures/{ONE.name}")

    assert (shown["name"], shown["app"], shown["pools"]) == (ONE.name, "web/shop", [F])
    assert (shown["value_usd"], shown["pinned"], shown["uses"]) == ("0.009", False, 0)
    assert "web/shop" in falgate("cache", "show", ONE.name).stdout


def test_pictures_are_pinned_rejected_and_purged(falgate: Falgate, ask: Ask) -> None:
    assert ask("cache", "pin", ONE.name)["pinned"]
    assert ask("cache", "show", F)["pictures"][0]["until"] is None
    assert "pinned" in falgate("cache", "show", F).stdout
    assert not ask("cache", "pin", "--off", ONE.name)["pinned"]
    assert ask("cache", "reject", ONE.sha256) == {"pools": 1, "pictures": 1}
    assert ask("cache", "show", F)["pictures"] == []
    assert ask("cache", "purge", "--prompt", "a cat") == {"pools": 1, "pictures": 1}
    assert ask("cache", "list") == []
    assert [line["subject"].split()[0] for line in ask("audit")][::-1] == [
        "pin",
        "pin",
        "reject",
        "purge",
    ]


def test_all_pictures_of_a_model_that_ends_are_pinned(
    falgate: Falgate, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "_PAGE", 1)

    assert ask("cache", "pin", "--model", "openai/gpt-image-2") == {"pinned": 0}
    assert ask("cache", "show", F)["pictures"][0]["until"]
    assert falgate("cache", "pin", "--model", MODEL).stdout == f"2 pictures of {MODEL} are pinned\n"
    for each in (F, G):
        assert ask("cache", "show", each)["pictures"][0]["until"] is None
    assert ask("cache", "show", TWO.name)["pinned"]
    assert [line["subject"] for line in ask("audit")] == [f"pin model {MODEL}"] * 2


def test_pictures_are_found_by_words_of_stored_prompts(
    falgate: Falgate, ask: Ask, refused: Refused
) -> None:
    assert {each["name"] for each in ask("cache", "search")} == {ONE.name, TWO.name}
    (found,) = ask("cache", "search", "CAT", "a")
    assert (found["name"], found["prompt"], found["pool"]) == (ONE.name, "a cat", F)
    assert ask("cache", "search", "dog") == []
    assert [each["name"] for each in ask("cache", "search", "--app", "web/blog")] == [TWO.name]
    assert len(ask("cache", "search", "--team", "web", "--size", "1x2", "--quality", "low")) == 2
    assert len(ask("cache", "search", "--limit", "1")) == 1
    assert ask("cache", "search", "--pinned") == ask("cache", "search", "--to", "2020-01-01") == []
    assert ONE.name in falgate("cache", "search", "cat").stdout
    assert "words" in refused("cache", "search", "?!")


def test_the_request_of_a_picture_is_shown(falgate: Falgate, ask: Ask, refused: Refused) -> None:
    shown = falgate("cache", "request", ONE.name).stdout
    assert "$FALGATE_URL/fal-ai/gpt-image-1.5" in shown
    assert "a cat" in shown
    assert "fal_client.run" in falgate("cache", "request", ONE.name, "--as", "python").stdout
    assert ask("cache", "request", ONE.name)["arguments"] == {"prompt": "a cat"}
    assert "does not keep prompts" in refused("cache", "request", TWO.name)


def test_a_reason_is_kept(ask: Ask) -> None:
    ask("cache", "pin", ONE.name, "--why", "on the cover")
    ask("cache", "reject", ONE.name, "--why", "six fingers")

    assert [line["why"] for line in ask("audit")] == ["six fingers", "on the cover"]


def test_what_makes_no_sense_is_refused_in_one_line(refused: Refused) -> None:
    assert "is no model; there are" in refused("cache", "pin", "--model", "fal-ai/nothing")
    assert "Name one picture, or a model" in refused("cache", "pin")
    assert "Name one picture, or a model" in refused("cache", "pin", ONE.name, "--model", MODEL)
    assert "Give exactly one of" in refused("cache", "purge")
    both = ("--everything", "--app", "web/shop")
    assert "give --yes" in refused("cache", "purge", *both)
    assert "Give exactly one of" in refused("cache", "purge", *both, "--yes")
    assert "--older-than" in refused("cache", "purge", "--app", "web/shop", "--older-than", "-1")
    assert "no such pool" in refused("cache", "show", "a" * 64)
    assert "by its fingerprint" in refused("cache", "show", "nothing")
    assert "no such picture" in refused("cache", "reject", "a" * 64)
    assert "is no JSON" in refused("cache", "reroll", ONE.name, "--request", "{")


def test_what_needs_a_gateway_says_so(falgate: Falgate, refused: Refused) -> None:
    assert "FALGATE_ADMIN_KEY" in refused("cache", "forget", "a cat")
    Path(".falgate").mkdir(exist_ok=True)
    made = json.loads(falgate("keys", "admin", "--json").stdout)["key"]
    (Path(".falgate") / "admin-key").write_text(made)

    for asked in (("forget", "a cat"), ("reroll", ONE.name)):
        ask = refused("cache", *asked, "--url", "http://127.0.0.1:9")
        assert "no gateway answers at http://127.0.0.1:9" in ask
