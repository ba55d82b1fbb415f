"""An operator buys in the playground what an app would buy, without the secret of its key."""

import asyncio
from typing import Any

import httpx
import pytest

PREFIX = "/admin/v1"
MODEL = "fal-ai/gpt-image-1.5"


class Play:
    """The playground of a gateway, with a team of its own."""

    def __init__(self, client: httpx.AsyncClient, admin_key: str) -> None:
        """Ask a gateway by `client`."""
        self._client = client
        self._headers = {"Authorization": f"Key {admin_key}", "X-Falgate-Actor": "ann"}
        self.key = self.secret = ""

    async def act(self, method: str, path: str, body: Any = None, **more: str) -> httpx.Response:
        """Ask the admin API."""
        return await self._client.request(
            method, PREFIX + path, json=body, headers={**self._headers, **more}
        )

    async def set_up(self, app: str, **key: Any) -> None:
        """Make an app and its key."""
        team, _, name = app.partition("/")
        asked = {"team": team, "app": name, "key": {"name": "first", **key}}
        done = (await self.act("POST", "/setup", asked)).raise_for_status().json()
        self.key, self.secret = done["record"]["id"], done["key"]

    def asked(self, prompt: str, **more: Any) -> dict[str, Any]:
        """A request of the playground."""
        request = {"prompt": prompt, "quality": "low", **more.pop("request", {})}
        return {"key": self.key, "model": MODEL, "request": request, **more}

    async def buy(self, prompt: str, **more: Any) -> httpx.Response:
        """Buy in the playground."""
        return await self.act("POST", "/playground", self.asked(prompt, **more))

    async def ended(self, taken: httpx.Response) -> dict[str, Any]:
        """How a request ended."""
        assert taken.status_code == 202, taken.text
        while True:
            path = f"/playground/{taken.json()['request_id']}"
            found = (await self.act("GET", path)).raise_for_status().json()
            if found["ended"]:
                told: dict[str, Any] = found
                return told
            await asyncio.sleep(0.02)

    async def bought_by_app(self, prompt: str, **more: Any) -> httpx.Response:
        """Ask as the app does, with the secret."""
        headers = {"Authorization": f"Key {self.secret}"}
        body = {"prompt": prompt, "quality": "low", **more}
        return await self._client.post(f"/{MODEL}", json=body, headers=headers)


@pytest.fixture
async def play(gateway: Any) -> Any:
    """A playground of a key that exists for this test."""
    async with gateway.client() as client:
        yield Play(client, gateway.admin_key)


async def test_what_is_bought_is_what_the_app_would_have_got(play: Play) -> None:
    await play.set_up("play/bought")

    quoted = (await play.act("POST", "/playground/quote", play.asked("a lighthouse"))).json()
    taken = await play.buy("a lighthouse")
    found = await play.ended(taken)
    again = await play.ended(await play.buy("a lighthouse"))
    by_app = await play.bought_by_app("a lighthouse")

    assert (quoted["cache"], quoted["allowed"], quoted["key"]) == ("miss", True, play.key)
    assert (found["step"], found["source"], found["error"]) == ("done", "miss", None)
    assert float(found["billed_usd"]) > 0
    (picture,) = found["pictures"]
    headers = {each["name"]: each["value"] for each in found["headers"]}
    assert headers["X-Falgate-Cache"] == "miss"
    assert headers["x-fal-request-id"] == taken.headers["x-fal-request-id"] == found["request_id"]
    assert (again["source"], again["billed_usd"]) == ("hit", "0.00")
    assert by_app.headers["x-falgate-cache"] == "hit"
    assert by_app.json()["images"][0]["file_name"] == picture["name"]
    (entry,) = [
        each
        for each in (await play.act("GET", "/ledger?app=play/bought")).json()["items"]
        if each["kind"] == "close"
    ]
    assert entry["key"] == play.key


async def test_the_audit_log_says_who_bought_and_no_prompt(play: Play, gateway: Any) -> None:
    await play.set_up("play/audited")

    taken = await play.buy("a secret lighthouse")
    await play.ended(taken)
    audit = await play.act("GET", "/audit?limit=5")

    line = next(each for each in audit.json()["items"] if each["action"] == "playground")
    assert (line["who"], line["subject"]) == ("admin:ann", taken.json()["request_id"])
    assert line["after"]["key"] == play.key
    assert "secret lighthouse" not in audit.text + gateway.logged()


