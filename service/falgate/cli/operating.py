"""What the operator's commands share: Redis and the administration opened, words read, tables."""

import asyncio
import getpass
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from falgate import settings
from falgate.accounts.apikey import Kind
from falgate.accounts.store.registry import Registry
from falgate.admin.service import AdminService
from falgate.core.account import Account, account
from falgate.core.calendar import Calendar
from falgate.core.money import Micros, usd
from falgate.core.printable import escaped
from falgate.first_start import TEST, open_redis
from falgate.models.endpoints import MODELS
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger
from falgate.settings import Settings

T = TypeVar("T")

_WIDTH = 200
_CALENDAR = ("FALGATE_TIMEZONE", "FALGATE_WEEK_STARTS")
UPSTREAM = frozenset({"FALGATE_UPSTREAM_URL", "FALGATE_FAL_KEY", "FAL_KEY"})
"""What is bought from: no matter of who looks after a gateway."""

as_json = click.option("--json", "plain", is_flag=True, help="JSON instead of a table.")
test_books = click.option(
    "--test", is_flag=True, help="The books of test keys, instead of those of live ones."
)


def chosen() -> Settings:
    """The settings of the gateway that this is about.

    Raises:
        SettingsWrong: They are wrong, or no gateway was ever started with them.
    """
    # Whatever is bought from, the operator's records are no matter of it.
    env = {name: value for name, value in os.environ.items() if name not in UPSTREAM}
    found = settings.read(env, {"upstream_url": settings.SANDBOX})
    data = Path(found.data_dir).absolute()
    if not found.redis_url and not (data / "redis").is_dir():
        raise settings.SettingsWrong(
            f"there are no keys in {data}: give FALGATE_DATA_DIR or FALGATE_REDIS_URL as the "
            "gateway has it, and start that once"
        )
    return found


def calendar() -> Calendar:
    """How the organisation counts time: as its ledger does."""

    async def read(found: Settings, _: Redis) -> Calendar:
        return found.calendar

    return with_redis(read)


def with_redis(use: Callable[[Settings, Redis], Awaitable[T]]) -> T:
    """Do something with the gateway's settings and its Redis.

    Raises:
        EmbeddedFailed, RedisUnfit, SettingsWrong, Unavailable: There is none.
    """
    found = chosen()

    async def used() -> T:
        async with open_redis(found) as redis:
            return await use(await _counting(found, redis), redis)

    return asyncio.run(used())


async def _counting(found: Settings, redis: Redis) -> Settings:
    """The settings, counting time as the ledger does: a shell seldom has all that the gateway has.

    Raises:
        SettingsWrong: It says something else.
    """
    counted = await Ledger(redis).calendar()
    if counted is None or counted == found.calendar.name:
        return found
    if any(os.environ.get(name) for name in _CALENDAR):
        raise settings.SettingsWrong(
            f"the ledger counts its windows by {counted}, and {' and '.join(_CALENDAR)} say "
            f"{found.calendar.name}: unset them, or set them as the gateway has them"
        )
    zone, _, first_day = counted.rpartition("/")
    return msgspec.convert(
        msgspec.structs.asdict(found) | {"timezone": zone, "week_starts": first_day}, Settings
    )


def operate(use: Callable[[AdminService], Awaitable[T]], *, test: bool = False) -> T:
    """Do something with the administration, of the books of live or of test keys.

    Raises:
        EmbeddedFailed, RedisUnfit, SettingsWrong, Unavailable: As for `with_redis`.
        Problem: What was asked for was not done.
    """

    async def used(found: Settings, redis: Redis) -> T:
        return await use(await administration(found, redis, kind="test" if test else "live"))

    return with_redis(used)


async def administration(found: Settings, redis: Redis, *, kind: Kind) -> AdminService:
    """The administration, in the name of whoever types.

    Raises:
        Unavailable: Without Redis.
    """
    live = await Ledger(redis).live()
    upstreams: dict[Kind, str] = {"test": TEST}
    if live is not None:
        upstreams["live"] = live
    return AdminService(
        Registry(redis),
        Budgets(redis, found.calendar),
        who=acting(),
        upstreams=upstreams,
        models=MODELS,
        kind=kind,
    )


def acting() -> str:
    """Who types, for the audit log."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in containers
        return f"cli:{os.getuid()}"


def tell(shown: Any, words: str, *, plain: bool) -> None:
    """Say what was done: in words, or as JSON."""
    click.echo(json.dumps(msgspec.to_builtins(shown)) if plain else words)


def tabulate(shown: Sequence[msgspec.Struct], columns: Iterable[str], *, plain: bool) -> None:
    """Print records, as a table of some of their fields or as JSON with all of them.

    Args:
        shown: The records.
        columns: Names of fields, "limits.generations_at_once" for one within another; the first
            is never cut.
        plain: JSON.
    """
    rows = [msgspec.to_builtins(each) for each in shown]
    if plain:
        click.echo(json.dumps(rows))
        return
    first, *others = columns
    table = Table(
        Column(_heading(first), no_wrap=True),
        *(Column(_heading(each), overflow="fold") for each in others),
    )
    for row in rows:
        # Plain text: brackets in a name are no mark-up, and nothing in it moves the cursor.
        table.add_row(*(Text(escaped(_cell(row, column))) for column in (first, *others)))
    # Where nobody looks, nothing is cut for a window's sake.
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)


def _heading(column: str) -> str:
    return column.rpartition(".")[2].replace("_usd", " $").replace("_", " ")


def _cell(row: Any, column: str) -> str:
    value = row
    for name in column.split("."):
        value = None if value is None else value[name]
    if value is True:
        return "yes"
    if column.endswith("_at") and value:
        return str(value)[:16].replace("T", " ")
    # 0 is no limit.
    if not value:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class Dollars(click.ParamType[Micros]):
    """An amount in dollars, "12.50", as micro-USD."""

    name = "dollars"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Micros:
        """Refuse what is no plain amount."""
        try:
            return usd(value) if isinstance(value, str) else int(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class AccountName(click.ParamType[Account]):
    """An account: organisation, team:NAME, app:TEAM/APP or key:ID."""

    name = "account"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Account:
        """Refuse any other."""
        try:
            return value if isinstance(value, Account) else account(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DOLLARS = Dollars()
ACCOUNT = AccountName()
