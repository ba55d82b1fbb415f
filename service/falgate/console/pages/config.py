"""The configuration as one file: downloaded, compared with what there is, and applied."""

from hashlib import sha256
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.response import Template

from falgate.console.api import Refused
from falgate.console.page import OnPage, Page

_OTHER = "What is there has changed since this plan was shown. This is what the file does now."


@get("/config")
async def config(page: OnPage) -> Template:
    """Show where to download the file, and ask for one."""
    return page.show("config.html", error="", given="", prune=False)


@get("/config/falgate.toml")
async def download(page: OnPage) -> Response[str]:
    """Answer with the file."""
    return Response(
        await page.api.text("config"),
        media_type="application/toml",
        headers={"Content-Disposition": 'attachment; filename="falgate.toml"'},
    )


@post("/config", status_code=200)
async def change_config(page: OnPage) -> Response[Any]:
    """Show what a file changes; once that was confirmed, change it."""
    # A file that was chosen counts, and what is typed where none was.
    given = page.form.raw("upload") if page.form.text("upload") else page.form.raw("file")
    body = {"file": given, "prune": page.form.ticked("prune")}
    try:
        plan = await page.api.post("config", "plan", body=body)
        mark = sha256(msgspec.json.encode(plan["steps"])).hexdigest()
        if page.form.text("step") != "confirmed":
            return _plan(page, plan, body, mark)
        if page.form.text("plan") != mark:
            return _plan(page, plan, body, mark, error=_OTHER)
        done = await page.api.post("config", "apply", body=body)
    except Refused as refused:
        return page.show(
            "config.html",
            http_status=422,
            error=str(refused),
            given=given,
            prune=body["prune"],
        )
    number = len(done["steps"])
    steps = "1 change was" if number == 1 else f"{number} changes were"
    return await page.go("/config", f"{steps} made. All is as the file says.")


def _plan(page: Page, plan: Any, body: Any, mark: str, *, error: str = "") -> Template:
    steps = plan["steps"]
    return page.show(
        "config_plan.html",
        http_status=409 if error else 200,
        steps=steps,
        blocked=sum(bool(each["blocked"]) for each in steps),
        removes=sum(each["action"] == "remove" for each in steps),
        mark=mark,
        error=error,
        **body,
    )


ROUTES = (config, download, change_config)
