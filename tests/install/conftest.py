"""Machines that lack something."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

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
