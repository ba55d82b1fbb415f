"""Every form that manages something: asked about first, made once, refused in the form's words."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
from filling import confirm, send, sheet

Enter = Callable[[str], httpx.Client]
NAME = "NAME"


class Case(NamedTuple):
    """A form that makes or changes something of this test's own.

    Attributes:
        at: The page that has it; NAME stands for a name that no other test has.
        action: What its address ends in.
        values: What is filled in.
        read: What the administration is asked for before and afterwards.
        ready: What there must be before: calls of the admin API.
    """

    at: str
    action: str
    values: dict[str, str]
    read: str
    ready: tuple[tuple[str, str, Any], ...] = ()


TEAM: tuple[tuple[str, str, Any], ...] = (("POST", "/teams", {"name": NAME}),)
APP = (*TEAM, ("POST", f"/teams/{NAME}/apps", {"name": "shop"}))
BUDGET = (*TEAM, ("PUT", f"/budgets/team:{NAME}/day", {"limit_usd": "5"}))
STOP = (*TEAM, ("PUT", f"/stops/team:{NAME}", {"why": "a pause"}))
ALIAS = (("PUT", f"/aliases/acme:{NAME}", {"target": "openai/gpt-image-2"}),)
MODEL = "openai:gpt-image-2.5:flare:text-to-image"

CASES = {
    "team": Case("/teams/new", "/teams/new", {"name": NAME, "weight": "3"}, "/teams"),
    "team-edit": Case(
        f"/teams/{NAME}/edit", "/edit", {"generations_at_once": "4"}, f"/teams/{NAME}", TEAM
    ),
    "team-remove": Case(f"/teams/{NAME}", "/remove", {}, "/teams", TEAM),
    "app": Case(f"/teams/{NAME}/apps/new", "/new", {"name": "blog"}, f"/teams/{NAME}/apps", TEAM),
    "app-edit": Case(
        f"/teams/{NAME}/apps/shop/edit",
        "/edit",
        {"scope": "app", "aliases": "acme/own openai/gpt-image-2"},
        f"/teams/{NAME}/apps/shop",
        APP,
    ),
    "key": Case("/keys/new", "/new", {"app": f"{NAME}/shop"}, f"/keys?of={NAME}", APP),
    "setup": Case(
        "/setup", "/setup", {"team": NAME, "app": "shop", "team_usd": "$1,000"}, "/teams"
    ),
    "budget": Case(
        "/budgets/new",
        "/new",
        {"account": f"team:{NAME}", "limit_usd": "12.50", "alerts": "80, 95"},
        f"/accounts/team:{NAME}",
        TEAM,
    ),
    "budget-set": Case(
        f"/budgets/team:{NAME}/day/set",
        "/set",
        {"limit_usd": "9"},
        f"/accounts/team:{NAME}",
        BUDGET,
    ),
    "budget-raise": Case(
        f"/budgets/team:{NAME}/day/raise",
        "/raise",
        {"amount_usd": "2", "why": "a launch"},
        f"/accounts/team:{NAME}",
        BUDGET,
    ),
    "budget-remove": Case(
        f"/budgets/team:{NAME}/day", "/remove", {}, f"/accounts/team:{NAME}", BUDGET
    ),
    "operator": Case("/operators/new", "/new", {"name": NAME}, "/operators?limit=500"),
    "stop": Case("/stops/new", "/new", {"subject": f"team:{NAME}", "why": "x"}, "/stops", TEAM),
    "stop-one": Case(f"/stops/team:{NAME}", f"team:{NAME}", {"why": "a pause"}, "/stops", TEAM),
    "stop-why": Case(f"/stops/team:{NAME}", f"team:{NAME}", {"why": "longer"}, "/stops", STOP),
    "resume": Case(f"/stops/team:{NAME}", "/resume", {}, "/stops", STOP),
    "alias": Case(
        "/models/aliases/new",
        "/new",
        {"name": f"acme/{NAME}", "target": "openai/gpt-image-2"},
        "/aliases?limit=500",
    ),
    "alias-remove": Case("/models", f"/acme:{NAME}/remove", {}, "/aliases?limit=500", ALIAS),
}


class Filled(NamedTuple):
    """A case with names of its own, and what was there before."""

    case: Case
    before: str


@pytest.fixture(params=CASES)
def filled(
    request: pytest.FixtureRequest, administration: httpx.Client, named: Callable[[str], str]
) -> Filled:
    """Each case, for which all is ready."""
    case, name = CASES[request.param], named("t")

    def own(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: own(each) for key, each in value.items()}
        return value.replace(NAME, name)

    for method, path, body in case.ready:
        administration.request(method, own(path), json=own(body)).raise_for_status()
    meant = Case(own(case.at), own(case.action), own(case.values), own(case.read))
    return Filled(meant, told(administration, meant))


def told(administration: httpx.Client, case: Case) -> str:
    """What the administration says of what a case changes."""
    return administration.get(case.read).raise_for_status().text


def test_a_form_says_what_it_will_do_and_does_it_once(
    admin: httpx.Client, administration: httpx.Client, filled: Filled
) -> None:
    case, before = filled
    asked = send(admin, admin.get(case.at), case.action, **case.values)
    again = send(admin, admin.get(case.at), case.action, **case.values)
    assert told(administration, case) == before, "nothing is changed before it is confirmed"
    assert "Cancel" in asked.text

    done = confirm(admin, asked)

    assert done.status_code in {200, 303}, done.text
    after = told(administration, case)
    assert after != before
    twice = send(admin, asked)  # a second click, or the browser's way back
    assert twice.status_code == 409
    assert "sent before" in twice.text
    assert told(administration, case) == after
    assert sheet(again).fields["form_id"] != sheet(asked).fields["form_id"]
    if done.status_code == 303:
        there = str(done.url.join(done.headers["location"]))
        shown = admin.get(there)
        assert 'role="status"' in shown.text
        assert 'role="status"' not in admin.get(there).text


@pytest.mark.parametrize("csrf", [None, "", "0" * 64])
def test_a_form_without_this_sessions_token_changes_nothing(
    csrf: str | None,
    admin: httpx.Client,
    administration: httpx.Client,
    enter: Enter,
    filled: Filled,
) -> None:
    case, before = filled
    form = sheet(send(admin, admin.get(case.at), case.action, **case.values))
    foreign = re.search(r'name="csrf" value="(\w+)"', enter("first").get("/teams").text)
    assert foreign is not None
    token = foreign[1] if csrf else csrf
    values = {key: value for key, value in (form.fields | {"csrf": token}).items() if value}
    refused = admin.post(f"{admin.base_url.copy_with(path=form.action)}", data=values)

    assert refused.status_code == 403
    assert "not from this session" in refused.text
    assert told(administration, case) == before


@pytest.mark.parametrize("role", ["viewer", "lead"])
def test_who_may_not_do_it_is_refused_when_they_send_it_all_the_same(
    role: str, enter: Enter, admin: httpx.Client, administration: httpx.Client, filled: Filled
) -> None:
    case, other = filled.case, enter(role)
    before = told(administration, case)
    form = sheet(send(admin, admin.get(case.at), case.action, **case.values))
    own = re.search(r'name="csrf" value="(\w+)"', other.get("/teams").text)
    assert own is not None
    refused = other.post(
        str(other.base_url.copy_with(path=form.action)), data=form.fields | {"csrf": own[1]}
    )

    assert refused.status_code in {403, 422}
    assert told(administration, case) == before


def test_without_a_session_a_form_changes_nothing(
    admin: httpx.Client, administration: httpx.Client, filled: Filled
) -> None:
    case, before = filled
    asked = send(admin, admin.get(case.at), case.action, **case.values)
    admin.cookies.clear()
    ended = send(admin, asked)

    assert ended.status_code == 401
    assert "Your session has ended" in ended.text
    assert told(administration, case) == before


WRONG: list[tuple[str, str, dict[str, str], str, str]] = [
    ("/teams/new", "name", {"name": "no blanks"}, "name", "Name: "),
    ("/teams/new", "weight", {"name": "x", "weight": "many"}, "weight", "Weight: "),
    ("/teams/new", "limit", {"name": "x", "generations_at_once": "1e9"}, "generations_at_once", ""),
    ("/budgets/new", "amount", {"account": "team:default", "limit_usd": "ten"}, "limit_usd", ""),
    ("/budgets/new", "alerts", {"account": "team:default", "limit_usd": "1", "alerts": "x"},
     "alerts", "Alert at"),
    ("/budgets/new", "none", {"account": "team:nobody", "limit_usd": "1"}, "", "nobody"),
    ("/operators/new", "lead", {"role": "lead", "name": "x"}, "team", "Team of a lead: "),
    ("/operators/new", "colon", {"name": "a:b"}, "name", "Name: say who"),
    ("/operators/new", "past", {"name": "x", "expires": "2001-01-01"}, "expires", ""),
    ("/stops/new", "what", {"subject": "everybody"}, "subject", ""),
    ("/setup", "team", {"team": "no blanks", "app": "x"}, "team", "Team: "),
    ("/models/aliases/new", "target", {"name": "acme/x", "target": "acme/none"}, "target", ""),
    (f"/models/{MODEL}/edit", "successor", {"successor": "acme/none"}, "successor", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("at", "values", "wrong", "why"),
    [(at, values, wrong, why) for at, _, values, wrong, why in WRONG],
    ids=[f"{at} {what}" for at, what, *_ in WRONG],
)
def test_a_refused_form_keeps_what_was_entered_and_names_the_field(
    at: str, values: dict[str, str], wrong: str, why: str, admin: httpx.Client
) -> None:
    refused = send(admin, admin.get(at), at, **values)

    assert refused.status_code == 422, refused.text
    shown = sheet(refused, at)
    assert {name: shown.fields[name] for name in values} == values
    alert = re.search(r'role="alert" id="why">([^<]*)<', refused.text)
    assert alert is not None
    assert why in alert[1]
    marked = re.findall(r'id="f-(\w+)"[^>]*aria-invalid="true"', refused.text)
    assert marked == ([wrong] if wrong else []), alert[1]
