"""`falgate limits`: show and set how often and how much at once may be asked and bought."""

from typing import Any

import click
import msgspec
from msgspec.structs import replace

from falgate.accounts.directory import Team
from falgate.accounts.limits import Limits
from falgate.admin.service import AdminService
from falgate.cli.operating import ACCOUNT, as_json, operate, tabulate
from falgate.core.account import Account

_MAX = click.IntRange(0, 1_000_000)


class LimitsShown(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of an account.

    Attributes:
        weight: Of a team, like what follows.
    """

    account: str
    requests_per_second: int
    generations_per_minute: int
    generations_at_once: int
    weight: int | None = None
    waiting_generations: int | None = None

    @classmethod
    def of(cls, account: Account, limits: Limits, team: Team | None) -> "LimitsShown":
        """As they stand."""
        return cls(
            account=account.name,
            **msgspec.structs.asdict(limits),
            weight=team.weight if team else None,
            waiting_generations=team.waiting_generations if team else None,
        )


_COLUMNS = LimitsShown.__struct_fields__


@click.group()
def limits() -> None:
    """Limits on the pace of team:NAME, app:TEAM/APP and key:ID; 0 sets no limit."""


@limits.command("set")
@click.argument("account", type=ACCOUNT)
@click.option(
    "--requests-per-second",
    type=_MAX,
    help="Runs, submits, quotes and looks at usage, hits too; not status, results, pictures.",
)
@click.option("--generations-per-minute", type=_MAX, help="Purchases begun in any 60 seconds.")
@click.option("--at-once", "generations_at_once", type=_MAX, help="Purchases under way.")
@click.option(
    "--weight", type=click.IntRange(1, 1000), help="A team's share of turns at a busy upstream."
)
@click.option(
    "--waiting",
    "waiting_generations",
    type=_MAX,
    help="How many of a team's purchases may wait for a turn.",
)
@as_json
def set_limits(
    *,
    account: Account,
    weight: int | None,
    waiting_generations: int | None,
    plain: bool,
    **paces: int | None,
) -> None:
    """Set limits; what is not given stays."""
    given = {name: value for name, value in paces.items() if value is not None}
    turns: dict[str, Any] = {
        name: value
        for name, value in (("weight", weight), ("waiting_generations", waiting_generations))
        if value is not None
    }
    if turns and account.level != "team":
        raise click.UsageError("--weight and --waiting are for teams")

    async def limited(admin: AdminService) -> LimitsShown:
        if account.level == "team":
            await admin.teams.change(
                account.id, lambda was: replace(was, limits=replace(was.limits, **given), **turns)
            )
        else:
            await admin.limit(account, lambda was: replace(was, **given))
        return await _shown(admin, account)

    tabulate([operate(limited)], _COLUMNS, plain=plain)


@limits.command("list")
@as_json
def list_limits(*, plain: bool) -> None:
    """Show the limits of every team, app and key."""

    async def listed(admin: AdminService) -> list[LimitsShown]:
        teams, apps = await admin.teams.all(), await admin.apps.all()
        return [
            *(
                LimitsShown.of(Account("team", each), team.limits, team)
                for each, team in teams.items()
            ),
            *(LimitsShown.of(Account("app", each), app.limits, None) for each, app in apps.items()),
            *(
                LimitsShown.of(Account("key", key.id), key.limits, None)
                for key in await admin.keys.all()
                if not key.revoked_s
            ),
        ]

    tabulate(operate(listed), _COLUMNS, plain=plain)


@limits.command()
@click.argument("account", type=ACCOUNT)
@as_json
def show(*, account: Account, plain: bool) -> None:
    """Show the limits of one account."""
    tabulate([operate(lambda admin: _shown(admin, account))], _COLUMNS, plain=plain)


async def _shown(admin: AdminService, account: Account) -> LimitsShown:
    found = await admin.limits(account)
    team = await admin.teams.show(account.id) if account.level == "team" else None
    return LimitsShown.of(account, found, team)
