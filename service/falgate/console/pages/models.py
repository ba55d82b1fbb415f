"""Models: until when each can be bought, who calls it, its limits and what follows its end."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.api import Refused
from falgate.console.fields import Field, Group, chosen, limits, limits_body
from falgate.console.page import Change, OnPage, Page
from falgate.console.words import inpath

_MOST = 500
_AFTERWARDS = {
    "serve-cached": "What the cache cannot answer is refused, with the successor's name",
    "redirect": "Its successor serves what the cache cannot answer",
}


@get("/models")
async def models(page: OnPage) -> Template:
    """List the models, and the organisation's own names for them."""
    states = await _states(page)
    return page.show(
        "models.html",
        models=await page.api.get("models", limit=_MOST),
        aliases=await page.api.get("aliases", limit=_MOST),
        stopped=states["stopped"],
        drift=states["drift"],
    )


@get("/models/{model:str}")
async def model(page: OnPage, model: FromPath[str]) -> Template:
    """Show a model."""
    endpoint = model.replace(":", "/")
    account = f"model:{endpoint}"
    states = await _states(page)
    overseer = page.may("admin", "viewer")
    return page.show(
        "model.html",
        model=await page.api.get("model", endpoint_id=endpoint),
        ends=await _listed(page, endpoint),
        limits=await page.api.get("limits", inpath(account)) if overseer else None,
        standings=await page.api.get("accounts", inpath(account)) if overseer else [],
        account=account,
        stopped=endpoint in states["stopped"],
        drift=states["drift"].get(endpoint),
        words=_AFTERWARDS,
    )


@get("/models/{model:str}/edit")
async def ask_to_change_model(page: OnPage, model: FromPath[str]) -> Template:
    """Ask what is decided about a model."""
    return await _edit(page, model)


@post("/models/{model:str}/edit", status_code=200)
async def change_model(page: OnPage, model: FromPath[str]) -> Response[Any]:
    """Decide about a model."""
    endpoint = model.replace(":", "/")
    return await page.apply(
        Change("PATCH", ("models", model), f"Change {endpoint}", "Change", lambda: _body(page)),
        back=f"/models/{model}",
        notice=f"What is decided about {endpoint} is in force everywhere.",
        again=partial(_edit, page, model),
    )


async def _listed(page: Page, endpoint: str) -> Any:
    return _among((await page.api.get("models", limit=_MOST))["items"], endpoint)


def _among(models: Sequence[Any], endpoint: str) -> Any:
    listed = next((each for each in models if each["endpoint"] == endpoint), None)
    if listed is None:
        raise Refused(404, "falgate serves no such model; `/models` lists those that it serves")
    return listed


async def _states(page: Page) -> Mapping[str, Any]:
    status = await page.api.get("status", brief="true")
    subjects = [each["subject"] for each in status["stops"]]
    return {
        "stopped": {each.removeprefix("model:") for each in subjects if each.startswith("model:")},
        "drift": {each["model"]: each for each in status["drift"]},
    }


async def _edit(page: Page, model: str, error: str = "") -> Template:
    endpoint = model.replace(":", "/")
    others = (await page.api.get("models", limit=_MOST))["items"]
    shown = _among(others, endpoint)
    own = await page.api.get("model", endpoint_id=endpoint)
    decided = {name: _decided(shown[name], own[name]) for name in ("retires", "successor")}
    end = [
        Field(
            name="retires",
            label="Day from which nothing of it is bought",
            kind="date",
            value=decided["retires"],
            hint=f"Empty: {own['retires'] or 'no day'}, as its own file says",
        ),
        Field(
            name="successor",
            label="Successor",
            value=decided["successor"],
            options=chosen([each["endpoint"] for each in others if each is not shown]),
            hint=f"Empty: {own['successor'] or 'none'}, as its own file says",
        ),
    ]
    after = Field(
        name="afterwards",
        label="Once it has ended",
        kind="choice",
        value=shown["afterwards"],
        options=[*_AFTERWARDS.items()],
    )
    now = await page.api.get("limits", f"model:{model}")
    return page.ask(
        [
            Group(fields=end),
            Group(fields=[after], wide=True),
            limits(now, requests=False),
        ],
        title=f"Change {endpoint}",
        action="Look at the change",
        back=f"/models/{model}",
        error=error,
    )


def _decided(now: str | None, own: str | None) -> str:
    """What operators decided: a value that is not what the model's own file says."""
    return now or "" if now != own else ""


def _body(page: Page) -> dict[str, Any]:
    form = page.form
    return {
        "retires": form.text("retires") or None,
        "successor": form.text("successor"),
        "afterwards": form.text("afterwards"),
        "limits": limits_body(form, limits(None, requests=False)),
    }


ROUTES = (models, model, ask_to_change_model, change_model)
