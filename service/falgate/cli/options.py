"""Options and types of arguments that commands share."""

import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypeVar, cast

import click

from falgate.core.account import Account, account
from falgate.core.money import dollars, usd

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_JSON, _WIDE, _URL, _PREVIEW = (
    f"falgate.cli.{name}" for name in ("json", "wide", "url", "preview")
)
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
previewing = click.option(
    "--preview",
    is_flag=True,
    expose_value=False,
    callback=_noted(_PREVIEW),
    help="Change nothing, and say what this would do.",
)
all_columns = click.option(
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
of_books = click.option(
    "--test",
    "books",
    flag_value="test",
    default="live",
    help="The books of test keys, instead of those of live ones.",
)
confirmed = click.option("--yes", is_flag=True, help="Do it without asking.")


def at_most(meaning: str | None = None) -> Callable[[F], F]:
    """The option that says how many items of a list are wanted: `number`."""
    number = click.IntRange(1, 100_000)
    return click.option(
        "--limit", "number", type=number, default=50, show_default=True, help=meaning
    )


def wants_json() -> bool:
    """Whether the present command is to print JSON."""
    return bool(click.get_current_context().meta.get(_JSON))


def wants_preview() -> bool:
    """Whether the present command is to change nothing, and to say what it would do."""
    return bool(click.get_current_context().meta.get(_PREVIEW))


def wants_wide() -> bool:
    """Whether the present command is to print all columns."""
    return bool(click.get_current_context().meta.get(_WIDE))


def given_url() -> str:
    """The gateway that the present command is told to ask; "" for none."""
    return str(click.get_current_context().meta.get(_URL) or "")


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are given, as a body of the API has them."""
    return {name: value for name, value in options.items() if value not in (None, ())}


def confirm(what: str, *, yes: bool) -> None:
    """Go on only where somebody means it: by `--yes`, or by an answer at a terminal.

    Raises:
        UsageError: There is neither.
        Abort: The answer is no.
    """
    if yes or wants_preview():
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


class Word(click.ParamType[T]):
    """A type of argument that a function reads; its ValueError says what is wrong with a word."""

    def __init__(self, name: str, read: Callable[[str], T]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """Read a word; a default is what would be read already."""
        try:
            return self._read(value) if isinstance(value, str) else cast("T", value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _account(word: str) -> Account:
    level, colon, rest = word.partition(":")
    if level == "org":
        level = "organisation"
    if level == "app":
        rest = rest.replace(":", "/", 1)
    return account(f"{level}{colon}{rest}")


def _app(word: str) -> AppName:
    team, _, app = word.partition("/")
    if not (team and app) or "/" in app:
        raise ValueError("An app's name includes its team; example: web/shop")
    return AppName(team, app)


def _expiry(word: str) -> str:
    if word == "never":
        return word
    try:
        read = datetime.fromisoformat(word)
    except ValueError:
        raise ValueError(f"{word!r} is no time, such as 2027-01-31 or never") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).isoformat()


def _duration(word: str) -> int:
    found = _DURATION.fullmatch(word)
    if not found:
        raise ValueError(f"{word!r} is no duration, such as 90s, 30m, 24h or 7d")
    return int(found[1]) * _UNITS_S[found[2]]


def _day(word: str) -> date:
    try:
        return datetime.strptime(word, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has none
    except ValueError:
        raise ValueError(f"{word!r} is not a day, such as 2026-11-22") from None


DOLLARS = Word("dollars", lambda word: dollars(usd(word)))
"""An amount in dollars, "12.50"."""

ACCOUNT = Word("account", _account)
"""An account: org (the organisation), team:NAME, app:TEAM/APP, key:ID or model:ENDPOINT."""

APP = Word("app", _app)
"""An app: TEAM/APP."""

EXPIRY = Word("time", _expiry)
"""A day or an instant, ISO 8601, in UTC unless it names an offset; "never" for none."""

DURATION = Word("duration", _duration)
"""A whole number and its unit, s, m, h or d; without one, seconds."""

DAY = Word("day", _day)
"""A local day, 2026-11-22."""

from_day = click.option("--from", "first", type=DAY, help="First local day, such as 2026-11-01.")
to_day = click.option("--to", "last", type=DAY, help="Last local day, included.")


def in_path(of: Account) -> str:
    """An account as paths of the API spell it: with colons only."""
    return of.name.replace("/", ":")
