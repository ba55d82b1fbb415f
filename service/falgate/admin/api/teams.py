"""/teams: administration of teams."""

from litestar.params import FromPath, JSONBody

from falgate.accounts.directory import Name, Team
from falgate.admin.api.paging import LIMIT, Cursor, Page, page
from falgate.admin.api.paging import Limit as Items
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin
from falgate.admin.api.shapes import TeamShown
from falgate.admin.patch import TeamChange, merged

routes = Resource("teams")


class TeamMade(Team, frozen=True, kw_only=True):
    """A team to create."""

    name: Name


@routes.get("/teams", "List teams", lead=True)
async def list_teams(
    admin: Admin, acting: Acting, limit: Items = LIMIT, cursor: Cursor = ""
) -> Page[TeamShown]:
    """Sorted by name; for a lead, the own team."""
    found = {name: team for name, team in (await admin.teams.all()).items() if acting.sees(name)}
    return page(found, lambda name, team: TeamShown.of(team, name=name), limit, cursor)


@routes.post("/teams", "Create a team", 409)
async def create_team(admin: Admin, data: JSONBody[TeamMade]) -> TeamShown:
    """The name cannot be changed later."""
    made = await admin.teams.create(data.name, merged(Team(), data))
    return TeamShown.of(made, name=data.name)


@routes.get("/teams/{team:str}", "Get a team", 404, lead=True)
async def show_team(admin: Admin, acting: Acting, team: FromPath[str]) -> TeamShown:
    """The team's settings."""
    acting.answer_for(team)
    return TeamShown.of(await admin.teams.show(team), name=team)


@routes.patch("/teams/{team:str}", "Change a team", 404, 409)
async def change_team(admin: Admin, team: FromPath[str], data: JSONBody[TeamChange]) -> TeamShown:
    """Fields that are not given keep their values."""
    changed = await admin.teams.change(team, lambda was: merged(was, data))
    return TeamShown.of(changed, name=team)


@routes.delete("/teams/{team:str}", "Remove a team", 404, 409)
async def remove_team(admin: Admin, team: FromPath[str]) -> None:
    """Only a team without apps and budgets can be removed."""
    await admin.teams.remove(team)
