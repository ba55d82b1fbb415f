"""Apps: which share pictures with whom, what callers may override, their own names for models."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.fields import Field, Group, chosen, limits, limits_body
from falgate.console.forms import Form
from falgate.console.page import Change, OnPage, Page

_PAGE = 50
_OVERRIDES = {
    "freshness": "buy afresh (no-cache, no-store)",
    "age": "ask for a maximum age",
    "derivation": "refuse converted files",
    "scope": "choose a narrower scope",
    "variation": "name a variation",
}


@get("/teams/{team:str}/apps/{app:str}")
async def app(page: OnPage, team: FromPath[str], app: FromPath[str]) -> Template:
    """Show an app."""
    account = f"app:{team}/{app}"
    return page.show(
        "app.html",
        app=await page.api.get("teams", team, "apps", app),
        keys=await page.api.get(
            "keys", of=f"{team}/{app}", limit=_PAGE, cursor=page.query.get("cursor")
        ),
        standings=await page.api.get("accounts", account.replace("/", ":")),
        account=account,
        overrides=_OVERRIDES,
    )


@get("/teams/{team:str}/apps/new")
async def ask_for_app(page: OnPage, team: FromPath[str]) -> Template:
    """Ask for an app to create."""
    return _new(page, team)


@post("/teams/{team:str}/apps/new", status_code=200)
async def make_app(page: OnPage, team: FromPath[str]) -> Response[Any]:
    """Create an app."""
    name = page.form.text("name")

    async def again(error: str) -> Template:
        return _new(page, team, error)

    return await page.apply(
        Change(
            "POST",
            ("teams", team, "apps"),
            f"Create an app of {team}",
            "Create",
            lambda: {"name": name, **_body(page.form)},
        ),
        back=f"/teams/{team}",
        notice=f"The app {name} is there. It needs a key.",
        again=again,
    )


@get("/teams/{team:str}/apps/{app:str}/edit")
async def ask_to_change_app(page: OnPage, team: FromPath[str], app: FromPath[str]) -> Template:
    """Ask for the new settings of an app."""
    return await _edit(page, team, app)


@post("/teams/{team:str}/apps/{app:str}/edit", status_code=200)
async def change_app(page: OnPage, team: FromPath[str], app: FromPath[str]) -> Response[Any]:
    """Change an app."""
    return await page.apply(
        Change(
            "PATCH",
            ("teams", team, "apps", app),
            f"Change {team}/{app}",
            "Change",
            lambda: _body(page.form),
        ),
        back=f"/teams/{team}/apps/{app}",
        notice=f"The app {team}/{app} was changed.",
        again=partial(_edit, page, team, app),
    )


@post("/teams/{team:str}/apps/{app:str}/remove", status_code=200)
async def remove_app(page: OnPage, team: FromPath[str], app: FromPath[str]) -> Response[Any]:
    """Remove an app."""
    return await page.apply(
        Change("DELETE", ("teams", team, "apps", app), f"Remove {team}/{app}", "Remove the app"),
        back=f"/teams/{team}",
        notice=f"The app {team}/{app} was removed.",
    )


async def _edit(page: Page, team: str, app: str, error: str = "") -> Template:
    return page.ask(
        _fields(await page.api.get("teams", team, "apps", app)),
        title=f"Change {team}/{app}",
        action="Look at the change",
        back=f"/teams/{team}/apps/{app}",
        error=error,
    )


def _new(page: Page, team: str, error: str = "") -> Template:
    name = Field(
        name="name",
        label="Name",
        required=True,
        hint="Letters, digits, dots, hyphens and underscores. It cannot be changed later.",
    )
    usual = {
        "scope": "org",
        "max_age_s": 0,
        "freshness": "cached",
        "derive": True,
        "identical": "share",
        "callers_may": list(_OVERRIDES),
        "ignore_freshness": False,
        "keep_prompts": False,
    }
    return page.ask(
        [
            Group(fields=[name], wide=True),
            *_fields({"limits": None, "cache": usual, "aliases": {}}),
        ],
        title=f"New app of {team}",
        action="Look at the change",
        back=f"/teams/{team}",
        error=error,
    )


def _fields(shown: Any) -> list[Group]:
    cache = shown["cache"]
    scopes = {"org": "The whole organisation", "team": "Its team", "app": "Nobody"}
    freshness = {
        "cached": "Pictures that are there",
        "no-cache": "New pictures, which replace the old ones",
        "no-store": "New pictures, of which none is kept",
    }
    identical = {"share": "Get the same pictures", "distinct": "Each get their own"}
    sharing = [
        _choice("scope", "Shares pictures with", cache, scopes),
        _choice("freshness", "Unless callers ask otherwise, they get", cache, freshness),
        _choice("identical", "Identical requests at once", cache, identical),
        Field(
            name="max_age_s",
            label="Maximum age of pictures, seconds",
            kind="number",
            value=cache["max_age_s"] or "",
            hint="Empty: as long as they are kept",
        ),
    ]
    ticks = [
        _tick("derive", "A JPEG or WebP may be converted from a stored PNG", cache),
        _tick("ignore_freshness", "Ignore what callers say of freshness", cache),
        _tick("keep_prompts", "Keep prompts, for the gallery and for buying again", cache),
    ]
    may = [
        Field(name=f"may_{each}", label=words, kind="tick", value=each in cache["callers_may"])
        for each, words in _OVERRIDES.items()
    ]
    aliases = Field(
        name="aliases",
        label="Name and model, one pair a line",
        kind="area",
        value="\n".join(f"{name} {model}" for name, model in shown["aliases"].items()),
        hint="Such as: acme/image openai/gpt-image-2",
    )
    return [
        Group(legend="Cache", fields=sharing),
        Group(fields=ticks, wide=True),
        Group(legend="Callers may", fields=may, wide=True),
        limits(shown["limits"]),
        Group(legend="Its own names for models", fields=[aliases], wide=True),
    ]


def _choice(name: str, label: str, cache: Any, words: dict[str, str]) -> Field:
    return Field(
        name=name, label=label, kind="choice", value=cache[name], options=chosen([*words], words)
    )


def _tick(name: str, label: str, cache: Any) -> Field:
    return Field(name=name, label=label, kind="tick", value=cache[name])


def _body(form: Form) -> dict[str, Any]:
    pairs = (line.split(maxsplit=1) for line in form.text("aliases").splitlines() if line.strip())
    return {
        "limits": limits_body(form, limits(None)),
        "aliases": {name: " ".join(rest).strip() for name, *rest in pairs},
        "cache": {
            "scope": form.text("scope"),
            "max_age_s": form.whole("max_age_s", "Maximum age of pictures") or 0,
            "freshness": form.text("freshness"),
            "derive": form.ticked("derive"),
            "identical": form.text("identical"),
            "callers_may": [each for each in _OVERRIDES if form.ticked(f"may_{each}")],
            "ignore_freshness": form.ticked("ignore_freshness"),
            "keep_prompts": form.ticked("keep_prompts"),
        },
    }


ROUTES = (app, ask_for_app, make_app, ask_to_change_app, change_app, remove_app)
