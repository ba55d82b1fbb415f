"""/config: everything as a file, planned and applied."""

import httpx
from redis import Redis

FILE = '[organisation.budget.day]\nlimit_usd = "50"\n[team.web]\nweight = 2\n[team.web.app.shop]\n'

_RECORDS = ("/teams", "/apps", "/limits", "/budgets", "/aliases", "/models")


def test_a_file_is_planned_then_applied_then_nothing_is_left_to_do(client: httpx.Client) -> None:
    planned = client.post("/config/plan", json={"file": FILE}).json()
    assert not planned["applied"]
    assert client.get("/teams").json()["items"] == []

    applied = client.post("/config/apply", json={"file": FILE}).json()

    assert (applied["applied"], applied["steps"]) == (True, planned["steps"])
    assert [(step["action"], step["subject"], step["after"]) for step in applied["steps"]] == [
        ("create", "web", "weight 2"),
        ("create", "web/shop", "no limits"),
        ("create", "organisation:main/day", "$50.00"),
    ]
    written = client.get("/config")
    assert written.headers["content-type"].startswith("application/toml")
    again = {"file": written.text, "prune": True}
    assert client.post("/config/plan", json=again).json()["steps"] == []
    assert client.get("/audit").json()["items"][0]["who"] == "admin"


def test_what_a_file_does_not_name_goes_only_where_that_is_asked_for(client: httpx.Client) -> None:
    client.post("/config/apply", json={"file": FILE}).raise_for_status()
    rest = FILE.partition("[team")[0]

    assert client.post("/config/plan", json={"file": rest}).json()["steps"] == []
    pruned = client.post("/config/apply", json={"file": rest, "prune": True}).json()["steps"]
    assert [(step["action"], step["subject"]) for step in pruned] == [
        ("remove", "web/shop"),
        ("remove", "web"),
    ]


def test_a_file_that_makes_no_sense_is_a_problem(client: httpx.Client) -> None:
    for file in ("[team.web]\nwieght = 2", "no toml", "a = " + "[" * 100):
        refused = client.post("/config/apply", json={"file": file})
        assert refused.status_code == 400, refused.text
    assert client.get("/teams").json()["items"] == []


def test_each_kind_of_key_has_budgets_of_its_own(client: httpx.Client) -> None:
    client.post("/config/apply", params={"books": "test"}, json={"file": FILE}).raise_for_status()

    assert "50" in client.get("/config", params={"books": "test"}).text
    assert "50" not in client.get("/config").text


def test_an_exported_file_makes_all_of_it_again(client: httpx.Client, redis: Redis) -> None:
    model = "/models/fal-ai:gpt-image-1.5"
    for method, path, body in (
        ("PUT", "/budgets/organisation/month", {"limit_usd": "500", "alerts": [50, 80]}),
        ("POST", "/teams", {"name": "web", "weight": 3, "waiting_generations": 7}),
        ("PUT", "/budgets/team:web/day", {"limit_usd": "10", "shadow": True}),
        ("POST", "/teams/web/apps", {"name": "shop", "limits": {"requests_per_second": 5}}),
        ("PATCH", "/teams/web/apps/shop", {"cache": {"scope": "app", "keep_prompts": True}}),
        ("PATCH", "/teams/web/apps/shop", {"aliases": {"shop/image": "openai/gpt-image-2"}}),
        ("PATCH", "/teams/web/apps/shop", {"afterwards": {"fal-ai/gpt-image-1.5": "redirect"}}),
        ("PUT", "/budgets/app:web:shop/hour", {"limit_usd": "1"}),
        ("PATCH", model, {"retires": "2099-01-01", "successor": "openai/gpt-image-2"}),
        ("PATCH", model, {"afterwards": "redirect", "limits": {"generations_at_once": 4}}),
        ("PUT", "/budgets/model:fal-ai:gpt-image-1.5/day", {"limit_usd": "20"}),
        ("PUT", "/aliases/acme:image", {"target": "openai/gpt-image-2"}),
    ):
        client.request(method, path, json=body).raise_for_status()
    exported = client.get("/config").text
    before = {path: client.get(path).json() for path in _RECORDS}

    redis.flushall()
    client.post("/config/apply", json={"file": exported}).raise_for_status()

    assert client.get("/config").text == exported
    assert {path: client.get(path).json() for path in _RECORDS} == before
