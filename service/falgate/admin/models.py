"""Administration of models: what operators decide about each one: limits, and its end."""

from collections.abc import Callable

from falgate.accounts.directory import DEFAULT_MODEL, Model
from falgate.admin.context import AdminContext, change, check
from falgate.admin.model_checks import check_model
from falgate.core.account import Account


class Models:
    """All models that are served, and others about which something was decided before."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(self) -> dict[str, Model]:
        """Return all by endpoint, sorted."""
        decided = (await self._context.records.directory()).models
        return dict(
            sorted({**dict.fromkeys(self._context.models, DEFAULT_MODEL), **decided}.items())
        )

    async def show(self, endpoint: str) -> Model:
        """Return one.

        Raises:
            NotFound: falgate does not serve it, and nothing was decided about it before.
        """
        found = await self._decided(endpoint)
        if found is None:
            await self._context.require(Account("model", endpoint))
        return found or DEFAULT_MODEL

    async def change(self, endpoint: str, how: Callable[[Model], Model]) -> Model:
        """Replace a record by what `how` makes of it; one that says nothing is removed.

        Raises:
            Invalid: A limit or the successor is invalid.
            NotFound: falgate does not serve it, and nothing was decided about it before.
            Conflict: Others keep changing it at the same time.
        """
        await self.show(endpoint)
        directory = await self._context.records.directory()

        def changed(was: Model | None) -> Model | None:
            now = check(how(was or DEFAULT_MODEL))
            check_model(endpoint, now, self._context.models, directory)
            return None if now == DEFAULT_MODEL else now

        store = self._context.records
        done = await change(
            lambda: self._decided(endpoint),
            changed,
            lambda was, now: store.put_model(endpoint, was, now, self._context.who),
        )
        return done or DEFAULT_MODEL

    async def _decided(self, endpoint: str) -> Model | None:
        return (await self._context.records.directory()).models.get(endpoint)
