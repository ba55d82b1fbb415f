"""Administration of aliases: names for models that all apps may call."""

from falgate.accounts.directory import ALIASES_MAX, Alias
from falgate.admin.context import AdminContext, change
from falgate.admin.model_checks import check_alias
from falgate.core.problems import Invalid, NotFound


class Aliases:
    """The organisation's aliases. An app's own ones are fields of the app, and come first."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(self) -> dict[str, Alias]:
        """Return all by name, sorted."""
        return dict(sorted((await self._context.records.directory()).aliases.items()))

    async def set(self, name: str, alias: Alias) -> Alias:
        """Create an alias, or let it stand for another model.

        Raises:
            Invalid: The name or the target is invalid, or there are too many.
            Conflict: Others keep changing it at the same time.
        """
        known = await self.all()
        check_alias(name, alias.target, self._context.models, known)
        if name not in known and len(known) >= ALIASES_MAX:
            raise Invalid(f"There are {ALIASES_MAX} aliases already; remove one first")
        await self._change(name, alias)
        return alias

    async def remove(self, name: str) -> None:
        """Remove an alias; apps that call it get fal's 404 from now on.

        Raises:
            NotFound: There is none of this name.
            Conflict: Others keep changing it at the same time.
        """
        if name not in await self.all():
            raise NotFound(f"There is no alias {name[:100]!r}")
        await self._change(name, None)

    async def _change(self, name: str, alias: Alias | None) -> None:
        records = self._context.records

        async def read() -> Alias | None:
            return (await records.directory()).aliases.get(name)

        await change(
            read,
            lambda _: alias,
            lambda was, now: records.put_alias(name, was, now, self._context.who),
        )
