"""Models, stops, operators, webhooks and the configuration, as each role sees them."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from console_teams import AdminApi, looking
from filling import confirm, send, sheet, sheets
from visiting import visit

from falgate.accounts import apikey

Enter = Callable[[str], httpx.Client]
Named = Callable[[str], str]
MODEL = "openai/gpt-image-2.5/sunburst/text-to-image"
AT_MODEL = "/models/openai:gpt-image-2.5:sunburst:text-to-image"

PAGES = {
    "/teams": True,
    "/keys": True,
    "/budgets": True,
    "/stops": True,
    "/models": False,
    "/operators": False,
    "/config": False,
    "/deliveries": False,
}
"""Pages, and whether leads see them in their navigation."""


@pytest.mark.parametrize("role", ["viewer", "lead"])
@pytest.mark.parametrize("at", PAGES)
def test_what_one_may_not_do_is_not_offered(at: str, role: str, enter: Enter) -> None:
    client = enter(role)
    page = client.get(at)

    if role == "lead" and page.status_code == 403:
        assert at not in client.get("/keys").text.replace(f"{at}/", "")
        return
    assert page.status_code == 200
    changes = {each.action for each in sheets(page)} - {"/console/sign-out"}
    assert not changes
    own = {"/keys", "/budgets"} if role == "lead" else set()  # leads make those of their team
    assert (f"{at}/new" in page.text) == (at in own)


def test_viewers_see_no_way_to_change_a_model_or_an_operator(
    enter: Enter, staff: Callable[..., Any]
) -> None:
    viewer = enter("viewer")
    for at in (AT_MODEL, f"/operators/{staff('viewer').id}"):
        shown = viewer.get(at)
        assert shown.status_code == 200
        assert "/edit" not in shown.text
        assert "/stops/" not in shown.text
        assert len(sheets(shown)) == 1  # to sign out


def test_a_models_end_is_decided_in_one_form_and_seen_on_its_page(
    admin: httpx.Client,
) -> None:
    page = admin.get(f"{AT_MODEL}/edit")
    asked = send(
        admin,
        page,
        "/edit",
        retires="2031-05-01",
        successor="openai/gpt-image-2",
        afterwards="redirect",
        generations_at_once="7",
    )
    assert f"Nothing of {MODEL} is bought from 2031-05-01 (UTC) on." in asked.text
    confirm(admin, asked)

    shown = admin.get(AT_MODEL).text
    assert "2031-05-01" in shown
    assert "Its successor serves what the cache cannot answer" in shown
    assert re.search(r"Purchases at once</dt><dd>7<", shown)
    again = sheet(admin.get(f"{AT_MODEL}/edit"), "/edit").fields
    assert (again["retires"], again["successor"]) == ("2031-05-01", "openai/gpt-image-2")
    back = send(
        admin, admin.get(f"{AT_MODEL}/edit"), "/edit", retires="", successor="",
        afterwards="serve-cached", generations_at_once="",
    )  # fmt: skip
    confirm(admin, back)
    assert "2031-05-01" not in admin.get(AT_MODEL).text


def test_a_model_tells_its_arguments_and_what_they_may_be(admin: httpx.Client) -> None:
    shown = admin.get("/models/openai:gpt-image-2").text

    assert "auto, high, low, medium" in shown
    assert "built-in method" not in shown
    assert admin.get("/models/acme:none").status_code == 404


def test_a_stop_says_who_and_why_and_is_resumed_from_its_page(
    admin: httpx.Client, administration: httpx.Client, named: Named
) -> None:
    team = named("team")
    administration.post("/teams", json={"name": team})
    asked = send(admin, admin.get(f"/stops/team:{team}"), team, why="until Thursday")
    assert "Callers are told: until Thursday" in asked.text
    confirm(admin, asked)

    shown = admin.get(f"/stops/team:{team}").text
    assert "until Thursday" in shown
    assert "admin:console" in shown
    confirm(admin, send(admin, admin.get(f"/stops/team:{team}"), "/resume"))
    assert "go on" in admin.get("/stops").text
    assert f"team:{team}" not in admin.get("/stops").text


def test_leads_see_only_the_stops_of_their_team(
    enter: Enter, administration: httpx.Client, named: Named
) -> None:
    team = named("other")
    administration.post("/teams", json={"name": team})
    administration.put(f"/stops/team:{team}", json={"why": "not theirs to know"})
    lead = enter("lead")

    assert "not theirs to know" not in lead.get("/stops").text
    assert "not theirs to know" not in lead.get(f"/stops/team:{team}").text


def test_an_operators_key_is_shown_once_and_signs_in(
    console: Any, admin: httpx.Client, named: Named
) -> None:
    name = named("dora")
    made = confirm(admin, send(admin, admin.get("/operators/new"), "/new", name=name))
    key = re.search(r"fg_oper_\w+", made.text)
    assert key is not None
    presented = apikey.present(key[0])
    assert presented is not None
    at = f"/operators/{presented.id}"
    assert name in admin.get(at).text
    assert key[0] not in admin.get(at).text

    with visit(console) as dora:
        assert dora.post("/sign-in", data={"key": key[0]}).status_code == 303
        assert "Sign out" in dora.get("/teams").text
        rotated = confirm(admin, send(admin, admin.get(f"{at}/rotate"), "/rotate"))
        assert re.findall(r"fg_oper_\w+", rotated.text)[0] != key[0]
        assert dora.get("/teams").status_code == 303, "the session of the old secret has ended"

    confirm(admin, send(admin, admin.get(at), "/revoke"))
    assert "revoked" in admin.get(at).text
    assert "/rotate" not in admin.get(at).text
    assert key[0] not in console.logged()


def test_the_configuration_is_downloaded_planned_and_applied(
    admin: httpx.Client, administration: httpx.Client, named: Named
) -> None:
    team = named("team")
    file = admin.get("/config/falgate.toml")
    assert file.headers["content-disposition"] == 'attachment; filename="falgate.toml"'
    assert "[team.default]" in file.text
    wanted = f"[team.{team}]\nweight = 2\n"

    planned = send(admin, admin.get("/config"), "/config", file=wanted)
    assert "weight 2" in planned.text
    assert administration.get(f"/teams/{team}").status_code == 404
    done = send(admin, planned, "/config")
    assert done.status_code == 303
    assert administration.get(f"/teams/{team}").json()["weight"] == 2
    assert send(admin, planned, "/config").status_code == 409
    nothing = send(admin, admin.get("/config"), "/config", file=wanted)
    assert "all is as the file says" in nothing.text
    assert ">Apply " not in nothing.text


def test_a_file_is_uploaded_as_a_browser_does(admin: httpx.Client, named: Named) -> None:
    form = sheet(admin.get("/config"), "/config").fields
    del form["upload"]
    text = f"[team.{named('team')}]\nweight = 3\n"
    sent = admin.post("/config", data=form, files={"upload": ("falgate.toml", text.encode())})
    assert "weight 3" in sent.text

    form = sheet(admin.get("/config"), "/config").fields
    del form["upload"]
    binary = admin.post("/config", data=form, files={"upload": ("x", b"\xff\xfe\x00")})
    assert binary.status_code == 400
    assert "The file is no text" in binary.text


def test_a_plan_that_is_out_of_date_is_shown_anew_instead_of_applied(
    admin: httpx.Client, administration: httpx.Client, named: Named
) -> None:
    team = named("team")
    administration.post("/teams", json={"name": team})
    planned = send(admin, admin.get("/config"), "/config", file=f"[team.{team}]\nweight = 5\n")
    administration.patch(f"/teams/{team}", json={"weight": 4})

    shown = send(admin, planned, "/config")

    assert shown.status_code == 409
    assert "has changed since" in shown.text
    assert administration.get(f"/teams/{team}").json()["weight"] == 4
    assert send(admin, shown, "/config").status_code == 303
    assert administration.get(f"/teams/{team}").json()["weight"] == 5


def test_what_a_file_may_not_do_is_said_and_cannot_be_applied(admin: httpx.Client) -> None:
    wrong = send(admin, admin.get("/config"), "/config", file="[team\n")
    assert wrong.status_code == 422
    assert "[team\n" in wrong.text
    assert 'aria-invalid="true"' in wrong.text
    pruned = send(admin, admin.get("/config"), "/config", file="", prune="yes")
    assert "It cannot be applied" in pruned.text
    assert ">Apply " not in pruned.text


def test_viewers_download_the_configuration_and_apply_none(
    enter: Enter, administration: httpx.Client, named: Named
) -> None:
    viewer, team = enter("viewer"), named("team")
    page = viewer.get("/config")
    assert viewer.get("/config/falgate.toml").status_code == 200
    csrf = sheet(page, "/sign-out").fields["csrf"]
    body = {"csrf": csrf, "form_id": "1", "file": f"[team.{team}]\nweight = 2\n"}
    planned = viewer.post("/config", data=body | {"step": "look"})
    assert ">Apply " not in planned.text
    plan = sheet(planned, "/config").fields["plan"]
    refused = viewer.post("/config", data=body | {"step": "confirmed", "plan": plan})
    assert refused.status_code in {403, 422}
    assert administration.get(f"/teams/{team}").status_code == 404


def test_a_lead_is_led_to_the_form_for_keys_and_budgets_of_their_apps(
    console: Any, named: Callable[[str], str]
) -> None:
    name = named("led-here")
    api = AdminApi(console)
    api.does("POST", "/teams", name=name)
    with looking(console, "lead", name) as lead:
        nothing = lead.get(f"/teams/{name}").text
        assert "Ask an admin to make one" in nothing
        assert "/setup" not in nothing
        assert "Your team has no app yet" in lead.get("/setup").text

        api.does("POST", f"/teams/{name}/apps", name="shop")
        at = f"/setup?team={name}&amp;app=shop"
        assert 'href="/console/setup"' in lead.get(f"/teams/{name}").text
        assert 'href="/console/setup"' in lead.get("/keys").text
        assert f'href="/console{at}"' in lead.get(f"/teams/{name}/apps/shop").text
        form = lead.get(at.replace("&amp;", "&")).text
        assert "Made if it is not there" not in form
        assert 'name="team_usd"' not in form
        own = {"team": name, "app": "shop", "name": "first", "kind": "live", "key_usd": "5"}
        done = confirm(lead, send(lead, lead.get("/setup"), "/setup", **own))

    assert "Copy the secret now" in done.text
    [key] = api.get("/keys", of=name).json()["items"]
    assert api.get(f"/budgets/key:{key['id']}/day").json()["budget"]["limit_usd"] == "5.00"


def test_a_viewer_is_not_led_to_a_form(console: Any, named: Callable[[str], str]) -> None:
    name = named("seen-here")
    AdminApi(console).does("POST", "/teams", name=name)
    with looking(console, "viewer") as viewer:
        for path in (f"/teams/{name}", f"/keys?of={name}", "/budgets"):
            assert "/setup" not in viewer.get(path).text
