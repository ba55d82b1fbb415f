"""The project's own files, for the rules about them."""

import os
from pathlib import Path

import pytest
from tree import MADE, ROOT


@pytest.fixture(scope="session")
def files() -> dict[str, str]:
    """Every text file that somebody wrote, by its path from the root."""
    found = {}
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in MADE and not name.endswith("_cache")]
        for name in set(names) - MADE:  # In a worktree, .git is a file.
            path = Path(folder, name)
            found[path.relative_to(ROOT).as_posix()] = path.read_text(errors="replace")
    return found
