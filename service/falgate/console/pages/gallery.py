"""The gallery: pictures with what was asked for, found by words, apps, models, sizes and days."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Template
from msgspec.structs import replace

from falgate.console.api import Refused
from falgate.console.fields import Field, chosen
from falgate.console.page import OnPage, Page
from falgate.console.passing import PassedOn

_PAGE = 48
_LONG = 600
"""More than the admin API takes of any field."""
_MODELS = 500
_QUALITIES = ("low", "medium", "high")
_SIZES = ("1024x1024", "1536x1024", "1024x1536")
_IN_URL = ("team", "app", "model")
"""A link may ask for these; words of prompts are in no URL."""
_WRONG = frozenset({400, 403})
# The browser keeps what it was sent, and asks each time whether it may still be shown: once
# somebody has signed out, it may not.
_FILE = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


@get("/gallery")
async def newest(page: OnPage) -> Template:
    """Show the newest pictures, of a team, an app or a model if a link says so."""
    return await _gallery(page, {name: page.query.get(name, "") for name in _IN_URL})


@post("/gallery", status_code=200)
async def find(page: OnPage) -> Template:
    """Show the pictures that a filter finds."""
    return await _gallery(page, {each.name: page.form.text(each.name) for each in _fields(page)})


@get("/gallery/{file_name:str}")
async def picture(page: OnPage, file_name: FromPath[str]) -> Template:
    """Show a picture, and the request that made it."""
    shown = await page.api.get("gallery", file_name)
    request = await page.api.get("cache", "pictures", file_name, "request")
    snippets = request["snippets"] or {}
    ways = [
        ("curl", "curl", snippets.get("curl")),
        ("python", "Python's fal_client", snippets.get("python")),
        ("javascript", "JavaScript's @fal-ai/client", snippets.get("javascript")),
    ]
    return page.show(
        "picture.html",
        each=shown,
        ways=[way for way in ways if way[2]],
        again=shown["pooled"] and snippets and page.may("admin"),
    )


@get("/gallery/{file_name:str}/thumbnail")
async def thumbnail(page: OnPage, file_name: FromPath[str]) -> PassedOn:
    """Pass on a small version of a picture."""
    return _file(page, file_name, "thumbnail")


@get("/gallery/{file_name:str}/file")
async def file(page: OnPage, file_name: FromPath[str]) -> PassedOn:
    """Pass on a picture."""
    return _file(page, file_name, "file")


def _file(page: Page, name: str, what: str) -> PassedOn:
    passed = PassedOn(page.api, f"cache/pictures/{quote(name, safe='')}/{what}")
    passed.headers |= _FILE
    return passed


async def _gallery(page: Page, wanted: dict[str, str]) -> Template:
    asked = {name: text[:_LONG] for name, text in wanted.items() if text}
    body: dict[str, Any] = {**asked, "pinned": "pinned" in asked, "limit": _PAGE}
    body["size"] = asked.get("size", "").replace("\u00d7", "x").replace(" ", "").lower()
    if cursor := page.form.text("cursor"):
        body["cursor"] = cursor
    found, error = None, ""
    try:
        found = await page.api.post("gallery", "find", body=body)
    except Refused as refused:
        if refused.status not in _WRONG:
            raise
        error = str(refused)
    models = (await page.api.get("models", limit=_MODELS))["items"]
    fields = {each.name: _filled(each, asked) for each in _fields(page, models)}
    return page.show(
        "gallery.html",
        http_status=400 if error else 200,
        found=found,
        words=fields.pop("words", None),
        fields=[*fields.values()],
        narrowed=bool(asked.keys() & fields.keys()),
        asked=asked,
        error=error,
        later=bool(cursor),
    )


def _filled(field: Field, asked: Mapping[str, str]) -> Field:
    said = asked.get(field.name, "")
    return replace(field, value=bool(said) if field.kind == "tick" else said)


def _fields(page: Page, models: Sequence[Any] = ()) -> list[Field]:
    """Return the filter's fields; not those for words and teams that an operator may not see."""
    endpoints = [each["endpoint"] for each in models]
    fields = [
        Field(name="words", label="Words of the prompt"),
        Field(name="team", label="Team"),
        Field(name="app", label="App, team/app"),
        Field(name="model", label="Model", options=chosen(endpoints)),
        Field(name="quality", label="Quality", options=chosen(_QUALITIES)),
        Field(name="size", label="Size", options=chosen(_SIZES)),
        Field(name="first", label="From", kind="date"),
        Field(name="last", label="To, inclusive", kind="date"),
        Field(name="pinned", label="Pinned only", kind="tick"),
    ]
    hidden = {"words"} if not page.operator.prompts else set[str]()
    hidden |= {"team"} if page.may("lead") else set()
    return [each for each in fields if each.name not in hidden]


ROUTES = (newest, find, picture, thumbnail, file)
