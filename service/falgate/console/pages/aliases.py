"""Aliases: the organisation's own names for models."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.fields import Field, Group, chosen
from falgate.console.page import Change, OnPage, Page
from falgate.console.words import inpath

_MOST = 500


@get("/models/aliases/new")
async def ask_for_alias(page: OnPage) -> Template:
    """Ask for a name, and for the model that it stands for."""
    return await _new(page)


@post("/models/aliases/new", status_code=200)
async def set_alias(page: OnPage) -> Response[Any]:
    """Set an alias."""
    name = page.form.text("name")
    return await page.apply(
        Change(
            "PUT",
            ("aliases", inpath(name)),
            f"Set the alias {name}",
            "Set",
            lambda: {"target": page.form.text("target")},
        ),
        back="/models",
        notice=f"Apps that call {name} get its model from now on.",
        again=partial(_new, page),
    )


@post("/models/aliases/{alias:str}/remove", status_code=200)
async def remove_alias(page: OnPage, alias: FromPath[str]) -> Response[Any]:
    """Remove an alias."""
    name = alias.replace(":", "/")
    return await page.apply(
        Change("DELETE", ("aliases", alias), f"Remove the alias {name}", "Remove it"),
        back="/models",
        notice=f"The alias {name} was removed.",
    )


async def _new(page: Page, error: str = "") -> Template:
    models = await page.api.get("models", limit=_MOST)
    query = page.query
    fields = [
        Field(
            name="name",
            label="Name",
            value=query.get("name", ""),
            required=True,
            hint="What apps call, such as acme/image",
        ),
        Field(
            name="target",
            label="Model",
            value=query.get("target", ""),
            required=True,
            options=chosen([each["endpoint"] for each in models["items"]]),
            hint="What they get",
        ),
    ]
    return page.ask(
        [Group(fields=fields)],
        title="Alias",
        action="Look at the change",
        back="/models",
        error=error,
        lead=["All apps may call a model by this name. A name that is there gets the new model."],
    )


ROUTES = (ask_for_alias, set_alias, remove_alias)
