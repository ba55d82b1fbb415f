"""/config: everything as a file, planned and applied."""

import httpx

FILE = '[organisation.budget.day]\nlimit_usd = "50"\n[team.web]\nweight = 2\n[team.web.app.shop]\n'


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
