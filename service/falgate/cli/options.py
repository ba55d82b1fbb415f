"""Options and types of arguments that commands share."""

import re
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypeVar

import click

from falgate.core.account import Account, account
from falgate.core.money import dollars, usd

F = TypeVar("F", bound=Callable[..., Any])

_JSON, _WIDE, _URL = (f"falgate.cli.{name}" for name in ("json", "wide", "url"))
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,9})([smhd]?)")
_NEGATIVE = re.compile(r"-[0-9.]+")


def _noted(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """A callback that keeps an option's value for those who ask below, and gives it to nobody."""

    def note(context: click.Context, _: click.Parameter, value: Any) -> None:
        context.meta[name] = value

    return note


as_json = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_noted(_JSON),
    help="The API's JSON instead of words or a table.",
)
_wide = click.option(
    "--wide",
    is_flag=True,
    expose_value=False,
    callback=_noted(_WIDE),
    help="All columns, and nothing shortened.",
)
through = click.option(
    "--url",
    envvar="FALGATE_URL",
    metavar="URL",
    default="",
    expose_value=False,
    callback=_noted(_URL),
    help="The gateway to ask, with FALGATE_ADMIN_KEY; as FALGATE_URL. Else Redis is opened here.",
)
_test_books = click.option(
    "--test",
    "books",
    flag_value="test",
    default="live",
    help="The books of test keys, instead of those of live ones.",
)
confirmed = click.option("--yes", is_flag=True, help="Do it without asking.")


def operator(command: F) -> F:
    """Options of every command that asks the admin API."""
    return as_json(through(command))


def lister(command: F) -> F:
    """Options of a command that prints a table."""
    return operator(_wide(command))


def of_books(command: F) -> F:
    """The option that says whose books are meant: `books` is "live" or "test"."""
    return _test_books(command)


def wants_json() -> bool:
    """Whether the present command is to print JSON."""
    return bool(click.get_current_context().meta.get(_JSON))


def wants_wide() -> bool:
    """Whether the present command is to print all columns."""
    return bool(click.get_current_context().meta.get(_WIDE))


def given_url() -> str:
    """The gateway that the present command is told to ask; "" for none."""
    return str(click.get_current_context().meta.get(_URL) or "")


def confirm(what: str, *, yes: bool) -> None:
    """Go on only where somebody means it: by `--yes`, or by an answer at a terminal.

    Raises:
        UsageError: There is neither.
        Abort: The answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{what} cannot be undone: give --yes, if you mean it")
    click.confirm(f"{what} cannot be undone. Go on?", abort=True, err=True)


class AmountCommand(click.Command):
    """A command with an amount, where -5 is a wrong amount and no unknown option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse a negative amount in words."""
        if negative := next((each for each in args if _NEGATIVE.fullmatch(each)), None):
            raise click.UsageError(f"{negative} is not an amount: give 0 or more dollars", ctx)
        return super().parse_args(ctx, args)


class Dollars(click.ParamType[str]):
    """An amount in dollars, "12.50"."""

    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse all but a plain amount."""
        try:
            return dollars(usd(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class AccountName(click.ParamType[Account]):
    """An account: org, team:NAME, app:TEAM/APP or key:ID."""

    name = "account"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Account:
        """Refuse any other word; "org" is the organisation, and app:TEAM:APP is app:TEAM/APP."""
        if isinstance(value, Account):
            return value
        level, colon, rest = str(value).partition(":")
        if level == "org":
            level = "organisation"
        if level == "app":
            rest = rest.replace(":", "/", 1)
        try:
            return account(f"{level}{colon}{rest}")
        except ValueError as error:
            self.fail(str(error), param, ctx)


class AppName(NamedTuple):
    """An app, within its team."""

    team: str
    app: str

    @property
    def path(self) -> tuple[str, ...]:
        """Of the admin API."""
        return ("teams", self.team, "apps", self.app)

    def __str__(self) -> str:
        """As people spell it."""
        return f"{self.team}/{self.app}"


class App(click.ParamType[AppName]):
    """An app: TEAM/APP."""

    name = "app"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> AppName:
        """Refuse an app without its team."""
        if isinstance(value, AppName):
            return value
        team, _, app = str(value).partition("/")
        if not (team and app) or "/" in app:
            self.fail("An app's name includes its team; example: web/shop", param, ctx)
        return AppName(team, app)


class Expiry(click.ParamType[str]):
    """A day or an instant to come, as RFC 3339; "never" for none."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read ISO 8601, in UTC unless it names an offset."""
        if value == "never":
            return "never"
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time, such as 2027-01-31 or never", param, ctx)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).isoformat()


class Duration(click.ParamType[int]):
    """A duration, "24h", as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a whole number and its unit: s, m, h or d; without one, seconds."""
        if isinstance(value, int):
            return value
        found = _DURATION.fullmatch(value)
        if not found:
            self.fail(f"{value!r} is no duration, such as 90s, 30m, 24h or 7d", param, ctx)
        return int(found[1]) * _UNITS_S[found[2]]


class Day(click.ParamType[date]):
    """A local day, 2026-11-22."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Refuse all but a date."""
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 - a day has none
        except ValueError:
            self.fail(f"{value!r} is not a day, such as 2026-11-22", param, ctx)


DOLLARS, ACCOUNT, APP = Dollars(), AccountName(), App()
EXPIRY, DURATION, DAY = Expiry(), Duration(), Day()
from_day = click.option("--from", "first", type=DAY, help="First local day, such as 2026-11-01.")
to_day = click.option("--to", "last", type=DAY, help="Last local day, included.")


def in_path(of: Account) -> str:
    """An account as paths of the API spell it: with colons only."""
    return of.name.replace("/", ":")
