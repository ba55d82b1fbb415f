"""Administration of budgets and of the overage account."""

import uuid
from collections.abc import Callable, Sequence

from falgate.admin import team_budgets
from falgate.admin.context import AdminContext, change, check
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import KINDS, Kind
from falgate.core.change import check_why
from falgate.core.money import MICROS_MAX, Micros, dollars
from falgate.core.problems import Conflict, Invalid, NotFound
from falgate.money.budget import Budget, BudgetUnset, Position

_PAGE = 500
_AFTER_KEYS = "key;"
"""Where lists of accounts by name go on after all keys: `;` follows `:`."""


def place(position: Position) -> str:
    """Return where a budget is in lists of budgets: they are sorted by this."""
    return f"{position.account.name} {KINDS.index(position.window.kind)}"


class Budgets:
    """All budgets of one upstream."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(self) -> list[Position]:
        """Return the position of every budget, by account name and window."""
        found: list[Position] = []
        store, upstream, start = self._context.budget_store, self._context.upstream, ""
        while accounts := await store.limited(upstream, start, _PAGE):
            found += await self._of(accounts)
            start = f"{accounts[-1].name}\0"
        return found

    async def most(self, team: str = "") -> list[Position]:
        """Return the same, of all accounts but keys, of which there may be any number.

        With `team`, only of the team and its apps.
        """
        if team:
            return await self._of(await self._team_and_apps(team))
        found: list[Position] = []
        store, upstream, start = self._context.budget_store, self._context.upstream, ""
        while accounts := await store.limited(upstream, start, _PAGE):
            found += await self._of([each for each in accounts if each.level != "key"])
            last = accounts[-1]
            start = _AFTER_KEYS if last.level == "key" else f"{last.name}\0"
        return found

    async def page(
        self, number: int, cursor: str = "", *, team: str = ""
    ) -> tuple[list[Position], str]:
        """Return up to `number` budgets' positions, by account name and window.

        Args:
            number: How many; what it costs grows with that alone.
            cursor: Of the previous page, or "".
            team: Only of the team, its apps and its keys, see `team_budgets`; "" for all.

        Returns:
            The positions, and the cursor of the next page, or "".
        """
        if team:
            return await team_budgets.page(self._context, team, number, cursor)
        # Each account with a budget has one at least; that of the cursor may be at its end.
        store, start = self._context.budget_store, cursor.partition(" ")[0]
        found = await self._of(await store.limited(self._context.upstream, start, number + 2))
        behind = [each for each in found if place(each) > cursor]
        return behind[:number], place(behind[number - 1]) if len(behind) > number else ""

    async def _team_and_apps(self, team: str) -> list[Account]:
        """Return a team and those of its apps that have a budget."""
        apps = (await self._context.records.directory()).apps
        its = [Account("app", name) for name in sorted(apps) if name.startswith(f"{team}/")]
        store, upstream = self._context.budget_store, self._context.upstream
        limited = await store.having(upstream, [*its, Account("team", team)])
        return [each for each in (*its, Account("team", team)) if each in limited]

    async def _of(self, accounts: Sequence[Account]) -> list[Position]:
        """Return the positions of the budgets of accounts."""
        store, upstream = self._context.budget_store, self._context.upstream
        return [
            position
            for positions in await store.positions_of(upstream, accounts)
            for position in positions
            if position.budget is not None
        ]

    async def accounts(self) -> list[Account]:
        """Return every account that was charged or has a budget, by name."""
        return await self._context.budget_store.accounts(self._context.upstream)

    async def positions(self, account: Account) -> list[Position]:
        """Return an account's position in each current window, with or without a budget there.

        Raises:
            NotFound: There is no such account, and nothing was charged under its name.
            Conflict: It is a key of the other kind (live or test).
        """
        if not await self._context.budget_store.knows(self._context.upstream, account):
            await self._context.require(account)
        return await self._context.budget_store.positions(self._context.upstream, account)

    async def show(self, account: Account, kind: Kind) -> Position:
        """Return the position of one budget.

        Raises:
            NotFound: There is no such account or no such budget.
        """
        position = (await self.positions(account))[KINDS.index(kind)]
        if position.budget is None:
            raise _unset(account, kind)
        return position

    async def create(self, account: Account, kind: Kind, budget: Budget) -> Position:
        """Create a budget.

        Raises:
            Invalid: The limit or the alerts are invalid.
            NotFound: There is no such account.
            Conflict: The account already has a budget for this window, or is a key of the other
                kind.
        """

        def made(was: Budget | None) -> Budget:
            _check(budget)
            if was:
                there = f"a {kind} budget of ${dollars(was.limit)}"
                raise Conflict(f"{account.name} already has {there}; change that one")
            return budget

        return await self.set(account, kind, made)

    async def set(
        self, account: Account, kind: Kind, how: Callable[[Budget | None], Budget]
    ) -> Position:
        """Replace a budget, if any, by what `how` makes of it.

        The limit may be below what is already spent; nothing remains then.

        Raises:
            Invalid: The limit or the alerts are invalid.
            NotFound: There is no such account.
            Conflict: The organisation would be left without an enforced budget, the account is a
                key of the other kind, or others keep changing the budget at the same time.
        """
        context = self._context
        await context.require(account)
        if _check(how(await context.budget_store.read(context.upstream, account, kind))).shadow:
            await self._require_another(account, kind)
        await self._put(account, kind, lambda was: _check(how(was)))
        return await self.show(account, kind)

    async def remove(self, account: Account, kind: Kind) -> None:
        """Remove a budget. Spending is still counted.

        Raises:
            NotFound: There is no such budget.
            Conflict: It is the organisation's last enforced budget, or others keep changing it at
                the same time.
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
        """Raise a limit for the current window only.

        Args:
            account: Owner of the budget.
            kind: The window.
            amount: Micro-USD.
            change_id: Makes a repeat within a week recognisable, which then changes nothing.
            why: Reason, kept in the ledger and in the audit log.

        Raises:
            Invalid: The amount is not above 0, the new limit is out of range, or the reason is not
                one short line.
            NotFound: There is no such budget.
        """
        check_why(why)
        position = await self.show(account, kind)
        if amount <= 0:
            raise Invalid("A raise must be more than 0; to lower a limit, set the budget")
        if (position.limit or 0) + amount > MICROS_MAX:
            raise Invalid("The limit would be more than a billion dollars")
        try:
            await self._context.budget_store.raise_(
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
        """Forgive what was spent in the current window; return the amount and the new position.

        The forgiven amount is noted beside the counter, which stays the sum of the ledger: set to
        0, it would become negative with a later refund. Holds stay. Arguments and exceptions as for
        `raise_`.
        """
        check_why(why)
        await self._require_budget(account, kind)
        forgiven = await self._context.budget_store.reset(
            self._context.upstream,
            account,
            kind,
            change=self._change_id("reset", account, kind, change_id),
            who=self._context.who,
            why=why,
        )
        return forgiven, await self.show(account, kind)

    async def overage(self) -> tuple[Micros, Micros]:
        """Return the limit of the overage account and the total above holds, micro-USD."""
        return await self._context.budget_store.overage(self._context.upstream)

    async def set_overage(self, limit: Micros, *, why: str = "") -> tuple[Micros, Micros]:
        """Set the limit of the overage account; `why` is kept in the audit log.

        Raises:
            Invalid: The limit is out of range.
        """
        check_why(why)
        if not 0 <= limit <= MICROS_MAX:
            raise Invalid("The overage limit must be between 0 and a billion dollars")
        await self._context.budget_store.set_overage(
            self._context.upstream, limit, self._context.who, why
        )
        return await self.overage()

    async def _put(
        self, account: Account, kind: Kind, how: Callable[[Budget | None], Budget | None]
    ) -> None:
        context = self._context
        await change(
            lambda: context.budget_store.read(context.upstream, account, kind),
            how,
            lambda was, now: context.budget_store.put(
                context.upstream, account, kind, was=was, now=now, who=context.who
            ),
        )

    async def _require_budget(self, account: Account, kind: Kind) -> None:
        # The account itself may be gone: its leftover budgets can still be removed.
        if await self._context.budget_store.read(self._context.upstream, account, kind) is None:
            raise _unset(account, kind)

    async def _require_another(self, account: Account, kind: Kind) -> None:
        """Refuse to leave the organisation without an enforced budget."""
        if account != ORGANISATION:
            return
        positions = await self._context.budget_store.positions(self._context.upstream, account)
        enforced = [position.window.kind for position in positions if position.enforced]
        if enforced == [kind]:
            raise Conflict(
                f"The {kind} budget is the organisation's last enforced one, and without one "
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
        raise Invalid("alerts: must be ascending percentages of the limit without duplicates")
    return budget
