"""Scripts with one text changed, and when a test has noticed the change."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ResponseError

from falgate.core.errors import Unavailable
from falgate.jobs.job import Fenced
from falgate.redis.script import scripts


def change(folder: Path, name: str, text: str, other: str) -> None:
    """Copy all scripts into a folder, and change a text of one that has it once."""
    for file in scripts().values():
        (folder / file.name).write_text(file.read_text())
    script = folder / f"{name}.lua"
    assert script.read_text().count(text) == 1, f"{name}.lua has changed: {text}"
    script.write_text(script.read_text().replace(text, other))


def noticed(failure: BaseException) -> bool:
    """Whether a test said no, or the store refused; a lost connection proves nothing."""
    cause = failure.__cause__ or failure if isinstance(failure, Unavailable) else failure
    noes = AssertionError | pytest.fail.Exception | Fenced | Unavailable | ResponseError
    return isinstance(cause, noes)


Scenario = Callable[[Any], Awaitable[None]]
Survives = Callable[..., Awaitable[bool]]


def suite_of(
    scenarios: Sequence[Scenario], mutants: Mapping[str, tuple[str, str, str]]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Two tests: the scripts as they are pass the scenarios, and none of the mutants does.

    Args:
        scenarios: Each asserts something of what the scripts do.
        mutants: By name: a script, a text that it has once, and another text in its place.
    """

    async def unchanged(survives: Survives) -> None:
        script, text, _ = next(iter(mutants.values()))
        assert await survives(script, text, text, scenarios)

    @pytest.mark.parametrize("url", ["valkey"], indirect=True)
    @pytest.mark.parametrize("name", mutants)
    async def changed(name: str, survives: Survives) -> None:
        assert not await survives(*mutants[name], scenarios)

    return unchanged, changed
