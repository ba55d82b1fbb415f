"""Stops: for whom and for what nothing is bought, since when, by whom and why."""

import re
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.fields import Field, Group, chosen
from falgate.console.page import Change, OnPage, Page
from falgate.console.words import inpath
from falgate.core.problems import Invalid

_PAGE = 50
_MOST = 500
_ALL = "organisation:main"
_SUBJECTS = f"{_ALL} for everything, team:NAME, app:TEAM/APP or model:ENDPOINT"
_SUBJECT = re.compile(r"organisation:main|(team|model):.+|app:[^:]+:[^:]+")
_WHY = Field(name="why", label="Reason", hint="Callers are told it; empty: none")


@get("/stops")
async def stops(page: OnPage) -> Template:
    """List what is stopped."""
    found = await page.api.get("stops", limit=_PAGE, cursor=page.query.get("cursor"))
    return page.show("stops.html", stops=found)


@get("/stops/new")
async def ask_what_to_stop(page: OnPage) -> Template:
    """Ask what to stop, and why."""
    return await _new(page)


@post("/stops/new", status_code=200)
async def stop_something(page: OnPage) -> Response[Any]:
    """Stop what a form names."""
    subject = page.form.text("subject")
    return await _stopped(page, inpath(subject), partial(_new, page), named=True)


@get("/stops/{subject:str}")
async def one(page: OnPage, subject: FromPath[str]) -> Template:
    """Show a stop, or ask for the reason of a new one."""
    return await _one(page, subject)


@post("/stops/{subject:str}", status_code=200)
async def stop(page: OnPage, subject: FromPath[str]) -> Response[Any]:
    """Stop something, or change the reason."""
    return await _stopped(page, subject, partial(_one, page, subject))


@post("/stops/{subject:str}/resume", status_code=200)
async def resume(page: OnPage, subject: FromPath[str]) -> Response[Any]:
    """Let purchases go on."""
    return await page.apply(
        Change("DELETE", ("stops", subject), f"Resume purchases of {subject}", "Resume"),
        back="/stops",
        notice=f"Purchases of {subject} go on.",
    )


async def _stopped(page: Page, subject: str, again: Any, *, named: bool = False) -> Response[Any]:
    def body() -> dict[str, str]:
        if named and not _SUBJECT.fullmatch(subject):
            raise Invalid(f"What to stop: give {_SUBJECTS}")
        return {"why": page.form.text("why")}

    return await page.apply(
        Change(
            "PUT",
            ("stops", subject),
            f"Stop purchases of {subject}",
            "Stop purchases",
            body,
        ),
        back="/stops",
        notice=f"Nothing more is bought for {subject}.",
        again=again,
    )


async def _one(page: Page, subject: str, error: str = "") -> Template:
    found = await page.api.get("stops", limit=_MOST)
    held = next((each for each in found["items"] if inpath(each["subject"]) == subject), None)
    if held is not None:
        return page.show("stop.html", stop=held, error=error, http_status=422 if error else 200)
    return page.ask(
        [Group(fields=[_WHY], wide=True)],
        title=f"Stop purchases of {subject}",
        action="Look at the change",
        back="/stops",
        error=error,
        lead=["What is cached is still answered, and what is under way ends as usual."],
    )


async def _new(page: Page, error: str = "") -> Template:
    teams = await page.api.get("teams", limit=_MOST)
    models = await page.api.get("models", limit=_MOST)
    named = [f"team:{each['name']}" for each in teams["items"]]
    named += [f"model:{each['endpoint']}" for each in models["items"]]
    subject = Field(
        name="subject",
        label="What to stop",
        value=_ALL,
        required=True,
        options=chosen([_ALL, *named]),
        hint=_SUBJECTS,
    )
    return page.ask(
        [Group(fields=[subject, _WHY], wide=True)],
        title="Stop purchases",
        action="Look at the change",
        back="/stops",
        error=error,
        lead=["What is cached is still answered, and what is under way ends as usual."],
    )


ROUTES = (stops, ask_what_to_stop, stop_something, one, stop, resume)
