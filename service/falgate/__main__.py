"""Entry point of `falgate` and `python -m falgate`."""

import os

from falgate.cli.main import main as commands

_OURS_ALONE = 0o077


def main() -> None:
    """Run a command; all files that it creates are accessible to their owner only."""
    os.umask(_OURS_ALONE)
    commands()


if __name__ == "__main__":
    main()
