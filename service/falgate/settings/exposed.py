"""Finds files of a gateway that other users of its machine can access.

Only the rights of "others" count. The group of a file is the operator's business: containers get
their secrets through it.
"""

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from falgate.settings.fields import Settings

_OTHERS = stat.S_IRWXO
_OF_DATA = ("app-key", "admin-key", "tls/key.pem", "tls/ca-key.pem")
"""Secrets that `falgate run` keeps in the data directory."""


class Exposed(msgspec.Struct, frozen=True):
    """A path that other users have rights on.

    Attributes:
        path: The file or directory.
        mode: Its mode, octal.
        remedy: A command that fixes it.
    """

    path: str
    mode: str
    remedy: str


def exposed(settings: Settings) -> list[Exposed]:
    """Return the data directory and files with secrets that other users can read or write."""
    return [found for path in _private(settings) for found in _look(path)]


def _private(settings: Settings) -> Iterator[Path]:
    data = Path(settings.data_dir).absolute()
    yield data
    # Files are safe inside a directory that other users cannot enter.
    if any(_look(data)):
        yield from (data / name for name in _OF_DATA)
    named = [Path(name).absolute() for name in (settings.tls_key, settings.settings_file) if name]
    yield from (path for path in named if path not in {data / name for name in _OF_DATA})


def _look(path: Path) -> list[Exposed]:
    try:
        mode = path.stat().st_mode
    except OSError:  # missing so far, or the code that opens it will report the error
        return []
    if not mode & _OTHERS:
        return []
    wanted = "700" if stat.S_ISDIR(mode) else "600"
    return [Exposed(str(path), f"{stat.S_IMODE(mode):03o}", f"chmod {wanted} {path}")]
