"""Administration of teams, and of apps, which are named within their team: "web/shop"."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, Literal, TypeVar

from falgate.accounts.directory import App, Directory, Team
from falgate.admin.context import AdminContext, change, check, check_name
from falgate.core.account import Account
from falgate.core.problems import Conflict, Invalid, NotFound

R = TypeVar("R", bound=Team | App)


class Named(Generic[R]):
    """All teams, or all apps."""

    def __init__(
        self,
        context: AdminContext,
        level: Literal["team", "app"],
        of: Callable[[Directory], Mapping[str, R]],
        put: Callable[[str, R | None, R | None, str], Awaitable[bool]],
        valid: Callable[[R, Directory], None] = lambda _record, _directory: None,
    ) -> None:
        """Administer records.

        Args:
            context: Who acts, and on what.
            level: What the records are.
            of: Reads them.
            put: Stores them; one of `Records`.
            valid: Raises `Invalid` for a record that does not go with the directory.
        """
        self._context = context
        self._level = level
        self._of = of
        self._put = put
        self._valid = valid

    async def all(self, team: str = "") -> dict[str, R]:
        """Return all by name, sorted; of apps, perhaps only those of one team.

        Raises:
            NotFound: There is no such team.
        """
        directory = await self._context.records.directory()
        if team:
            _require_team(directory, team)
        found = sorted(self._of(directory).items())
        return {name: record for name, record in found if not team or name.startswith(f"{team}/")}

    async def show(self, name: str) -> R:
        """Return one.

        Raises:
            NotFound: There is none of this name.
        """
        record = self._of(await self._context.records.directory()).get(name)
        if record is None:
            raise NotFound(f"There is no {self._level} {name}; create it first")
        return record

    async def create(self, name: str, record: R) -> R:
        """Create one.

        Raises:
            Invalid: The name or a setting is invalid.
            NotFound: There is no such team.
            Conflict: The name is taken.
        """
        team, slash, own = name.partition("/") if self._level == "app" else ("", "", name)
        if self._level == "app" and not slash:
            raise Invalid("An app's name includes its team; example: web/shop")
        check_name(own)
        check(record)
        # A put accepts an identical repeat, since the first reply may have been lost. So an
        # existing record is looked for first.
        directory = await self._context.records.directory()
        if slash:
            _require_team(directory, team)
        self._valid(record, directory)
        taken = name in self._of(directory)
        if taken or not await self._put(name, None, record, self._context.who):
            raise Conflict(f"{self._level.title()} {name} already exists; change that one")
        return record

    async def change(self, name: str, how: Callable[[R], R]) -> R:
        """Replace a record by what `how` makes of it.

        Raises:
            Invalid: A setting is invalid.
            NotFound: There is none of this name.
            Conflict: Others keep changing it at the same time.
        """
        directory = await self._context.records.directory()

        def changed(was: R) -> R:
            now = check(how(was))
            self._valid(now, directory)
            return now

        return await change(
            lambda: self.show(name),
            changed,
            lambda was, now: self._put(name, was, now, self._context.who),
        )

    async def remove(self, name: str) -> None:
        """Remove one. Its spending stays in the ledger.

        Raises:
            NotFound: There is none of this name.
            Conflict: It is in use, has budgets, or was changed at the same time.
        """
        record = await self.show(name)
        await self._check_unused(name)
        await self._context.require_no_budget(Account(self._level, name))
        if not await self._put(name, record, None, self._context.who):
            what = f"{self._level.title()} {name}"
            raise Conflict(f"{what} was changed just now; check it and try again")

    async def _check_unused(self, name: str) -> None:
        apps = (await self._context.records.directory()).apps
        if mine := sorted(app for app in apps if app.startswith(f"{name}/")):
            raise Conflict(f"Team {name} has apps ({', '.join(mine[:3])}); remove them first")
        for lead in await self._context.records.operators.all() if self._level == "team" else ():
            if lead.team == name and not lead.revoked_s:
                # They would lead the next team of this name.
                raise Conflict(f"Team {name} has the lead {lead.id}; revoke their key first")
        for key in await self._context.records.keys(name) if self._level == "app" else ():
            if not key.revoked_s:
                raise Conflict(f"App {name} has the key {key.id}; revoke it first")


def _require_team(directory: Directory, team: str) -> None:
    if team not in directory.teams:
        raise NotFound(f"There is no team {team}; create it first")
