"""Operators: who administers falgate, in which role; their key is shown once."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.fields import Field, Group, chosen
from falgate.console.page import Change, OnPage, Page
from falgate.console.pages.key_acts import Holder, ask_to_rotate, revoke, rotate, switch
from falgate.console.pages.keys import until

_PAGE = 50
_ROLES = {
    "viewer": "Viewer: sees everything, changes nothing",
    "lead": "Lead: administers one team",
    "admin": "Admin: everything",
}
_PROMPTS = "Sees the prompts that apps keep (admins always do)"
_OF_OPERATORS = Holder(
    resource="operators",
    what="the operator's key",
    overlap_h=0,
    at_once="0: it stops at once, and so do the sessions that it began",
    lead="The role and the name stay. The key gets a new secret, shown once.",
)


@get("/operators")
async def operators(page: OnPage) -> Template:
    """List the operators."""
    found = await page.api.get("operators", limit=_PAGE, cursor=page.query.get("cursor"))
    return page.show("operators.html", operators=found)


@get("/operators/{operator_id:str}")
async def operator(page: OnPage, operator_id: FromPath[str]) -> Template:
    """Show an operator."""
    found = await page.api.get("operators", operator_id)
    return page.show("operator.html", each=found, own=operator_id == page.operator.id)


@get("/operators/new")
async def ask_for_operator(page: OnPage) -> Template:
    """Ask for an operator to create."""
    return await _new(page)


@post("/operators/new", status_code=200)
async def make_operator(page: OnPage) -> Response[Any]:
    """Create an operator."""

    async def made(told: Any) -> Template:
        return _secret(page, told)

    return await page.apply(
        Change("POST", ("operators",), "Create an operator", "Create", lambda: _made(page)),
        back="/operators",
        notice="",
        again=partial(_new, page),
        then=made,
    )


@get("/operators/{operator_id:str}/edit")
async def ask_to_change_operator(page: OnPage, operator_id: FromPath[str]) -> Template:
    """Ask for the new settings of an operator."""
    return await _edit(page, operator_id)


@post("/operators/{operator_id:str}/edit", status_code=200)
async def change_operator(page: OnPage, operator_id: FromPath[str]) -> Response[Any]:
    """Change an operator."""
    shown = await page.api.get("operators", operator_id)

    def body() -> dict[str, Any]:
        settings = _body(page)
        return settings | ({"prompts": True} if shown["role"] == "admin" else {})

    return await page.apply(
        Change("PATCH", ("operators", operator_id), "Change the operator", "Change", body),
        back=f"/operators/{operator_id}",
        notice="The operator was changed.",
        again=partial(_edit, page, operator_id),
    )


@post("/operators/{operator_id:str}/disable", status_code=200)
async def disable_operator(page: OnPage, operator_id: FromPath[str]) -> Response[Any]:
    """Disable an operator's key, or enable it again."""
    return await switch(page, _OF_OPERATORS, operator_id)


@post("/operators/{operator_id:str}/revoke", status_code=200)
async def revoke_operator(page: OnPage, operator_id: FromPath[str]) -> Response[Any]:
    """Revoke an operator's key for ever."""
    return await revoke(page, _OF_OPERATORS, operator_id)


@get("/operators/{operator_id:str}/rotate")
async def ask_to_rotate_operator(page: OnPage, operator_id: FromPath[str]) -> Template:
    """Ask for how long the present secret stays valid."""
    return await ask_to_rotate(page, _OF_OPERATORS, operator_id)


@post("/operators/{operator_id:str}/rotate", status_code=200)
async def rotate_operator(page: OnPage, operator_id: FromPath[str]) -> Response[Any]:
    """Give an operator's key a new secret."""

    async def made(told: Any) -> Template:
        return _secret(page, told)

    return await rotate(page, _OF_OPERATORS, operator_id, made)


def _secret(page: Page, told: Any) -> Template:
    record = told["record"]
    return page.show("operator_secret.html", **told, where=f"/operators/{record['id']}")


async def _edit(page: Page, operator_id: str, error: str = "") -> Template:
    shown = await page.api.get("operators", operator_id)
    return page.ask(
        _fields(shown),
        title=f"Change {shown['name']}",
        action="Look at the change",
        back=f"/operators/{operator_id}",
        error=error,
        lead=["Role and team never change: for another one, create another operator."],
    )


async def _new(page: Page, error: str = "") -> Template:
    teams = await page.api.get("teams", limit=500)
    whose = [
        Field(name="role", label="Role", kind="choice", value="viewer", options=[*_ROLES.items()]),
        Field(
            name="team",
            label="Team of a lead",
            options=chosen([each["name"] for each in teams["items"]]),
            hint="Empty for the other roles",
        ),
    ]
    return page.ask(
        [Group(fields=whose), *_fields({})],
        title="New operator",
        action="Look at the operator",
        back="/operators",
        error=error,
    )


def _fields(shown: Any) -> list[Group]:
    about = [
        Field(
            name="name",
            label="Name",
            value=shown.get("name", ""),
            required=True,
            hint="Who it is, in the audit log; without colons",
        ),
        Field(
            name="expires",
            label="Works until the end of",
            kind="date",
            value=(shown.get("expires_at") or "")[:10],
            hint="Empty: it does not expire (days of UTC)",
        ),
    ]
    prompts = Field(name="prompts", label=_PROMPTS, kind="tick", value=shown.get("prompts", False))
    asked = [Group(fields=about)]
    return asked if shown.get("role") == "admin" else [*asked, Group(fields=[prompts], wide=True)]


def _made(page: Page) -> dict[str, Any]:
    team = page.form.text("team")
    return {"role": page.form.text("role"), "team": team or None, **_body(page)}


def _body(page: Page) -> dict[str, Any]:
    return {
        "name": page.form.text("name"),
        "prompts": page.form.ticked("prompts"),
        "expires_at": until(page.form.text("expires")),
    }


ROUTES = (
    operators,
    operator,
    ask_for_operator,
    make_operator,
    ask_to_change_operator,
    change_operator,
    disable_operator,
    revoke_operator,
    ask_to_rotate_operator,
    rotate_operator,
)
