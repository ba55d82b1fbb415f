"""`falgate apply` and `falgate export`: teams, apps, budgets and limits as a file."""

from pathlib import Path

import click
import msgspec

from falgate.accounts.cache_settings import DEFAULT_POLICY
from falgate.admin import apply as applying
from falgate.admin import config
from falgate.admin.plan import Record, Step
from falgate.admin.service import AdminService
from falgate.cli.operating import as_json, operate, tabulate, test_books
from falgate.core.money import dollars
from falgate.core.problems import Invalid
from falgate.money.budget import Budget


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a plan, for people.

    Attributes:
        action: "create", "change" or "remove".
        what: "team", "app" or "budget".
        subject: Of what name; a budget's account and window.
        before: What there is.
        after: What there will be.
        blocked: Why it cannot be done, or "".
    """

    action: str
    what: str
    subject: str
    before: str
    after: str
    blocked: str


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do it; without this the plan is only shown.")
@click.option("--prune", is_flag=True, help="Also remove what the file does not name.")
@test_books
@as_json
def apply(file: Path, *, yes: bool, prune: bool, test: bool, plain: bool) -> None:
    """Make teams, apps, budgets and limits as FILE says.

    What FILE does not say of them stays, and a second time changes nothing. Keys and their own
    budgets are in no file, and stay as they are.
    """
    text = _text(file)
    config.check_depth(text)  # before anything is opened

    async def go(administration: AdminService) -> list[Step]:
        wanted = config.read(text, await applying.state(administration))
        steps = await applying.prepare(administration, wanted, prune=prune)
        if yes:
            await applying.act(administration, steps)
        return steps

    steps = operate(go, test=test)
    tabulate([_shown(step) for step in steps], Shown.__struct_fields__, plain=plain)
    if not plain:
        click.echo(_words(len(steps), done=yes))


@click.command()
@test_books
def export(*, test: bool) -> None:
    """Print such a file of what there is."""
    click.echo(config.write(operate(applying.state, test=test)), nl=False)


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        found = opened.read(config.FILE_BYTES_MAX + 1)
    if len(found) > config.FILE_BYTES_MAX:
        raise Invalid(f"{file} is larger than {config.FILE_BYTES_MAX} bytes: split it")
    try:
        return found.decode()
    except UnicodeDecodeError:
        raise Invalid(f"{file} is no text") from None


def _words(number: int, *, done: bool) -> str:
    if not number:
        return "Nothing to change"
    changes = "1 change" if number == 1 else f"{number} changes"
    return f"{changes} made" if done else f"{changes} to make; give --yes to make them"


def _shown(step: Step) -> Shown:
    return Shown(
        action=step.action,
        what=step.what,
        subject=f"{step.subject}/{step.kind}" if step.kind else step.subject,
        before=_spell(step.before),
        after=_spell(step.after),
        blocked=step.blocked,
    )


def _spell(record: Record | None) -> str:
    """A record in a few words: what is not as it would be by itself."""
    if record is None:
        return ""
    if isinstance(record, Budget):
        alerts = ", ".join(f"{percent} %" for percent in record.alerts)
        shadow = " shadow" if record.shadow else ""
        return f"${dollars(record.limit)}{shadow}{f' alerts {alerts}' if alerts else ''}"
    fields = msgspec.to_builtins(record)
    limits, usual = fields.pop("limits"), msgspec.to_builtins(DEFAULT_POLICY)
    caching = fields.pop("cache", {})
    ways = {f"cache {name}": value for name, value in caching.items() if value != usual[name]}
    set_ = {name: value for name, value in {**fields, **limits}.items() if value} | ways
    return ", ".join(f"{name} {value}" for name, value in set_.items()) or "no limits"
