"""Keys of apps: create, change, rotate, disable and revoke; a secret is shown once."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.fields import Field, Group, chosen, limits, limits_body
from falgate.console.forms import Form
from falgate.console.page import Change, OnPage, Page
from falgate.console.pages.key_acts import Holder, ask_to_rotate, revoke, rotate, switch
from falgate.core.problems import Invalid

_PAGE = 50
KINDS = {"live": "Live", "test": "Test: play money"}
_OF_APPS = Holder(
    resource="keys",
    what="the key",
    overlap_h=24,
    at_once="0: it stops at once, on every instance",
    lead="The key keeps its id, its budget and its limits, and gets a new secret.",
)
_DAY_S = 86_400


@get("/keys")
async def keys(page: OnPage) -> Template:
    """List keys."""
    found = await page.api.get(
        "keys", of=page.query.get("of"), limit=_PAGE, cursor=page.query.get("cursor")
    )
    return page.show("keys.html", keys=found)


@get("/keys/{key_id:str}")
async def key(page: OnPage, key_id: FromPath[str]) -> Template:
    """Show a key."""
    shown = await page.api.get("keys", key_id)
    books = {"books": shown["kind"]}
    standings = await page.api.get("accounts", f"key:{key_id}", **books)
    return page.show("key.html", key=shown, standings=standings, account=f"key:{key_id}")


@get("/keys/new")
async def ask_for_key(page: OnPage) -> Template:
    """Ask for a key to create."""
    return await _new(page)


@post("/keys/new", status_code=200)
async def make_key(page: OnPage) -> Response[Any]:
    """Create a key."""

    async def made(told: Any) -> Template:
        return page.secret(told, where=f"/keys/{told['record']['id']}")

    return await page.apply(
        Change("POST", ("keys",), "Create a key", "Create the key", lambda: _made(page.form)),
        back="/keys",
        notice="",
        again=partial(_new, page),
        then=made,
    )


@get("/keys/{key_id:str}/edit")
async def ask_to_change_key(page: OnPage, key_id: FromPath[str]) -> Template:
    """Ask for the new settings of a key."""
    return await _edit(page, key_id)


@post("/keys/{key_id:str}/edit", status_code=200)
async def change_key(page: OnPage, key_id: FromPath[str]) -> Response[Any]:
    """Change a key."""
    return await page.apply(
        Change("PATCH", ("keys", key_id), "Change the key", "Change", lambda: _body(page.form)),
        back=f"/keys/{key_id}",
        notice="The key was changed.",
        again=partial(_edit, page, key_id),
    )


@post("/keys/{key_id:str}/disable", status_code=200)
async def disable_key(page: OnPage, key_id: FromPath[str]) -> Response[Any]:
    """Disable a key, or enable it again."""
    return await switch(page, _OF_APPS, key_id)


@post("/keys/{key_id:str}/revoke", status_code=200)
async def revoke_key(page: OnPage, key_id: FromPath[str]) -> Response[Any]:
    """Revoke a key for ever."""
    return await revoke(page, _OF_APPS, key_id)


@get("/keys/{key_id:str}/rotate")
async def ask_to_rotate_key(page: OnPage, key_id: FromPath[str]) -> Template:
    """Ask for how long the present secret stays valid."""
    return await ask_to_rotate(page, _OF_APPS, key_id)


@post("/keys/{key_id:str}/rotate", status_code=200)
async def rotate_key(page: OnPage, key_id: FromPath[str]) -> Response[Any]:
    """Give a key a new secret."""

    async def made(told: Any) -> Template:
        until = told["record"]["previous_until"]
        return page.secret(told, where=f"/keys/{key_id}", until=until)

    return await rotate(page, _OF_APPS, key_id, made)


async def _edit(page: Page, key_id: str, error: str = "") -> Template:
    return page.ask(
        fields(await page.api.get("keys", key_id)),
        title="Change the key",
        action="Look at the change",
        back=f"/keys/{key_id}",
        error=error,
    )


async def _new(page: Page, error: str = "") -> Template:
    apps = await page.api.get("apps", limit=500)
    names = [f"{each['team']}/{each['name']}" for each in apps["items"]]
    whose = [
        Field(
            name="app",
            label="App, team/app",
            value=page.query.get("app", ""),
            required=True,
            options=chosen(names),
        ),
        Field(name="kind", label="Kind", kind="choice", value="live", options=[*KINDS.items()]),
    ]
    return page.ask(
        [Group(fields=whose), *fields({})],
        title="New key",
        action="Look at the key",
        back="/keys",
        error=error,
    )


def fields(shown: Any) -> list[Group]:
    """Return the fields of a key that can be changed, with its present settings."""
    may = shown.get("permissions", {})
    about = [
        Field(name="name", label="Name", value=shown.get("name", ""), hint="A note for people"),
        Field(
            name="expires",
            label="Works until the end of",
            kind="date",
            value=(shown.get("expires_at") or "")[:10],
            hint="Empty: it does not expire (days of UTC)",
        ),
    ]
    lists = [
        ("models", "Models", "Empty: all. A family is openai/gpt-image-2.5/*"),
        ("qualities", "Qualities", "Empty: all"),
        ("sizes", "Sizes", "Empty: all. Such as 1024x1024"),
        ("networks", "Networks", "Empty: any address. Such as 10.0.0.0/8"),
    ]
    numbers = [
        ("pictures_max", "Pictures per request"),
        ("inputs_max", "Input pictures per request"),
        ("input_bytes_max", "Bytes of input pictures"),
    ]
    ticks = [
        ("fresh", "It may buy pictures that are already there"),
        ("derive", "It may get files that falgate converted"),
    ]
    return [
        Group(fields=about),
        Group(
            legend="It may use",
            fields=[
                Field(name=name, label=label, value=", ".join(may.get(name, ())), hint=hint)
                for name, label, hint in lists
            ]
            + [
                Field(name=name, label=label, kind="number", value=may.get(name) or "")
                for name, label in numbers
            ],
        ),
        Group(
            fields=[
                Field(name=name, label=label, kind="tick", value=may.get(name, True))
                for name, label in ticks
            ],
            wide=True,
        ),
        limits(shown.get("limits")),
    ]


def _made(form: Form) -> dict[str, Any]:
    team, _, app = form.text("app").partition("/")
    return {"team": team, "app": app, "kind": form.text("kind") or "live", **_body(form)}


def _body(form: Form) -> dict[str, Any]:
    return {
        "name": form.text("name"),
        "expires_at": until(form.text("expires")),
        "permissions": permissions(form),
        "limits": limits_body(form, limits(None)),
    }


def permissions(form: Form) -> dict[str, Any]:
    """Return what a form says that a key may be used for.

    Raises:
        Invalid: A number is none.
    """
    return {
        "models": form.lines("models"),
        "qualities": form.lines("qualities"),
        "sizes": form.lines("sizes"),
        "networks": form.lines("networks"),
        "pictures_max": form.whole("pictures_max", "Pictures per request") or 0,
        "inputs_max": form.whole("inputs_max", "Input pictures per request") or 0,
        "input_bytes_max": form.whole("input_bytes_max", "Bytes of input pictures") or 0,
        "fresh": form.ticked("fresh"),
        "derive": form.ticked("derive"),
    }


def until(day: str) -> str | None:
    """Return the end of a day of UTC, as RFC 3339; None for "".

    Raises:
        Invalid: It is no day.
    """
    if not day:
        return None
    try:
        at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid("Works until the end of: give a day, such as 2026-12-31") from None
    return datetime.fromtimestamp(at.timestamp() + _DAY_S, UTC).isoformat()


ROUTES = (
    keys,
    key,
    ask_for_key,
    make_key,
    ask_to_change_key,
    change_key,
    disable_key,
    revoke_key,
    ask_to_rotate_key,
    rotate_key,
)
