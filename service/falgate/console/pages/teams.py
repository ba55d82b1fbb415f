"""Teams: who pays, with their budgets, limits and apps."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.fields import Field, Group, limits, limits_body
from falgate.console.page import Change, OnPage, Page

_PAGE = 50


@get("/teams")
async def teams(page: OnPage) -> Template:
    """List the teams."""
    found = await page.api.get("teams", limit=_PAGE, cursor=page.query.get("cursor"))
    return page.show("teams.html", teams=found)


@get("/teams/{team:str}")
async def team(page: OnPage, team: FromPath[str]) -> Template:
    """Show a team."""
    return page.show(
        "team.html",
        team=await page.api.get("teams", team),
        apps=await page.api.get(
            "teams", team, "apps", limit=_PAGE, cursor=page.query.get("cursor")
        ),
        standings=await page.api.get("accounts", f"team:{team}"),
        account=f"team:{team}",
    )


@get("/teams/new")
async def ask_for_team(page: OnPage) -> Template:
    """Ask for a team to create."""
    return _new(page)


@post("/teams/new", status_code=200)
async def make_team(page: OnPage) -> Response[Any]:
    """Create a team."""
    name = page.form.text("name")

    async def again(error: str) -> Template:
        return _new(page, error)

    return await page.apply(
        Change(
            "POST", ("teams",), "Create a team", "Create", lambda: {"name": name, **_body(page)}
        ),
        back="/teams",
        notice=f"The team {name} is there. It needs an app, and the app a key.",
        again=again,
    )


@get("/teams/{team:str}/edit")
async def ask_to_change_team(page: OnPage, team: FromPath[str]) -> Template:
    """Ask for the new settings of a team."""
    return await _edit(page, team)


@post("/teams/{team:str}/edit", status_code=200)
async def change_team(page: OnPage, team: FromPath[str]) -> Response[Any]:
    """Change a team."""
    return await page.apply(
        Change("PATCH", ("teams", team), f"Change {team}", "Change", lambda: _body(page)),
        back=f"/teams/{team}",
        notice=f"The team {team} was changed.",
        again=partial(_edit, page, team),
    )


@post("/teams/{team:str}/remove", status_code=200)
async def remove_team(page: OnPage, team: FromPath[str]) -> Response[Any]:
    """Remove a team."""
    return await page.apply(
        Change("DELETE", ("teams", team), f"Remove {team}", "Remove the team"),
        back="/teams",
        notice=f"The team {team} was removed.",
    )


async def _edit(page: Page, team: str, error: str = "") -> Template:
    return page.ask(
        _fields(await page.api.get("teams", team)),
        title=f"Change {team}",
        action="Look at the change",
        back=f"/teams/{team}",
        error=error,
    )


def _new(page: Page, error: str = "") -> Template:
    name = Field(
        name="name",
        label="Name",
        required=True,
        hint="Letters, digits, dots, hyphens and underscores. It cannot be changed later.",
    )
    return page.ask(
        [Group(fields=[name], wide=True), *_fields({"limits": None, "weight": 1})],
        title="New team",
        action="Look at the change",
        back="/teams",
        error=error,
    )


def _fields(shown: Any) -> list[Group]:
    share = [
        Field(
            name="weight",
            label="Weight",
            kind="number",
            value=shown["weight"],
            hint="Its share of purchases where several teams wait",
        ),
        Field(
            name="waiting_generations",
            label="Purchases that may wait",
            kind="number",
            value=shown.get("waiting_generations") or "",
            hint="Empty: any number",
        ),
    ]
    return [limits(shown["limits"]), Group(legend="When the upstream is busy", fields=share)]


def _body(page: Page) -> dict[str, Any]:
    form = page.form
    return {
        "limits": limits_body(form, limits(None)),
        "weight": form.whole("weight", "Weight") or 1,
        "waiting_generations": form.whole("waiting_generations", "Purchases that may wait") or 0,
    }


ROUTES = (
    teams,
    team,
    ask_for_team,
    make_team,
    ask_to_change_team,
    change_team,
    remove_team,
)
