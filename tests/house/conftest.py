"""The project's own files, for the rules about them, and machines that lack something."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
USUAL = [
    "cat",
    "cut",
    "dirname",
    "env",
    "flock",
    "grep",
    "head",
    "mkdir",
    "mktemp",
    "rm",
    "sed",
    "sh",
    "sha256sum",
    "sort",
    "tr",
]
MADE = {".git", ".venv", ".cache", ".falgate", ".hypothesis", "dist", "node_modules", "__pycache__"}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def made_here() -> set[str]:
    """The names of files and folders that nobody wrote."""
    return MADE


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


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder to be the whole PATH: only what every machine has."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in USUAL:
        (folder / tool).symlink_to(shutil.which(tool) or pytest.fail(f"{tool} is missing here"))
    return folder


@pytest.fixture
def give(bare_path: Path) -> Callable[[str, str], None]:
    """A function that gives the machine one more tool: its name and its shell script."""

    def give(name: str, script: str) -> None:
        (bare_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (bare_path / name).chmod(0o755)

    return give
