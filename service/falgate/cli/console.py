"""`falgate console`: a link that signs in to the console of a gateway that runs."""

import click

from falgate.cli.client import Api, operator
from falgate.cli.options import wants_json
from falgate.cli.output import say


@click.command()
@operator(running=True)
def console(api: Api) -> None:
    """Print a link that signs in to the console, once, within ten minutes.

    It signs in as the admin whose key is in FALGATE_ADMIN_KEY, or whom `falgate run` made.
    """
    made = api.post("sign-in-links")
    if not wants_json():
        click.echo("It signs in once, within ten minutes. Whoever opens it is signed in.", err=True)
    say(made, made["url"])
