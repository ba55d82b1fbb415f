"""What a key may do, on the routes: its caps, its networks, and when it opens no more."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.accounts.directory import App, Team
from falgate.accounts.store.registry import Registry

MODEL = "/fal-ai/gpt-image-1.5"
UNKNOWN = {"detail": "No user found for Key ID and Secret"}
ELSEWHERE = {"detail": "This key may not be used from here"}

Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]


def refused(why: str) -> dict[str, str]:
    return {"detail": f"This key is {why}. Ask whoever runs falgate for another one."}


async def ends(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Ask until it is refused."""
    async with asyncio.timeout(PATIENCE_S):
        answer = await ask()
        while not answer.is_error:
            await asyncio.sleep(0.1)
            answer = await ask()
    return answer


@pytest.mark.parametrize("prefix", ["", "/run", "/v1/quote"])
@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        ({"quality": "high"}, "This key may not use this quality; it may use low, medium"),
        (
            {"image_size": "1536x1024"},
            "This key may not use this image_size; it may use 1024x1024",
        ),
        ({"num_images": 3}, "This key may ask for 2 pictures at once, not for 3"),
    ],
)
async def test_what_is_beyond_a_keys_caps_is_refused_and_not_cut_down(
    buy: Buy, hire: Hire, prefix: str, arguments: dict[str, Any], detail: str
) -> None:
    caps = {"qualities": ["low", "medium"], "sizes": ["1024x1024"], "pictures_max": 2}
    key = (await hire(permissions=caps))["key"]
    answer = await buy(key, f"{prefix}{MODEL}", **arguments)

    assert (answer.status_code, answer.json()) == (403, {"detail": detail})
    assert answer.headers["x-fal-request-id"]


async def test_what_is_within_them_is_served(buy: Buy, hire: Hire) -> None:
    caps = {
        "models": ["fal-ai/gpt-image-1.5"],
        "qualities": ["low"],
        "sizes": ["1024x1024"],
        "pictures_max": 2,
    }
    key = (await hire(permissions=caps))["key"]

    assert (await buy(key, num_images=2)).status_code == 200
    assert (await buy(key, quality="medium")).status_code == 403


async def test_a_key_of_a_family_may_use_its_models_and_no_others(buy: Buy, hire: Hire) -> None:
    family = "openai/gpt-image-2.5/*"
    key = (await hire(permissions={"models": [family]}))["key"]

    for name in ("flare", "sunburst"):
        path = f"/openai/gpt-image-2.5/{name}/text-to-image"
        assert (await buy(key, path, image_size="square_hd")).status_code == 200
    refused = await buy(key)
    assert refused.status_code == 403
    assert refused.json() == {"detail": f"This key may not use this model; it may use {family}"}


async def test_a_cap_holds_for_what_is_already_there(buy: Buy, hire: Hire) -> None:
    """It is about what a key may have, not only about what it may buy."""
    free = (await hire())["key"]
    capped = (await hire(permissions={"pictures_max": 1}))["key"]
    assert (await buy(free, num_images=2)).status_code == 200

    assert (await buy(capped, num_images=2)).status_code == 403
    assert (await buy(capped)).headers["x-falgate-cache"] == "hit"


async def test_a_problem_with_the_input_is_told_before_a_cap(buy: Buy, hire: Hire) -> None:
    key = (await hire(permissions={"qualities": ["low"]}))["key"]

    assert (await buy(key, quality="hd")).status_code == 422


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("203.0.113.9", 200),
        ("198.51.100.1", 200),
        ("2001:db8:1::9", 200),
        ("::ffff:203.0.113.9", 200),
        ("203.0.114.9", 403),
        ("2001:db9::1", 403),
        ("::ffff:203.0.114.9", 403),
        ("nowhere", 403),
    ],
)
async def test_a_key_is_good_in_its_networks_only(
    buy: Buy, hire: Hire, address: str, status: int
) -> None:
    networks = ["203.0.113.0/24", "198.51.100.1", "2001:db8::/32"]
    key = (await hire(permissions={"networks": networks}))["key"]
    answer = await buy(key, headers={"X-Forwarded-For": address})

    assert answer.status_code == status
    assert status == 200 or answer.json() == ELSEWHERE


