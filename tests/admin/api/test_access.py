"""Who gets into the administration, and in which form everybody else is refused."""

from typing import Any

import httpx
import pytest

from falgate.accounts import apikey

APP_KEY = apikey.mint("live", b"\x03" * apikey.ID_BYTES, b"\x04" * apikey.SECRET_BYTES)
OTHER_KEY = apikey.mint("admin", b"\x01" * apikey.ID_BYTES, b"\x05" * apikey.SECRET_BYTES)
PROBLEM = "application/problem+json"


def assert_problem(reply: httpx.Response, status: int) -> str:
    """It is a problem of that status; its detail."""
    assert (reply.status_code, reply.headers["content-type"]) == (status, PROBLEM)
    assert reply.headers["x-fal-request-id"]
    body = reply.json()
    assert sorted({*body} - {"error_type"}) == ["detail", "status", "title", "type"]
    assert (body["status"], body["type"]) == (status, "about:blank")
    detail: str = body["detail"]
    assert detail
    return detail


@pytest.mark.parametrize("scheme", ["Key", "Bearer", "key"])
def test_the_admin_key_opens_it(scheme: str, client: httpx.Client) -> None:
    key = client.headers["Authorization"].partition(" ")[2]

    assert client.get("/teams", headers={"Authorization": f"{scheme} {key}"}).status_code == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("", 401),
        ("Key", 401),
        ("Basic abc", 401),
        ("Key fg_admin_x", 401),
        ("Key kéy".encode(), 401),
        (f"Key {OTHER_KEY}", 401),
        (f"Key {APP_KEY}", 403),
        (f"Key {APP_KEY.replace('live', 'test')}", 403),
    ],
)
def test_nothing_else_does(header: str | bytes | None, status: int, served: Any) -> None:
    headers = {} if header is None else {"Authorization": header}
    with served.client(None) as nobody:
        replies = [
            nobody.get("/teams", headers=headers),
            nobody.post("/teams", headers=headers, json={"name": "x"}),
            nobody.get("/nowhere", headers=headers),
        ]

    for reply in replies:
        assert_problem(reply, status)
        assert ("www-authenticate" in reply.headers) == (status == 401)
        assert "kéy" not in reply.text
        assert APP_KEY[12:] not in reply.text


def test_without_an_admin_key_it_is_closed_and_says_how_to_open_it(
    closed: Any, client: httpx.Client
) -> None:
    for key in (None, "x", APP_KEY, client.headers["Authorization"].partition(" ")[2]):
        with closed.client(key) as anybody:
            assert "FALGATE_ADMIN_KEY" in assert_problem(anybody.get("/teams"), 403)


def test_what_is_not_there_is_a_problem(client: httpx.Client) -> None:
    assert_problem(client.get("/nowhere"), 404)
    assert_problem(client.post("/teams/web/nothing/x"), 404)
    assert_problem(client.put("/teams", json={}), 405)
    assert_problem(client.get("/teams/nope"), 404)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", ""),
        (b"{", ""),
        (b"[]", ""),
        (b'{"name": 5}', "name"),
        (b'{"name": "a b"}', "name"),
        (b'{"name": "web", "wieght": 5}', "wieght"),
        (b'{"name": "web", "weight": 0}', "weight"),
        (b'{"name": "web", "weight": NaN}', ""),
        (b'{"name": "\xff"}', ""),
        (b"[" * 50_000, ""),
    ],
)
def test_a_body_that_makes_no_sense_is_a_problem_that_names_the_field(
    body: bytes, part: str, client: httpx.Client
) -> None:
    reply = client.post("/teams", content=body, headers={"Content-Type": "application/json"})

    assert part in assert_problem(reply, 400)
    assert client.get("/teams").json()["items"] == []


def test_a_body_that_is_too_large_is_a_problem(client: httpx.Client) -> None:
    reply = client.post("/teams", content=b" " * 100_001)

    assert_problem(reply, 413)


def test_who_acts_stands_in_the_audit_log(client: httpx.Client) -> None:
    client.post("/teams", json={"name": "a"})
    client.post("/teams", json={"name": "b"}, headers={"X-Falgate-Actor": "ann@example.com"})
    for actor in ("two words", "x" * 65, "é".encode()):
        headers: Any = {"X-Falgate-Actor": actor}
        reply = client.post("/teams", json={"name": "c"}, headers=headers)
        assert_problem(reply, 400)

    lines = client.get("/audit").json()["items"]

    assert [(line["who"], line["subject"]) for line in lines] == [
        ("admin:ann@example.com", "b"),
        ("admin", "a"),
    ]
    assert lines[0]["before"] is None
    assert lines[0]["after"]["weight"] == 1
    assert lines[0]["at"].endswith("+00:00")
