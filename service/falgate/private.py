"""Private files and folders: for our eyes only, and files are put there whole or not at all."""

import os
import stat
import tempfile
from pathlib import Path

_OURS_TO_ENTER = stat.S_IRWXU


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, such that only we may enter any of them.

    `Path.mkdir` would give those above it the mode of the umask. A folder that is there stays as it
    is: somebody made it for us, and may have others in it.
    """
    try:
        path.mkdir(_OURS_TO_ENTER, exist_ok=True)
    except FileNotFoundError:
        if path.parent == path:
            raise
        make_folder(path.parent)
        path.mkdir(_OURS_TO_ENTER, exist_ok=True)


def put(path: Path, content: bytes) -> None:
    """Write a file that only we may read; an earlier one stays whole until it is replaced."""
    descriptor, staged = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(staged).replace(path)
    except BaseException:
        Path(staged).unlink(missing_ok=True)
        raise


def read(path: Path) -> str:
    """Its text without the line's end, whatever was done to it; empty where there is none."""
    return path.read_text(errors="replace").strip() if path.exists() else ""