async def test_an_address_that_nobody_vouches_for_is_not_believed(gateway: Any) -> None:
    """This gateway trusts no proxy, so that a caller is where its connection comes from."""
    async with gateway.admin() as admin, gateway.client() as client:
        permissions = {"networks": ["203.0.113.0/24"]}
        body = {"team": "default", "app": "app", "permissions": permissions}
        key = (await admin.post("/keys", json=body)).json()["key"]
        headers = {"Authorization": f"Key {key}", "X-Forwarded-For": "203.0.113.9"}
        answer = await client.post(MODEL, json={"prompt": "x"}, headers=headers)

    assert (answer.status_code, answer.json()) == (403, ELSEWHERE)


async def test_a_wrong_secret_learns_nothing_of_a_keys_networks(buy: Buy, hire: Hire) -> None:
    hired = await hire(permissions={"networks": ["203.0.113.0/24"]})
    other = await hire()
    assert (await buy(hired["key"])).status_code == 403
    kind_and_id, secret = hired["key"].rsplit("_", 2)[0], other["key"].split("_")[3]
    answer = await buy(f"{kind_and_id}_{secret}_000000")

    assert (answer.status_code, answer.json()) == (401, UNKNOWN)


async def test_a_disabled_key_is_refused_at_once_and_good_again_when_enabled(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient
) -> None:
    hired = await hire()
    path = f"/keys/{hired['record']['id']}"
    assert (await buy(hired["key"])).status_code == 200
    assert (await admin.patch(path, json={"disabled": True})).status_code == 200
    answer = await buy(hired["key"])
    assert (await admin.patch(path, json={"disabled": False})).status_code == 200

    assert (answer.status_code, answer.json()) == (403, refused("disabled"))
    assert (await buy(hired["key"])).status_code == 200


async def test_a_key_is_good_until_it_expires(buy: Buy, hire: Hire) -> None:
    until = datetime.now(UTC) + timedelta(seconds=3)
    key = (await hire(expires_at=until.isoformat()))["key"]
    assert (await buy(key)).status_code == 200
    answer = await ends(lambda: buy(key))

    assert (answer.status_code, answer.json()) == (403, refused("expired"))
    assert datetime.now(UTC) >= until.replace(microsecond=0)


async def test_both_secrets_are_good_until_the_overlap_ends(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient
) -> None:
    hired = await hire()
    path = f"/keys/{hired['record']['id']}/rotate"
    rotated = (await admin.post(path, json={"overlap_s": 3})).json()
    assert rotated["record"]["id"] == hired["record"]["id"]
    both = [await buy(key) for key in (hired["key"], rotated["key"])]
    answer = await ends(lambda: buy(hired["key"]))

    assert [each.status_code for each in both] == [200, 200]
    assert both[1].headers["x-falgate-cache"] == "hit"
    assert (answer.status_code, answer.json()) == (401, UNKNOWN)
    assert (await buy(rotated["key"])).status_code == 200


async def test_without_an_overlap_the_old_secret_ends_at_once(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient
) -> None:
    hired = await hire()
    path = f"/keys/{hired['record']['id']}/rotate"
    rotated = (await admin.post(path, json={"overlap_s": 0})).json()
    old, new = [await buy(key) for key in (hired["key"], rotated["key"])]

    assert (old.status_code, old.json()) == (401, UNKNOWN)
    assert new.status_code == 200


async def test_a_cap_that_is_set_later_holds_from_the_next_request_on(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient
) -> None:
    hired = await hire()
    assert (await buy(hired["key"], num_images=2)).status_code == 200
    capped = {"permissions": {"pictures_max": 1}}
    path = f"/keys/{hired['record']['id']}"
    assert (await admin.patch(path, json=capped)).status_code == 200

    assert (await buy(hired["key"], num_images=2)).status_code == 403


@pytest.mark.parametrize("gone", ["app", "team"])
async def test_a_key_that_was_made_while_its_app_or_team_was_removed_is_refused(
    buy: Buy, hire: Hire, managed: Any, team: str, gone: str
) -> None:
    """The administration removes no app that has keys; here the key is the quicker one."""
    key = (await hire())["key"]
    redis = managed.redis()
    registry = Registry(redis)
    if gone == "app":
        assert await registry.put_app(f"{team}/app", App(), None, "tests")
    else:
        assert await registry.put_team(team, Team(), None, "tests")
    await redis.aclose()

    answers = [await buy(key, path) for path in (MODEL, f"/v1/quote{MODEL}")]

    why = {"app": "of an app that was removed", "team": "of a team that was removed"}
    for answer in answers:
        assert (answer.status_code, answer.json()) == (403, refused(why[gone]))
