"""Webhooks: which were delivered, which failed and why; sent once more."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.page import OnPage

_PAGE = 50
_STATES = ("failed", "waiting", "delivered")


@get("/deliveries")
async def deliveries(page: OnPage) -> Template:
    """List webhooks."""
    state = page.query.get("state", "")
    found = await page.api.get(
        "deliveries",
        state=state if state in _STATES else "",
        app=page.query.get("app"),
        limit=_PAGE,
        cursor=page.query.get("cursor"),
    )
    return page.show("deliveries.html", deliveries=found, states=_STATES)


@post("/deliveries/{request_id:str}/resend", status_code=200)
async def resend(page: OnPage, request_id: FromPath[str]) -> Response[Any]:
    """Send a webhook once more."""
    await page.api.post("deliveries", request_id, "resend")
    return await page.go("/deliveries", f"The webhook of {request_id} is being sent once more.")


ROUTES = (deliveries, resend)
