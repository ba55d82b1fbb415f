"""The overview: money, pictures, what is under way, and whether all is well."""

from typing import Any

from litestar import get
from litestar.response import Template

from falgate.console.page import OnPage, Page


@get("/")
async def overview(page: OnPage) -> Template:
    """Show how things stand."""
    return page.show("overview.html", **await _standing(page))


@get("/overview/live")
async def live(page: OnPage) -> Template:
    """Show the part of it that stays up to date."""
    return page.part("overview_live.html", **await _standing(page))


async def _standing(page: Page) -> dict[str, Any]:
    return {"status": await page.api.get("status")}


ROUTES = (overview, live)
