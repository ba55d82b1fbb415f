"""First steps: what an empty console leads through, each ticked once it is done."""

from typing import Any

import msgspec
from litestar import Response, post

from falgate.accounts.directory import FIRST
from falgate.console.page import OnPage, Page

_ALL, _LEDGER = "all", "ledger"
_USED = 10
"""So many purchases are made by who knows the way."""


class FirstStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step.

    Attributes:
        title: What it is, as what to do.
        words: More about it.
        path: Where it is done, behind `HOME`; "" before the steps ahead of it are done.
        done: Whether it is.
        marks: Whether it is done by going there, which a form does.
    """

    title: str
    words: str
    path: str
    done: bool
    marks: bool = False


async def first_steps(page: Page) -> list[FirstStep] | None:
    """Return the steps, for admins; None once all are done."""
    if not page.may("admin") or await page.was_done(_ALL):
        return None
    keys = (await page.api.get("keys", limit=_USED))["items"]
    own = next((each["id"] for each in reversed(keys) if not _of_the_start(each)), "")
    entries = [
        each
        for books in ("live", "test")
        for each in (await page.api.get("ledger", limit=_USED, books=books))["items"]
    ]
    looked = len(entries) >= _USED or await page.was_done(_LEDGER)
    if own and entries and looked:
        await page.done(_ALL)
        return None
    key = own or (keys[-1]["id"] if keys else "")
    return [
        FirstStep(
            title="Set up an app",
            words="Its team, the app, a key and budgets, in one form.",
            path="/setup",
            done=bool(own),
        ),
        FirstStep(
            title="Make a picture",
            words="In the playground, with the key of the app; its price is shown before.",
            path=f"/playground?key={key}" if key else "",
            done=bool(entries),
        ),
        FirstStep(
            title="See its line in the ledger",
            words="What was bought, for whom, and what it cost.",
            path="/first-steps/ledger" if entries else "",
            done=bool(entries) and looked,
            marks=True,
        ),
    ]


@post("/first-steps/ledger", status_code=200)
async def look_at_ledger(page: OnPage) -> Response[Any]:
    """Go to the ledger, and remember that somebody did."""
    if page.may("admin"):
        await page.done(_LEDGER)
    return await page.go("/ledger")


def _of_the_start(key: Any) -> bool:
    return (key["team"], key["app"], key["name"]) == (FIRST, FIRST, "first")


ROUTES = (look_at_ledger,)
