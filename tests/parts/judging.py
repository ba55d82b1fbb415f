"""Scripts with one text changed, and when a test has noticed the change."""

from importlib import resources
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

import falgate.store
from falgate.core.errors import Unavailable
from falgate.core.job import Fenced


def change(folder: Path, name: str, text: str, other: str) -> None:
    """Copy all scripts into a folder, and change a text of one that has it once."""
    for file in resources.files(falgate.store).iterdir():
        if file.name.endswith(".lua"):
            (folder / file.name).write_text(file.read_text())
    script = folder / f"{name}.lua"
    assert script.read_text().count(text) == 1, f"{name}.lua has changed: {text}"
    script.write_text(script.read_text().replace(text, other))


def noticed(failure: BaseException) -> bool:
    """Whether a test said no, or the store refused; a lost connection proves nothing."""
    cause = failure.__cause__ or failure if isinstance(failure, Unavailable) else failure
    noes = AssertionError | pytest.fail.Exception | Fenced | Unavailable | ResponseError
    return isinstance(cause, noes)
