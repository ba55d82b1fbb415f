"""Setting an app up: its team, the app, a key and budgets in one form."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.response import Template

from falgate.console.fields import Field, Group, chosen, limits, limits_body
from falgate.console.page import Change, OnPage, Page
from falgate.console.pages.keys import KINDS, fields, permissions, until

_MOST = 500
_WINDOWS = ("hour", "day", "week", "month", "total")
_OF = {"key": ("The key", "day"), "app": ("The app", "month"), "team": ("The team", "month")}


@get("/setup")
async def ask_for_setup(page: OnPage) -> Template:
    """Ask for all that an app needs."""
    return await _ask(page)


@post("/setup", status_code=200)
async def set_up(page: OnPage) -> Response[Any]:
    """Make a team, an app, a key and budgets."""

    async def made(told: Any) -> Template:
        return page.secret(told, where=f"/keys/{told['record']['id']}")

    return await page.apply(
        Change("POST", ("setup",), "Set an app up", "Make all of it", lambda: _body(page)),
        back="/teams",
        notice="",
        again=partial(_ask, page),
        then=made,
    )


async def _ask(page: Page, error: str = "") -> Template:
    apps = (await page.api.get("apps", limit=_MOST))["items"]
    key = [
        Field(name="name", label="Name of the key", value="first", required=True),
        Field(name="kind", label="Kind", kind="choice", value="live", options=[*KINDS.items()]),
    ]
    about, *more = fields({})
    expires = next(each for each in about.fields if each.name == "expires")
    budgets = [each for of in _of(page) for each in _budget(of)]
    return page.ask(
        [
            Group(fields=_whose(page, apps), pairs=True),
            Group(legend="Key", fields=[*key, expires], pairs=True),
            Group(legend="Budgets", hint=_NONE, fields=budgets, pairs=True),
            Group(fields=[_ALERTS], wide=True),
            *more,
        ],
        title="Set up an app",
        action="Look at all of it",
        back="/teams",
        error=error,
        lead=[_LED if page.may("lead") and not apps else _PAYS],
    )


def _whose(page: Page, apps: Sequence[Any]) -> list[Field]:
    """Return the fields of team and app: a lead chooses one of their team's."""
    teams, names = (sorted({each[what] for each in apps}) for what in ("team", "name"))
    team, app = (page.query.get(name, "") for name in ("team", "app"))
    if page.may("lead"):
        own = chosen([page.operator.team])
        return [
            Field(name="team", label="Team", kind="choice", options=own),
            Field(name="app", label="App", kind="choice", value=app, options=chosen(names)),
        ]
    hint = "Made if it is not there"
    return [
        Field(
            name="team", label="Team", value=team, required=True, options=chosen(teams), hint=hint
        ),
        Field(name="app", label="App", value=app, required=True, options=chosen(names), hint=hint),
    ]


_PAYS = "A team pays, an app asks with a key. The key is shown once, at the end."
_LED = "Your team has no app yet: ask an admin to make one. Then a key and budgets are made here."
_NONE = "Empty: no budget of its own; those of the team and the organisation count."
_ALERTS = Field(name="alerts", label="Alert at 80 % and 95 % of each", kind="tick", value=True)


def _of(page: Page) -> list[str]:
    return [of for of in _OF if of != "team" or page.may("admin")]


def _budget(of: str) -> list[Field]:
    words, window = _OF[of]
    return [
        Field(name=f"{of}_usd", label=f"{words}, US dollars", kind="usd"),
        Field(
            name=f"{of}_window",
            label=f"{words}, window",
            kind="choice",
            value=window,
            options=chosen(_WINDOWS),
        ),
    ]


def _body(page: Page) -> dict[str, Any]:
    form = page.form
    alerts = [80, 95] if form.ticked("alerts") else []
    budgets = [
        {
            "of": of,
            "window": form.text(f"{of}_window"),
            "limit_usd": form.text(f"{of}_usd").removeprefix("$").replace(",", ""),
            "alerts": alerts,
        }
        for of in _OF
        if form.text(f"{of}_usd")
    ]
    key = {
        "name": form.text("name"),
        "kind": form.text("kind") or "live",
        "expires_at": until(form.text("expires")),
        "permissions": permissions(form),
        "limits": limits_body(form, limits(None)),
    }
    return {"team": form.text("team"), "app": form.text("app"), "key": key, "budgets": budgets}


ROUTES = (ask_for_setup, set_up)
