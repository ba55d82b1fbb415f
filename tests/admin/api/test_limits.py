"""/limits: paces of teams, apps and keys, seen and set in one place."""

from collections.abc import Callable
from typing import Any

import httpx

from falgate.models.endpoints import MODELS

Shop = Callable[..., dict[str, Any]]


def test_limits_are_listed_for_teams_then_apps_then_keys_then_models(
    client: httpx.Client, shop: Shop
) -> None:
    key_id = shop(limits={"generations_at_once": 1})["record"]["id"]

    found = client.get("/limits").json()["items"]

    names = ["team:web", "app:web/shop", f"key:{key_id}"]
    models = [f"model:{each}" for each in sorted(MODELS)]
    assert [each["account"] for each in found] == [*names, *models]
    assert [each["generations_at_once"] for each in found] == [0, 0, 1, *[0] * len(models)]
    assert [each["requests_per_second"] for each in found] == [0, 0, 0, *[None] * len(models)]
    assert [each["weight"] for each in found] == [1, None, None, *[None] * len(models)]
    first = client.get("/limits", params={"limit": 1}).json()
    rest = client.get("/limits", params={"cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == found


def test_what_is_not_given_stays(client: httpx.Client, shop: Shop) -> None:
    shop()
    client.patch("/limits/team:web", json={"weight": 3, "requests_per_second": 5})

    done = client.patch("/limits/team:web", json={"generations_per_minute": 60}).json()

    assert (done["weight"], done["requests_per_second"]) == (3, 5)
    assert client.get("/limits/team:web").json() == done
    assert client.get("/teams/web").json()["limits"]["generations_per_minute"] == 60
    app = client.patch("/limits/app:web:shop", json={"generations_at_once": 2}).json()
    assert (app["account"], app["generations_at_once"]) == ("app:web/shop", 2)


def test_a_model_is_limited_until_its_limits_are_taken_away(client: httpx.Client) -> None:
    endpoint = "openai/gpt-image-2.5/flare/text-to-image"
    path = f"/limits/model:{endpoint.replace('/', ':')}"
    client.patch(path, json={"generations_per_minute": 6})

    done = client.patch(path, json={"generations_at_once": 2})

    assert done.json() == {
        "account": f"model:{endpoint}",
        "requests_per_second": None,
        "generations_per_minute": 6,
        "generations_at_once": 2,
        "weight": None,
        "waiting_generations": None,
    }
    assert client.get(path).json() == done.json()
    assert "generations_per_minute = 6" in client.get("/config").text
    client.patch(path, json={"generations_per_minute": 0, "generations_at_once": 0})
    assert "[model" not in client.get("/config").text


def test_limits_that_make_no_sense_are_refused(client: httpx.Client, shop: Shop) -> None:
    shop()

    assert client.patch("/limits/app:web:shop", json={"weight": 2}).status_code == 400
    assert client.patch("/limits/organisation", json={"weight": 2}).status_code == 400
    assert client.get("/limits/organisation:main").status_code == 400
    assert client.get("/limits/team:nope").status_code == 404
    assert client.get("/limits/model:nope").status_code == 404
    model = f"/limits/model:{next(iter(MODELS)).replace('/', ':')}"
    assert client.patch(model, json={"requests_per_second": 1}).status_code == 400
    assert client.patch(model, json={"weight": 1}).status_code == 400
    assert client.patch("/limits/team:web", json={"weight": 0}).status_code == 400
