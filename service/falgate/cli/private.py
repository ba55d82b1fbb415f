"""Private files: put there whole or not at all, and for our eyes only."""

import os
import tempfile
from pathlib import Path


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
