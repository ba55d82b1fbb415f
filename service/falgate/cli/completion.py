"""`falgate completion`: what a shell needs to complete commands."""

import click
from click.shell_completion import get_completion_class

_USE = """\b
In ~/.bashrc: eval "$(falgate completion bash)"
In ~/.zshrc: eval "$(falgate completion zsh)"
For fish: falgate completion fish > ~/.config/fish/completions/falgate.fish"""


@click.command(epilog=_USE)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print what SHELL is to run so that it completes falgate's commands."""
    root = context.find_root().command
    completer = get_completion_class(shell)
    assert completer is not None, "click knows these"
    click.echo(completer(root, {}, "falgate", "_FALGATE_COMPLETE").source())