async def test_a_wrong_request_marks_its_fields_without_the_input(play: Play) -> None:
    await play.set_up("play/wrong")
    wrong = {"quality": "best", "num_images": 99}

    for path in ("/playground", "/playground/quote"):
        refused = await play.act("POST", path, play.asked("my prompt", request=wrong))

        assert refused.status_code == 422, refused.text
        errors = refused.json()["errors"]
        assert [each["loc"] for each in errors] == [["body", "quality"], ["body", "num_images"]]
        assert all(each["msg"] for each in errors)
        assert "my prompt" not in refused.text


async def test_it_is_refused_as_the_app_would_be(play: Play) -> None:
    limits = {"requests_per_second": 1}
    await play.set_up("play/limited", permissions={"qualities": ["low"]}, limits=limits)

    assert (await play.buy("one")).status_code == 202
    paced = await play.buy("two")
    assert (paced.status_code, paced.json()["error_type"]) == (429, "rate_limit_exceeded")
    assert paced.headers["retry-after"]
    lifted = {"limits": {"requests_per_second": 0}}
    await play.act("PATCH", f"/keys/{play.key}", lifted)
    not_allowed = await play.buy("three", request={"quality": "high"})
    assert not_allowed.status_code == 403
    await play.act("PUT", f"/budgets/key:{play.key}/day", {"limit_usd": "0"})
    quoted = (await play.act("POST", "/playground/quote", play.asked("four"))).json()
    assert [each["account"] for each in quoted["refused_by"]] == [f"key:{play.key}"]
    broke = await play.buy("four")
    assert (broke.status_code, broke.json()["error_type"]) == (402, "budget_exceeded")
    assert broke.json()["detail"].startswith("The day budget of key:")
    unknown = await play.buy("five", model="fal-ai/none")
    assert unknown.status_code == 404


@pytest.mark.parametrize("how", ["disabled", "revoked"])
async def test_a_key_that_cannot_be_used_buys_nothing(play: Play, how: str) -> None:
    await play.set_up(f"play/{how}")
    if how == "disabled":
        await play.act("PATCH", f"/keys/{play.key}", {"disabled": True})
    else:
        await play.act("POST", f"/keys/{play.key}/revoke")

    refused = await play.buy("a lighthouse")
    by_app = await play.act(
        "POST", "/playground", play.asked("x") | {"key": "", "app": f"play/{how}"}
    )

    assert refused.status_code == 403
    assert refused.json()["detail"].startswith(f"This key is {how}")
    assert (by_app.status_code, "make one first" in by_app.json()["detail"]) == (409, True)


async def test_an_app_is_named_instead_of_a_key_and_cache_directives_count(play: Play) -> None:
    await play.set_up("play/fresh")
    named = {"key": "", "app": "play/fresh"}

    first = await play.ended(await play.buy("a boat", **named))
    fresh = await play.ended(await play.buy("a boat", **named, cache_control="no-cache"))
    varied = await play.ended(await play.buy("a boat", **named, variation="blue"))

    assert [each["source"] for each in (first, fresh, varied)] == ["miss", "bypass", "miss"]
    assert first["key"] == play.key
    only = await play.buy("a ship", **named, cache_control="only-if-cached")
    assert only.status_code == 504


async def test_a_repeat_with_an_idempotency_key_buys_once(play: Play) -> None:
    await play.set_up("play/repeated")
    asked = play.asked("a tower", cache_control="no-cache")

    one, other = [
        await play.act("POST", "/playground", asked, **{"Idempotency-Key": "form-7"})
        for _ in range(2)
    ]

    assert one.json() == other.json()


async def test_one_of_key_and_app_is_given_and_must_exist(play: Play) -> None:
    await play.set_up("play/named")
    for change, status in (
        ({"app": "play/named"}, 400),
        ({"key": ""}, 400),
        ({"key": "none"}, 404),
        ({"key": "", "app": "play/none"}, 404),
    ):
        refused = await play.act("POST", "/playground", play.asked("x") | change)
        assert refused.status_code == status, refused.text
    assert (await play.act("GET", "/playground/none")).status_code == 404
