"""What is done alike to the keys of apps and of operators: disable, revoke, give a new secret."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from litestar import Response
from litestar.response import Template

from falgate.console.fields import Field, Group
from falgate.console.page import Change, Page

_HOUR_S = 3_600


class Holder(NamedTuple):
    """Whose keys they are.

    Attributes:
        resource: Of the admin API, and of the console's paths.
        what: What is disabled, in words.
        overlap_h: For how many hours the present secret stays valid, unless somebody says else.
        at_once: What happens with none.
        lead: What a new secret changes, and what it does not.
    """

    resource: str
    what: str
    overlap_h: int
    at_once: str
    lead: str


async def switch(page: Page, of: Holder, key_id: str) -> Response[Any]:
    """Disable a key, or enable it again, as the form says."""
    disabled = page.form.text("disabled") == "yes"
    word = "Disable" if disabled else "Enable"
    path, body = (of.resource, key_id), {"disabled": disabled}
    return await page.apply(
        Change("PATCH", path, f"{word} {of.what}", word, lambda: body),
        back=f"/{of.resource}/{key_id}",
        notice=f"{_capital(of.what)} was {word.lower()}d.",
    )


async def revoke(page: Page, of: Holder, key_id: str) -> Response[Any]:
    """Revoke a key for ever."""
    path = (of.resource, key_id, "revoke")
    return await page.apply(
        Change("POST", path, f"Revoke {of.what}", "Revoke it for ever"),
        back=f"/{of.resource}/{key_id}",
        notice=f"{_capital(of.what)} was revoked.",
    )


async def ask_to_rotate(page: Page, of: Holder, key_id: str, error: str = "") -> Template:
    """Ask for how long the present secret stays valid."""
    hours = Field(
        name="hours",
        label="The present secret stays valid for, hours",
        kind="number",
        value=of.overlap_h,
        hint=of.at_once,
    )
    return page.ask(
        [Group(fields=[hours], wide=True)],
        title=f"Rotate {of.what}",
        action="Look at the change",
        back=f"/{of.resource}/{key_id}",
        error=error,
        lead=[of.lead],
    )


async def rotate(
    page: Page, of: Holder, key_id: str, then: Callable[[Any], Awaitable[Response[Any]]]
) -> Response[Any]:
    """Give a key a new secret; `then` shows it, given what the admin API answered."""
    path = (of.resource, key_id, "rotate")

    def body() -> dict[str, int]:
        return {"overlap_s": _HOUR_S * (page.form.whole("hours", "Hours") or 0)}

    return await page.apply(
        Change("POST", path, f"Rotate {of.what}", "Give it a new secret", body),
        back=f"/{of.resource}/{key_id}",
        notice="",
        again=partial(ask_to_rotate, page, of, key_id),
        then=then,
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
