"""The administration of a gateway that serves: a change counts for the next request."""

from typing import Any

import httpx

from falgate import __version__

PREFIX = "/admin/v1"
MODEL = "/fal-ai/gpt-image-1.5"


async def test_what_an_operator_changes_counts_for_the_next_request(gateway: Any) -> None:
    operator = {"Authorization": f"Bearer {gateway.admin_key}"}
    async with gateway.client() as client:

        async def act(method: str, path: str, body: Any = None) -> httpx.Response:
            done: httpx.Response = await client.request(
                method, PREFIX + path, json=body, headers=operator
            )
            assert done.is_success, done.text
            return done

        async def ask(number: int = 1) -> httpx.Response:
            body = {"prompt": "an operator", "quality": "low", "num_images": number}
            asked: httpx.Response = await client.post(MODEL, json=body, headers=key)
            return asked

        await act("POST", "/teams", {"name": "web"})
        await act("POST", "/teams/web/apps", {"name": "shop"})
        told = (await act("POST", "/keys", {"team": "web", "app": "shop"})).json()
        key = {"Authorization": f"Key {told['key']}"}
        path = f"/keys/{told['record']['id']}"
        assert (await ask()).status_code == 200

        standings = (await act("GET", "/accounts/team:web")).json()
        assert all(float(each["spent_usd"]) > 0 for each in standings)

        await act("PUT", "/budgets/team:web/day", {"limit_usd": "0"})
        refused = await ask(2)
        assert (refused.status_code, "team" in refused.json()["detail"]) == (402, True)
        assert (await ask()).headers["x-falgate-cache"] == "hit"
        await act("POST", "/budgets/team:web/day/raise", {"amount_usd": "1"})
        assert (await ask(2)).status_code == 200

        await act("PATCH", path, {"permissions": {"qualities": ["high"]}})
        assert (await ask()).status_code == 403
        await act("PATCH", path, {"permissions": {"qualities": []}, "disabled": True})
        assert (await ask()).status_code == 403
        await act("PATCH", path, {"disabled": False})
        assert (await ask()).status_code == 200
        await act("POST", f"{path}/revoke")
        assert (await ask()).status_code == 403


async def test_a_key_of_an_app_opens_no_administration(gateway: Any) -> None:
    async with gateway.client() as client:
        refused = await client.get(f"{PREFIX}/keys")

    assert (refused.status_code, refused.headers["content-type"]) == (
        403,
        "application/problem+json",
    )
    assert gateway.admin_key not in gateway.logged()


async def test_a_quote_for_an_app_says_what_a_request_would_cost(gateway: Any) -> None:
    headers = {"Authorization": f"Key {gateway.admin_key}"}
    asked = {"app": "default/default", "request": {"prompt": "a quote", "quality": "low"}}
    async with gateway.client() as client:
        quoted = (await client.post(f"{PREFIX}/quote", json=asked, headers=headers)).json()
        wrong = (
            ({"app": "default/none"}, 404),
            ({"app": "default"}, 400),
            ({"model": "fal-ai/none"}, 404),
            ({"request": {"prompt": "a quote", "quality": "best"}}, 400),
        )
        for change, status in wrong:
            refused = await client.post(f"{PREFIX}/quote", json=asked | change, headers=headers)
            assert refused.status_code == status, refused.text

    assert (quoted["cache"], quoted["asked"], quoted["cached"]) == ("miss", 1, 0)
    assert (quoted["list_usd"], quoted["allowed"]) == ("0.00402", True)


async def test_the_status_says_what_runs_and_names_no_password(gateway: Any) -> None:
    headers = {"Authorization": f"Key {gateway.admin_key}"}
    async with gateway.client() as client:
        found = (await client.get(f"{PREFIX}/status", headers=headers)).json()

    assert (found["version"], found["upstream"]) == (__version__, "sandbox")
    assert (found["redis"]["trouble"], found["store"]["trouble"], found["frozen"]) == (None,) * 3
    assert "organisation:main" in [each["standing"]["account"] for each in found["fullest"]]
    assert "@" not in found["store"]["at"] + found["redis"]["at"]


async def test_the_overview_shows_spend_savings_and_health(gateway: Any, until: Any) -> None:
    headers = {"Authorization": f"Key {gateway.admin_key}"}
    body = {"prompt": "an overview", "quality": "low"}
    async with gateway.client() as client:
        for _ in range(2):
            asked = await client.post(
                MODEL, json=body, headers={"Authorization": f"Key {gateway.key}"}
            )
            assert asked.status_code == 200, asked.text

        async def counted() -> bool:
            found = (await client.get(f"{PREFIX}/overview", headers=headers)).json()
            return bool(found["today"]["hits"]) and bool(found["today"]["purchases"])

        await until(counted)
        found = (await client.get(f"{PREFIX}/overview", headers=headers)).json()
        query = {"team": "default", "top": 0}
        team = (await client.get(f"{PREFIX}/overview", params=query, headers=headers)).json()
        none = await client.get(f"{PREFIX}/overview", params={"team": "none"}, headers=headers)

    windows = {each["standing"]["window"]: each for each in found["spend"]}
    assert windows.keys() >= {"day", "month"}
    assert windows["day"]["standing"]["account"] == "organisation:main"
    assert float(windows["day"]["limit_usd"]) > float(windows["day"]["standing"]["spent_usd"]) > 0
    assert found["teams"][0].keys() == {"team", "booked_usd", "today_usd", "saved_usd", "purchases"}
    assert float(found["today"]["saved"]["hit_usd"]) > 0
    assert 0 < float(found["month"]["hit_share"]) < 1
    assert found["purchases"]["slots_limit"] is None
    assert found["health"] == {
        "redis": None, "store": None, "upstream": None, "lost": 0, "unbanked": 0, "falgate": None
    }  # fmt: skip
    assert (found["upstream"], found["team"], found["frozen"]) == ("sandbox", None, None)
    assert (team["team"], team["teams"], team["purchases"]["waiting"]) == ("default", [], None)
    assert none.status_code == 404
