"""`falgate completion`: what a shell needs to complete commands."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_SHELLS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}


_USE = """\b
In ~/.bashrc: eval "$(falgate completion bash)"
In ~/.zshrc: eval "$(falgate completion zsh)"
For fish: falgate completion fish > ~/.config/fish/completions/falgate.fish"""


@click.command(epilog=_USE)
@click.argument("shell", type=click.Choice([*_SHELLS]))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print what SHELL is to run so that it completes falgate's commands."""
    root = context.find_root().command
    click.echo(_SHELLS[shell](root, {}, "falgate", "_FALGATE_COMPLETE").source())
