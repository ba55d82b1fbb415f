"""Who types a command, as the audit log names them."""

import getpass
import os
import re

_ACTOR_MAX = 64


def acting() -> str:
    """The user's name behind "cli:", in printable ASCII without spaces."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        name = str(os.getuid())
    return re.sub(r"[^!-~]", "?", f"cli:{name}")[:_ACTOR_MAX]
