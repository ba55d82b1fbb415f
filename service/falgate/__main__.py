"""Entry point of `falgate` and `python -m falgate`."""

import os
import signal


def _stop_early(number: int, _: object) -> None:
    """End while modules are loaded, when there is nothing to clean up yet."""
    os.write(2, b"\nStopped before anything was begun.\n")
    os._exit(128 + number)


# Before the other imports, which take most of the time until a command begins.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _stop_early)

from falgate.cli.main import main as commands  # noqa: E402 - see above

_OURS_ALONE = 0o077


def main() -> None:
    """Run a command; all files that it creates are accessible to their owner only."""
    os.umask(_OURS_ALONE)
    commands()


if __name__ == "__main__":
    main()
