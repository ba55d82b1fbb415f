"""The console in a headless browser, as people use it."""

import uuid
from collections.abc import Callable
from typing import Any

from buying import shopper
from console_pages import LOOKS, pages
from console_teams import team_of
from showroom import Showroom
from visiting import api

Browse = Callable[..., str]
DARK_PHONE = {**LOOKS[2], "name": "dark-phone", "scheme": "dark"}
LIGHT = {**LOOKS[0], "rules": ["color-contrast"]}
"""What else axe looks at is the same in all looks."""


def test_signing_out_ends_the_session_and_the_way_back_does_not_return(
    console: Any, browse: Browse
) -> None:
    assert browse("first_look", console) == ""


def test_after_signing_out_a_browser_shows_no_picture_that_it_was_sent(
    console: Any, browse: Browse
) -> None:
    bought = shopper(console, f"seen{uuid.uuid4().hex[:8]}/shop").buy("a vase")

    assert browse("signed_out", console, picture=bought) == ""


def test_every_page_is_accessible_and_fits(furnished: tuple[Any, Showroom], browse: Browse) -> None:
    gateway, room = furnished

    assert browse("every_page", gateway, looks=[DARK_PHONE, LIGHT], pages=pages(room)) == ""


def test_the_log_the_ledger_and_the_audit_log_lead_from_one_to_the_other(
    console: Any, browse: Browse
) -> None:
    team = team_of(console, "followed")
    team.ask(console, prompt="a fox that is followed")
    team.ask(console, prompt="a fox that is followed")
    team.ask(console, prompt="a fox that is followed", quality="huge")
    team.raised(1)
    assert browse("books", console, team=team.name) == ""


def test_a_refusal_is_seen_on_the_overview_and_a_hidden_page_is_quiet(
    console: Any, browse: Browse
) -> None:
    with api(console) as admin:
        wanted = {"team": "tight", "app": "belt", "key": {"name": "poor"}}
        budget = {"of": "key", "window": "day", "limit_usd": "0.001"}
        made = admin.post("/setup", json={**wanted, "budgets": [budget]}).json()

    assert browse("live", console, key=made["key"], app="tight/belt") == ""


def test_a_viewer_and_a_lead_see_and_do_what_their_role_may(console: Any, browse: Browse) -> None:
    keys = {}
    with api(console) as admin:
        for team in ("ours", "theirs"):
            wanted = {"team": team, "app": "app", "key": {"name": f"key of {team}"}}
            keys[team] = admin.post("/setup", json=wanted).json()["record"]["id"]
        viewer = admin.post("/operators", json={"role": "viewer", "name": "vera"}).json()
        leading = {"role": "lead", "name": "lea", "team": "ours"}
        lead = admin.post("/operators", json=leading).json()

    told = browse(
        "roles",
        console,
        viewer_key=viewer["key"],
        lead_key=lead["key"],
        team="ours",
        other="theirs",
        other_key=keys["theirs"],
    )
    assert told == ""


def test_tabs_clicks_and_sessions_that_end_do_not_change_anything_twice(
    console: Any, browse: Browse
) -> None:
    assert browse("tabs", console, teams=["tab-one", "tab-two"]) == ""


def test_a_picture_is_bought_found_rejected_and_bought_again(console: Any, browse: Browse) -> None:
    mark = uuid.uuid4().hex[:8]
    app = shopper(console, f"look{mark}/shop").app

    assert browse("picture", console, look=DARK_PHONE, app=app, prompt=f"lighthouse{mark}") == ""


def test_without_scripts_and_by_keyboard_one_gets_as_far(console: Any, browse: Browse) -> None:
    app = shopper(console, "plain/shop").app

    assert browse("without_script", console, team="by-keyboard", app=app) == ""
