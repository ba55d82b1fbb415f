"""The budgets of one team, page by page: its own, those of its apps, and those of its keys."""

from collections.abc import AsyncIterator, Sequence

from falgate.admin.context import AdminContext
from falgate.core.account import Account
from falgate.core.calendar import KINDS
from falgate.money.budget import Position

LOOKED_MAX = 5_000
"""How many accounts a page looks at; one that finds less ends early."""
_AT_ONCE = 500
_KEY = "key:"

_Placed = tuple[str, Account]
"""An account, and where it is in the list."""


async def page(
    context: AdminContext, team: str, number: int, cursor: str = ""
) -> tuple[list[Position], str]:
    """Return up to `number` positions: the team's, then its apps', then its keys', oldest first.

    What it costs grows with `number` alone, however many keys the team has.

    Args:
        context: Who acts, and on what.
        team: The team.
        number: How many.
        cursor: Of the previous page, or "".

    Returns:
        The positions, of which there may be few or none, and the cursor of the next page, or "".
    """
    store, upstream = context.budget_store, context.upstream
    found: list[tuple[str, Position]] = []
    looked = 0
    at = cursor.rpartition(" ")[0]
    async for some in _accounts(context, team, at):
        limited = await store.having(upstream, [account for _, account in some])
        # Each of them has one budget at least; those of the cursor's may be on the page before.
        rows = [each for each in some if each[1] in limited][: number + 2 - len(found)]
        positions = await store.positions_of(upstream, [account for _, account in rows])
        for (place, _), its in zip(rows, positions, strict=True):
            found += _behind(place, its, cursor if place == at else "")
        if len(found) > number:
            return [each for _, each in found[:number]], found[number - 1][0]
        looked += len(some)
        if looked >= LOOKED_MAX:
            return [each for _, each in found], f"{some[-1][0]} {len(KINDS)}"
    return [each for _, each in found], ""


def _behind(place: str, positions: Sequence[Position], cursor: str) -> list[tuple[str, Position]]:
    """Return an account's budgets behind a cursor, each with its own."""
    placed = [(f"{place} {at}", position) for at, position in enumerate(positions)]
    return [each for each in placed if each[1].budget is not None and each[0] > cursor]


async def _accounts(context: AdminContext, team: str, at: str) -> AsyncIterator[list[_Placed]]:
    """Yield the team's accounts, some at once, from a place on."""
    if not at.startswith(_KEY):
        apps = [f"app:{name}" for name in (await context.records.directory()).apps]
        names = [f"team:{team}", *sorted(each for each in apps if each.startswith(f"app:{team}/"))]
        # The team's own comes first, although its name does not.
        rest = [each for each in names if (_is_app(each), each) >= (_is_app(at), at)]
        for start in range(0, len(rest), _AT_ONCE):
            yield [(each, _named(each)) for each in rest[start : start + _AT_ONCE]]
    first = at.removeprefix(_KEY) if at.startswith(_KEY) else ""
    after = first[:-1]
    while places := await context.records.places(team, after=after, number=_AT_ONCE):
        after = places[-1]
        keys = ((each, Account("key", each.partition("-")[2])) for each in places if each >= first)
        if some := [(f"{_KEY}{place}", key) for place, key in keys]:
            yield some


def _is_app(name: str) -> bool:
    return name.startswith("app:")


def _named(name: str) -> Account:
    return Account("app" if _is_app(name) else "team", name.partition(":")[2])
