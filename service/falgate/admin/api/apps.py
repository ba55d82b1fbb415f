"""/teams/{team}/apps: administration of apps."""

from litestar.params import FromPath, JSONBody

from falgate.accounts.directory import App, Name
from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page, page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin
from falgate.admin.api.shapes import AppShown
from falgate.admin.patch import AppChange, merged
from falgate.admin.service import AdminService

routes = Resource("apps")
_ALL, _ONE = "/teams/{team:str}/apps", "/teams/{team:str}/apps/{app:str}"


class AppMade(App, frozen=True, kw_only=True):
    """An app to create."""

    name: Name


@routes.get("/apps", "List the apps of all teams", lead=True)
async def list_all_apps(
    admin: Admin, acting: Acting, limit: Limit = LIMIT, cursor: Cursor = ""
) -> Page[AppShown]:
    """Sorted by team and name; for a lead, those of the own team."""
    return await _page(admin, acting.team, limit, cursor)


@routes.get(_ALL, "List a team's apps", 404, lead=True)
async def list_apps(
    admin: Admin,
    acting: Acting,
    team: FromPath[str],
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Page[AppShown]:
    """Sorted by name."""
    acting.answer_for(team)
    return await _page(admin, team, limit, cursor)


@routes.post(_ALL, "Create an app", 404, 409)
async def create_app(admin: Admin, team: FromPath[str], data: JSONBody[AppMade]) -> AppShown:
    """The name cannot be changed later."""
    made = await admin.apps.create(f"{team}/{data.name}", merged(App(), data))
    return AppShown.of(made, team=team, name=data.name)


@routes.get(_ONE, "Get an app", 404, lead=True)
async def show_app(
    admin: Admin, acting: Acting, team: FromPath[str], app: FromPath[str]
) -> AppShown:
    """The app's settings."""
    acting.answer_for(team)
    return AppShown.of(await admin.apps.show(f"{team}/{app}"), team=team, name=app)


@routes.patch(_ONE, "Change an app", 404, 409)
async def change_app(
    admin: Admin,
    team: FromPath[str],
    app: FromPath[str],
    data: JSONBody[AppChange],
) -> AppShown:
    """Fields that are not given keep their values."""
    changed = await admin.apps.change(f"{team}/{app}", lambda was: merged(was, data))
    return AppShown.of(changed, team=team, name=app)


@routes.delete(_ONE, "Remove an app", 404, 409)
async def remove_app(admin: Admin, team: FromPath[str], app: FromPath[str]) -> None:
    """Only an app whose keys are all revoked and that has no budgets can be removed."""
    await admin.apps.remove(f"{team}/{app}")


async def _page(admin: AdminService, of: str, limit: int, cursor: str) -> Page[AppShown]:
    def shown(place: str, app: App) -> AppShown:
        team, _, name = place.partition("/")
        return AppShown.of(app, team=team, name=name)

    return page(await admin.apps.all(of), shown, limit, cursor)
