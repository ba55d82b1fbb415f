"""Teams and their apps."""

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from falgate.console.page import OnPage


@get("/teams")
async def teams(page: OnPage) -> Template:
    """List the teams."""
    found = await page.api.get("teams", limit=50, cursor=page.query.get("cursor"))
    return page.show("teams.html", teams=found)


@get("/teams/{team:str}")
async def team(page: OnPage, team: FromPath[str]) -> Template:
    """Show a team and its apps."""
    shown = await page.api.get("teams", team)
    apps = await page.api.get("teams", team, "apps", limit=100, cursor=page.query.get("cursor"))
    return page.show("team.html", team=shown, apps=apps)


ROUTES = (teams, team)
