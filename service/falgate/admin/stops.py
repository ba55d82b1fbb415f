"""Administration of stops: an operator ends all buying for something, and resumes it."""

from collections.abc import Callable

from msgspec.structs import replace

from falgate.admin.context import AdminContext, change, few
from falgate.core.account import Account
from falgate.core.change import check_why
from falgate.core.problems import NotFound
from falgate.money.stop import Stop, Stopped


class Stops:
    """All stops. They apply to live and test keys alike."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(self, team: str = "") -> list[Stopped]:
        """Return every stop, by level, then by name; with `team`, without those of other teams."""
        found = await self._context.stop_store.all()
        whose = [await self._context.team_of(each.subject) for each in found]
        return [each for each, of in zip(found, whose, strict=True) if not team or of in {"", team}]

    async def stop(self, subject: Account, why: str | None = None) -> Stopped:
        """Stop buying for a subject. If it is stopped already, only the reason changes.

        Args:
            subject: What to stop.
            why: What callers are told; None keeps the reason that was given before, if any.

        Raises:
            Invalid: The reason is not one short line.
            NotFound: There is no such team, app or model.
            Conflict: Others keep changing the stop at the same time.
        """
        check_why(why or "")
        await self._context.require(subject)
        context = self._context
        now_s = await context.records.now_s()

        def stopped(was: Stop | None) -> Stop | None:
            if was is None:
                return Stop(who=context.who, stopped_s=now_s, why=why or "")
            return was if why is None else replace(was, why=why)

        done = await self._change(subject, stopped)
        assert done is not None
        return Stopped(subject, done)

    async def resume(self, subject: Account) -> None:
        """Let purchases for a subject go on, even if the subject itself was removed meanwhile.

        Raises:
            NotFound: It is not stopped.
            Conflict: Others keep changing the stop at the same time.
        """
        stops = [each.subject.name for each in await self.all()]
        if subject.name not in stops:
            others = f"stopped are: {few(stops)}" if stops else "nothing is"
            raise NotFound(f"{subject.name} is not stopped; {others}")
        await self._change(subject, lambda _: None)

    async def _change(
        self, subject: Account, how: Callable[[Stop | None], Stop | None]
    ) -> Stop | None:
        store = self._context.stop_store
        return await change(
            lambda: store.read(subject),
            how,
            lambda was, now: store.put(subject, was, now, self._context.who),
        )
