"""Administration of teams: list, show, create, change and remove."""

from collections.abc import Callable

from falgate.accounts.directory import Team
from falgate.admin.context import AdminContext, change, check, check_name
from falgate.core.account import Account
from falgate.core.problems import Conflict, NotFound


class Teams:
    """All teams."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(self) -> dict[str, Team]:
        """Return all teams by name, sorted."""
        return dict(sorted((await self._context.records.directory()).teams.items()))

    async def show(self, name: str) -> Team:
        """Return a team.

        Raises:
            NotFound: There is no such team.
        """
        team = (await self._context.records.directory()).teams.get(name)
        if team is None:
            raise NotFound(f"There is no team {name}; create it first")
        return team

    async def create(self, name: str, team: Team) -> Team:
        """Create a team.

        Raises:
            Invalid: The name or a setting is invalid.
            Conflict: The name is taken.
        """
        check_name(name)
        check(team)
        # `put_team` accepts an identical repeat, since the first reply may have been lost. So an
        # existing team is looked for first.
        taken = name in (await self._context.records.directory()).teams
        if taken or not await self._context.records.put_team(name, None, team, self._context.who):
            raise Conflict(f"Team {name} already exists; change that one")
        return team

    async def change(self, name: str, how: Callable[[Team], Team]) -> Team:
        """Replace a team by what `how` makes of it.

        Raises:
            Invalid: A setting is invalid.
            NotFound: There is no such team.
            Conflict: Others keep changing it at the same time.
        """
        return await change(
            lambda: self.show(name),
            lambda was: check(how(was)),
            lambda was, now: self._context.records.put_team(name, was, now, self._context.who),
        )

    async def remove(self, name: str) -> None:
        """Remove a team. Its spending stays in the ledger.

        Raises:
            NotFound: There is no such team.
            Conflict: It has apps or budgets, or was changed at the same time.
        """
        team = await self.show(name)
        apps = (await self._context.records.directory()).apps
        if mine := [app for app in apps if app.startswith(f"{name}/")]:
            raise Conflict(
                f"Team {name} has apps ({', '.join(sorted(mine)[:3])}); remove them first"
            )
        await self._context.require_no_budget(Account("team", name))
        if not await self._context.records.put_team(name, team, None, self._context.who):
            raise Conflict(f"Team {name} was changed just now; check it and try again")
