"""Who gets into the console, for how long, and which of its forms are believed."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S
from visiting import api, hidden, send, sign_in, visit

from falgate.accounts import apikey
from falgate.console.entrance import COOKIE

OTHER = apikey.mint("admin", b"\x07" * apikey.ID_BYTES, b"\x08" * apikey.SECRET_BYTES)
Serve = Callable[..., AbstractContextManager[Any]]


@pytest.mark.parametrize("key", ["", "wrong!", OTHER, "fg_admin_x", "kéy", "x" * 5_000])
def test_a_wrong_key_opens_nothing_and_is_not_repeated(key: str, visitor: httpx.Client) -> None:
    answer = visitor.post("/sign-in", data={"key": key})

    assert (answer.status_code, visitor.cookies.get(COOKIE)) == (403, None)
    assert 'role="alert"' in answer.text
    assert not key or key[:50] not in answer.text
    assert visitor.get("/").status_code == 303


def test_a_key_of_an_app_opens_nothing(console: Any, visitor: httpx.Client) -> None:
    answer = visitor.post("/sign-in", data={"key": console.key})

    assert (answer.status_code, visitor.cookies.get(COOKIE)) == (403, None)


def test_wrong_keys_are_soon_too_many(serve: Serve, tmp_path: Path) -> None:
    with serve(tmp_path) as gateway, visit(gateway) as visitor:
        for _ in range(300):
            answer = visitor.post("/sign-in", data={"key": OTHER})
            if answer.status_code == 429:
                break

        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert 'role="alert"' in answer.text


def test_the_cookie_is_signed_and_for_the_console_alone(admin: httpx.Client, console: Any) -> None:
    with visit(console) as fresh:
        set_cookie = fresh.post("/sign-in", data={"key": console.admin_key}).headers["set-cookie"]
    value = admin.cookies[COOKIE]
    session, _, signature = value.partition(".")

    parts = {part.strip().lower() for part in set_cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/console", "max-age=43200"} == parts
    forged = (
        session,
        f"{session}.",
        f"{session}.{signature[::-1]}",
        f"{session[::-1]}.{signature}",
        f"{'0' * 64}.{signature}",
    )
    for other in forged:
        assert httpx.get(
            f"{console.url}/console", cookies={COOKIE: other}, timeout=PATIENCE_S
        ).is_redirect
    assert admin.get("/").status_code == 200


def test_every_answer_forbids_foreign_content_frames_and_copies(
    admin: httpx.Client, visitor: httpx.Client, console: Any
) -> None:
    with visit(console) as stranger:
        answers = [
            *(stranger.get(path) for path in ("/", "/sign-in", "/nowhere", "/sign-in/link/x")),
            stranger.post("/teams/new", data={"name": "x"}),
            *(admin.get(path) for path in ("/", "/keys", "/nowhere", "/keys/none", "/teams/none")),
        ]
    assert visitor is admin
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/console/keys?of=web", "/console/keys?of=web"),
        ("/console/../admin", "/console"),
        ("//evil.example", "/console"),
        ("https://evil.example/console", "/console"),
        ("/console@evil.example", "/console"),
        ("/consolex", "/console"),
        ("/console/\r\nx: y", "/console"),
        ("javascript:alert(1)", "/console"),
    ],
)
def test_one_gets_where_one_wanted_and_nowhere_else(
    wanted: str, path: str, console: Any, visitor: httpx.Client
) -> None:
    answer = visitor.post("/sign-in", data={"key": console.admin_key, "next": wanted})

    assert (answer.status_code, answer.headers["location"]) == (303, path)


def test_a_page_asks_for_a_key_and_leads_back(visitor: httpx.Client) -> None:
    answer = visitor.get("/keys", params={"of": "web"})
    form = visitor.get(answer.headers["location"].removeprefix("/console"))

    assert hidden(form)["next"] == "/console/keys?of=web"


def test_signing_out_ends_the_session_everywhere(admin: httpx.Client, console: Any) -> None:
    cookies = dict(admin.cookies)
    page = admin.get("/")

    answer = admin.post("/sign-out", data=hidden(page, "/console/sign-out"))

    assert answer.headers["clear-site-data"] == '"cache"'
    with visit(console, cookies=cookies) as thief:
        assert thief.get("/").is_redirect


def test_a_browser_forgets_what_it_was_sent_when_its_session_has_ended(
    admin: httpx.Client, console: Any
) -> None:
    admin.get("/")
    with visit(console, cookies=dict(admin.cookies)) as elsewhere, visit(console) as stranger:
        elsewhere.post("/sign-out", data=hidden(elsewhere.get("/"), "/console/sign-out"))
        assert "clear-site-data" not in stranger.get("/").headers

    for asked in ({}, {"HX-Request": "true"}):
        assert admin.get("/", headers=asked).headers["clear-site-data"] == '"cache"'


FORGED: dict[str, tuple[dict[str, str], dict[str, str], int]] = {
    "no token": ({"csrf": ""}, {}, 403),
    "another token": ({"csrf": "0" * 64}, {}, 403),
    "another site": ({}, {"Sec-Fetch-Site": "cross-site"}, 403),
    "another port": ({}, {"Sec-Fetch-Site": "same-site"}, 403),
    "another origin": ({}, {"Origin": "https://evil.example"}, 403),
    "no origin": ({}, {"Origin": "null"}, 403),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_form_from_elsewhere_changes_nothing(case: str, admin: httpx.Client) -> None:
    fields, headers, status = FORGED[case]
    page = admin.get("/teams/new")
    sent = {**hidden(page), "name": "forged", "weight": "1", "step": "confirmed", **fields}

    answer = admin.post("/teams/new", data=sent, headers=headers)

    assert answer.status_code == status
    assert admin.get("/teams/forged").status_code == 404


def test_a_form_without_a_session_changes_nothing_and_says_so(
    admin: httpx.Client, console: Any
) -> None:
    fields = {**hidden(admin.get("/teams/new")), "name": "late", "step": "confirmed"}
    with visit(console) as stranger:
        answer = stranger.post("/teams/new", data=fields)

    assert answer.status_code == 401
    assert "Your session has ended" in answer.text
    assert admin.get("/teams/late").status_code == 404


def test_a_form_that_is_sent_twice_acts_once(admin: httpx.Client) -> None:
    page = admin.get("/teams/new")
    asked = admin.post("/teams/new", data={**hidden(page), "name": "twice", "weight": "1"})
    answers = [admin.post("/teams/new", data=hidden(asked)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 409]
    assert "sent before" in answers[1].text


def test_a_preview_makes_nothing_and_a_confirmation_makes_it(admin: httpx.Client) -> None:
    page = admin.get("/teams/new")
    asked = admin.post("/teams/new", data={**hidden(page), "name": "asked", "weight": "3"})

    assert "Team asked is made." in asked.text
    assert admin.get("/teams/asked").status_code == 404
    made = admin.post("/teams/new", data=hidden(asked))
    assert made.headers["location"] == "/console/teams"
    assert "The team asked is there." in admin.get("/teams").text
    assert "The team asked is there." not in admin.get("/teams").text  # it is said once


def test_a_session_ends_when_it_is_idle_and_in_any_case(serve: Serve, tmp_path: Path) -> None:
    settings = {"console_idle_s": "2", "console_session_s": "4"}
    with serve(tmp_path, **settings) as gateway, visit(gateway) as busy, visit(gateway) as idle:
        sign_in(busy, gateway.admin_key)
        sign_in(idle, gateway.admin_key)
        began_s = time.monotonic()
        while busy.get("/teams").status_code == 200:
            assert time.monotonic() - began_s < PATIENCE_S
            if time.monotonic() - began_s > 3:
                assert idle.get("/teams").is_redirect
                began_s = float("inf")  # looked once: that would not keep it alive anyway
            time.sleep(0.1)

        assert busy.get("/teams").is_redirect


def test_an_operator_who_is_revoked_is_out_at_once(admin: httpx.Client, console: Any) -> None:
    with api(console) as admin_api, visit(console) as other:
        made = admin_api.post("/operators", json={"role": "viewer", "name": "vera"}).json()
        sign_in(other, made["key"])
        assert "viewer:vera" in other.get("/").text

        admin_api.post(f"/operators/{made['record']['id']}/revoke").raise_for_status()

        assert other.get("/").is_redirect
    assert admin.get("/").status_code == 200


def test_a_viewer_is_offered_no_change_and_refused_one(console: Any) -> None:
    with api(console) as admin_api, visit(console) as viewer:
        made = admin_api.post("/operators", json={"role": "viewer", "name": "vic"}).json()
        sign_in(viewer, made["key"])
        page = viewer.get("/teams/default")
        assert "Remove the team" not in page.text
        assert 'href="/console/teams/default/edit"' not in page.text
        own = hidden(page, "/console/sign-out")

        refused = viewer.post("/teams/default/remove", data=own)

    assert refused.status_code == 403
    assert "A viewer changes nothing" in refused.text


def test_what_a_form_shows_is_text_whatever_was_entered(admin: httpx.Client) -> None:
    name = '<script>alert("x")</script>\u202e\x1b[31m'
    page = admin.get("/keys/new")
    asked = admin.post("/keys/new", data={**hidden(page), "app": "default/default", "name": name})

    assert asked.status_code in {200, 422}
    assert "<script>alert" not in asked.text
    assert "\u202e" not in asked.text
    assert "\x1b" not in asked.text
    assert "&lt;script&gt;" in asked.text


def test_a_key_is_made_with_its_secret_shown_once(admin: httpx.Client) -> None:
    shown = send(admin, "/keys/new", app="default/default", kind="live", name="storefront")
    key_id = shown.text.partition("/console/keys/")[2].partition('"')[0]

    assert shown.status_code == 200
    assert "fg_live_" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert "fg_live_" not in admin.get(f"/keys/{key_id}").text


def test_the_console_can_be_switched_off(serve: Serve, tmp_path: Path) -> None:
    with serve(tmp_path, console="false") as gateway, visit(gateway) as visitor:
        assert visitor.get("/sign-in").status_code == 404
