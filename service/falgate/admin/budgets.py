"""Budgets and the house: set, raised, reset, removed, and looked at."""

import uuid
from collections.abc import Callable

from falgate.admin.context import AdminContext, change, check
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import KINDS, Kind
from falgate.core.change import check_why
from falgate.core.money import MICROS_MAX, Micros, dollars
from falgate.core.problems import Conflict, Invalid, NotFound
from falgate.money.budget import Budget, BudgetUnset, Position


class Budgets:
    """Every budget of one upstream's books."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(self) -> list[Position]:
        """Every budget with where it stands, by account's name and then in the order of windows."""
        found: list[Position] = []
        for account in await self._context.books.limited(self._context.upstream):
            positions = await self._context.books.positions(self._context.upstream, account)
            found.extend(position for position in positions if position.budget is not None)
        return found

    async def accounts(self) -> list[Account]:
        """Every account that was charged or limited, by name."""
        return await self._context.books.accounts(self._context.upstream)

    async def positions(self, account: Account) -> list[Position]:
        """Where an account stands in each window of now, limited there or not.

        Raises:
            NotFound: There is no such account, and none of that name was charged.
            Conflict: It is a key that spends in the other books.
        """
        if not await self._context.books.knows(self._context.upstream, account):
            await self._context.require(account)
        return await self._context.books.positions(self._context.upstream, account)

    async def show(self, account: Account, kind: Kind) -> Position:
        """Where one budget stands.

        Raises:
            NotFound: There is no such account, or it has no such budget.
        """
        position = (await self.positions(account))[KINDS.index(kind)]
        if position.budget is None:
            raise _unset(account, kind)
        return position

    async def create(self, account: Account, kind: Kind, budget: Budget) -> Position:
        """Make a budget.

        Raises:
            Invalid: Its limit or its alerts make no sense.
            NotFound: There is no such account.
            Conflict: It has one of that window, or is a key that spends in the other books.
        """
        context = self._context
        await context.require(account)
        _check(budget)
        was = await context.books.read(context.upstream, account, kind)
        if was or not await context.books.put(
            context.upstream, account, kind, was=None, now=budget, who=context.who
        ):
            there = f" of ${dollars(was.limit)}" if was else ""
            raise Conflict(f"{account.name} has a {kind} budget{there} already; change that one")
        return await self.show(account, kind)

    async def set(
        self, account: Account, kind: Kind, how: Callable[[Budget | None], Budget]
    ) -> Position:
        """Set a budget to what `how` makes of the one that is there, if any.

        A limit may be lower than what is spent: then nothing remains.

        Raises:
            Invalid: Its limit or its alerts make no sense.
            NotFound: There is no such account.
            Conflict: The organisation would have no budget that is enforced; or it is a key that
                spends in the other books; or somebody else changes it all the time.
        """
        context = self._context
        await context.require(account)
        if _check(how(await context.books.read(context.upstream, account, kind))).shadow:
            await self._require_another(account, kind)
        await self._put(account, kind, lambda was: _check(how(was)))
        return await self.show(account, kind)

    async def remove(self, account: Account, kind: Kind) -> None:
        """Take a budget away. What was spent goes on being counted.

        Raises:
            NotFound: There is no such budget.
            Conflict: It is the organisation's last that is enforced, or somebody else changes it
                all the time.
        """
        await self._require_budget(account, kind)
        await self._require_another(account, kind)
        await self._put(account, kind, lambda _: None)

    async def raise_(
        self,
        account: Account,
        kind: Kind,
        amount: Micros,
        change_id: str | None = None,
        *,
        why: str = "",
    ) -> Position:
        """Add to a limit for the window of now only.

        Args:
            account: Whose.
            kind: Of the window.
            amount: Micro-USD.
            change_id: By which a repeat is known, and then changes nothing.
            why: What for; kept in the ledger and in the audit log.

        Raises:
            Invalid: An amount that is not above 0, a limit beyond all bounds, or a reason that is
                not one short line.
            NotFound: There is no such budget.
        """
        check_why(why)
        position = await self.show(account, kind)
        if amount <= 0:
            raise Invalid("A raise is more than 0; set the budget to lower its limit")
        if (position.limit or 0) + amount > MICROS_MAX:
            raise Invalid("That would be more than a billion dollars")
        try:
            await self._context.books.raise_(
                self._context.upstream,
                account,
                kind,
                amount,
                change=self._change_id("raise", account, kind, change_id),
                who=self._context.who,
                why=why,
            )
        except BudgetUnset:
            raise _unset(account, kind) from None
        return await self.show(account, kind)

    async def reset(
        self, account: Account, kind: Kind, change_id: str | None = None, *, why: str = ""
    ) -> tuple[Micros, Position]:
        """Forgive what was spent in the window of now; what that was, and where it stands then.

        What is held stays held. Arguments and exceptions as for `raise_`.
        """
        check_why(why)
        await self._require_budget(account, kind)
        forgiven = await self._context.books.reset(
            self._context.upstream,
            account,
            kind,
            change=self._change_id("reset", account, kind, change_id),
            who=self._context.who,
            why=why,
        )
        return forgiven, await self.show(account, kind)

    async def house(self) -> tuple[Micros, Micros]:
        """The house's limit, and what settlements have exceeded their holds by."""
        return await self._context.books.house(self._context.upstream)

    async def set_house(self, limit: Micros, *, why: str = "") -> tuple[Micros, Micros]:
        """Set the house's limit; `why` is kept in the audit log.

        Raises:
            Invalid: It makes no sense.
        """
        check_why(why)
        if not 0 <= limit <= MICROS_MAX:
            raise Invalid("The house's limit is 0 to a billion dollars")
        await self._context.books.set_house(self._context.upstream, limit, self._context.who, why)
        return await self.house()

    async def _put(
        self, account: Account, kind: Kind, how: Callable[[Budget | None], Budget | None]
    ) -> None:
        context = self._context
        await change(
            lambda: context.books.read(context.upstream, account, kind),
            how,
            lambda was, now: context.books.put(
                context.upstream, account, kind, was=was, now=now, who=context.who
            ),
        )

    async def _require_budget(self, account: Account, kind: Kind) -> None:
        # Also of an account that is gone, so that nothing is in the way of tidying up.
        if await self._context.books.read(self._context.upstream, account, kind) is None:
            raise _unset(account, kind)

    async def _require_another(self, account: Account, kind: Kind) -> None:
        """Refuse to leave the organisation without a budget that is enforced."""
        if account != ORGANISATION:
            return
        positions = await self._context.books.positions(self._context.upstream, account)
        enforced = [position.window.kind for position in positions if position.enforced]
        if enforced == [kind]:
            raise Conflict(
                f"The {kind} budget is the organisation's last that is enforced, and without one "
                "nothing is bought; set another one first"
            )

    def _change_id(self, what: str, account: Account, kind: Kind, given: str | None) -> str:
        name = given or uuid.uuid4().hex
        return f"{what}:{self._context.upstream}:{account.name}:{kind}:{name}"


def _unset(account: Account, kind: Kind) -> NotFound:
    return NotFound(f"{account.name} has no {kind} budget; set one first")


def _check(budget: Budget) -> Budget:
    check(budget)
    if list(budget.alerts) != sorted(set(budget.alerts)):
        raise Invalid("alerts: ascending percentages of the limit, each of them once")
    return budget
