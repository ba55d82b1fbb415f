"""/stops: what operators stopped, by REST."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from falgate.models.endpoints import MODELS

Shop = Callable[..., dict[str, Any]]
MODEL = next(iter(MODELS))
PATHS = {
    "organisation:main": "organisation:main",
    "team:web": "team:web",
    "app:web/shop": "app:web:shop",
    f"model:{MODEL}": f"model:{MODEL.replace('/', ':')}",
}


def test_stops_are_put_listed_and_deleted(client: httpx.Client, shop: Shop) -> None:
    shop()
    actor = {"X-Falgate-Actor": "ann"}
    for subject, path in PATHS.items():
        put = client.put(f"/stops/{path}", json={"why": "a leak"}, headers=actor)
        assert put.status_code == 200
        found = put.json()
        assert (found["subject"], found["who"], found["why"]) == (subject, "admin:ann", "a leak")
        assert datetime.fromisoformat(found["stopped_at"]).tzinfo is not None

    listed = client.get("/stops").json()["items"]
    assert [each["subject"] for each in listed] == list(PATHS)
    first = client.get("/stops", params={"limit": 3}).json()
    rest = client.get("/stops", params={"cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == listed

    for path in PATHS.values():
        gone = client.delete(f"/stops/{path.removesuffix(':main')}")
        assert (gone.status_code, gone.content) == (204, b"")
    assert client.get("/stops").json() == {"items": [], "next_cursor": None}


def test_what_is_not_given_stays_and_a_repeat_changes_nothing(
    client: httpx.Client, shop: Shop
) -> None:
    shop()
    made = client.put("/stops/team:web", json={"why": "a leak"}).json()
    before = client.get("/audit").json()

    for same in ({"why": "a leak"}, {}):
        assert client.put("/stops/team:web", json=same).json() == made
    assert client.put("/stops/team:web").json() == made
    assert client.get("/audit").json() == before
    changed = client.put(
        "/stops/team:web", json={"why": "no leak"}, headers={"X-Falgate-Actor": "b"}
    )
    assert changed.json() == {**made, "why": "no leak"}
    (line,) = client.get("/audit", params={"limit": 1}).json()["items"]
    assert (line["who"], line["action"], line["subject"]) == ("admin:b", "stop", "team:web")
    assert (line["before"]["why"], line["after"]["why"]) == ("a leak", "no leak")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("team:we", 404, "There is no team we; there are: web"),
        ("app:web:sho", 404, "There is no app web/sho; there are: web/shop"),
        ("model:dall-e", 404, "There is no model dall-e; there are: "),
        ("key:abc", 400, "subject_name"),
        ("team:", 400, "subject_name"),
        ("organisation:other", 400, "subject_name"),
    ],
)
def test_what_cannot_be_stopped_is_refused(
    path: str, status: int, words: str, client: httpx.Client, shop: Shop
) -> None:
    shop()

    refused = client.put(f"/stops/{path}", json={"why": "a leak"})

    assert refused.status_code == status
    assert words in refused.json()["detail"]
    assert client.get("/stops").json()["items"] == []


@pytest.mark.parametrize("body", [{"why": "a\nb"}, {"why": "x" * 201}, {"why": 5}, {"reason": "x"}])
def test_a_reason_that_is_none_stops_nothing(
    body: dict[str, Any], client: httpx.Client, shop: Shop
) -> None:
    shop()

    assert client.put("/stops/team:web", json=body).status_code == 400
    assert client.get("/stops").json()["items"] == []


def test_what_is_not_stopped_cannot_be_resumed(client: httpx.Client, shop: Shop) -> None:
    shop()

    refused = client.delete("/stops/team:web")

    assert refused.status_code == 404
    assert refused.json()["detail"] == "team:web is not stopped; nothing is"
