"""Files of a gateway that others on its machine can read, and what to do about it.

The group of a file is its operator's business: that is how secrets are handed to a container.
"""

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from falgate.settings.fields import Settings

_OTHERS = stat.S_IRWXO
_OF_DATA = ("app-key", "admin-key", "tls/key.pem", "tls/ca-key.pem")
"""What `falgate run` keeps there."""


class Exposed(msgspec.Struct, frozen=True):
    """A path that others have rights on.

    Attributes:
        path: What.
        mode: As it is, octal.
        remedy: A command that puts it right.
    """

    path: str
    mode: str
    remedy: str


def exposed(settings: Settings) -> list[Exposed]:
    """The data directory and private keys that others can read, enter or write."""
    return [found for path in _private(settings) for found in _look(path)]


def _private(settings: Settings) -> Iterator[Path]:
    data = Path(settings.data_dir).absolute()
    yield data
    # In a directory that others cannot enter, they reach nothing.
    if any(_look(data)):
        yield from (data / name for name in _OF_DATA)
    if settings.tls_key and Path(settings.tls_key).absolute() not in {data / n for n in _OF_DATA}:
        yield Path(settings.tls_key).absolute()


def _look(path: Path) -> list[Exposed]:
    try:
        mode = path.stat().st_mode
    except OSError:  # it is not there yet, or whoever opens it says what is wrong
        return []
    if not mode & _OTHERS:
        return []
    wanted = "700" if stat.S_ISDIR(mode) else "600"
    return [Exposed(str(path), f"{stat.S_IMODE(mode):03o}", f"chmod {wanted} {path}")]
