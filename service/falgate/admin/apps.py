"""Administration of apps, which are named within their team: "web/shop"."""

from collections.abc import Callable

from falgate.accounts.directory import App
from falgate.admin.context import AdminContext, change, check, check_name
from falgate.core.account import Account
from falgate.core.problems import Conflict, Invalid, NotFound


class Apps:
    """All apps."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(self, team: str = "") -> dict[str, App]:
        """Return all apps, or those of one team, by "team/app", sorted.

        Raises:
            NotFound: There is no such team.
        """
        directory = await self._context.records.directory()
        if team and team not in directory.teams:
            raise NotFound(f"There is no team {team}; create it first")
        found = sorted(directory.apps.items())
        return {name: app for name, app in found if not team or name.startswith(f"{team}/")}

    async def show(self, name: str) -> App:
        """Return an app.

        Raises:
            NotFound: There is no such app.
        """
        app = (await self._context.records.directory()).apps.get(name)
        if app is None:
            raise NotFound(f"There is no app {name}; create it first")
        return app

    async def create(self, name: str, app: App) -> App:
        """Create an app.

        Raises:
            Invalid: The name or a setting is invalid.
            NotFound: There is no such team.
            Conflict: The name is taken.
        """
        team, slash, rest = name.partition("/")
        if not slash:
            raise Invalid("An app's name includes its team; example: web/shop")
        check_name(rest)
        check(app)
        directory = await self._context.records.directory()
        if team not in directory.teams:
            raise NotFound(f"There is no team {team}; create it first")
        taken = name in directory.apps
        if taken or not await self._context.records.put_app(name, None, app, self._context.who):
            raise Conflict(f"App {name} already exists; change that one")
        return app

    async def change(self, name: str, how: Callable[[App], App]) -> App:
        """Replace an app by what `how` makes of it.

        Raises:
            Invalid: A setting is invalid.
            NotFound: There is no such app.
            Conflict: Others keep changing it at the same time.
        """
        return await change(
            lambda: self.show(name),
            lambda was: check(how(was)),
            lambda was, now: self._context.records.put_app(name, was, now, self._context.who),
        )

    async def remove(self, name: str) -> None:
        """Remove an app. Its spending stays in the ledger.

        Raises:
            NotFound: There is no such app.
            Conflict: It has keys or budgets, or was changed at the same time.
        """
        app = await self.show(name)
        for key in await self._context.records.keys(name):
            if not key.revoked_s:
                raise Conflict(f"App {name} has the key {key.id}; revoke it first")
        await self._context.require_no_budget(Account("app", name))
        if not await self._context.records.put_app(name, app, None, self._context.who):
            raise Conflict(f"App {name} was changed just now; check it and try again")
