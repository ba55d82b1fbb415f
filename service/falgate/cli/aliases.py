"""`falgate models alias` and `aliases`: names for models, of all apps or of one."""

import click

from falgate.cli.client import Api, changer, lister
from falgate.cli.options import APP, AppName
from falgate.cli.output import Column, listed, say

_COLUMNS = (
    Column("name", "alias", whole=True),
    Column("target", "model", whole=True),
    Column("app", "only of app", whole=True),
)
_EVERYBODY = "all apps"


@click.command()
@click.argument("name")
@click.argument("target", required=False)
@click.option("--app", type=APP, metavar="TEAM/APP", help="Only for this app; it comes first.")
@click.option("--remove", is_flag=True, help="Remove it: apps that call it get 404 from then on.")
@changer()
def alias(api: Api, *, name: str, target: str | None, app: AppName | None, remove: bool) -> None:
    """Let NAME, such as acme/image, stand for the model TARGET.

    Apps call the name as they would call the model, with its arguments. When it is set again, it
    stands for another model, and no app has to change.
    """
    if remove == (target is not None):
        raise click.UsageError("give either a TARGET or --remove")
    if app is None:
        _set(api, name, target)
    else:
        _set_of(api, app, name, target)
    whose = _EVERYBODY if app is None else f"app {app}"
    done = f"no longer stands for a model of {whose}" if remove else f"is {target} for {whose}"
    say({"name": name, "target": target, "app": str(app) if app else None}, f"{name} {done}")


@click.command()
@lister()
def aliases(api: Api) -> None:
    """Show all aliases: those for all apps, and those that only one app has."""
    found = [{**each, "app": None} for each in api.items("aliases")]
    for app in api.items("apps"):
        found += [
            {"name": name, "target": target, "app": f"{app['team']}/{app['name']}"}
            for name, target in sorted(app["aliases"].items())
        ]
    listed(found, _COLUMNS)


def _set(api: Api, name: str, target: str | None) -> None:
    path = ("aliases", name.replace("/", ":"))
    if target is None:
        api.delete(*path)
    else:
        api.put(*path, body={"target": target})


def _set_of(api: Api, app: AppName, name: str, target: str | None) -> None:
    kept = dict(api.get(*app.path)["aliases"])
    if target is not None:
        kept[name] = target
    elif kept.pop(name, None) is None:
        raise click.UsageError(f"app {app} has no alias {name}")
    api.patch(*app.path, body={"aliases": kept})
