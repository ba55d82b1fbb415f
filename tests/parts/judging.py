"""Scripts with one text changed, and when a test has noticed the change."""

from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ResponseError

from falgate.core.errors import Unavailable
from falgate.jobs.job import Fenced
from falgate.redis.script import scripts


def change(folder: Path, name: str, text: str, other: str) -> None:
    """Put all scripts into a folder, and change a text of one that has it once."""
    for file in scripts().values():
        if file.name != f"{name}.lua":
            (folder / file.name).symlink_to(str(file))
    unchanged = scripts()[f"{name}.lua"].read_text()
    assert unchanged.count(text) == 1, f"{name}.lua has changed: {text}"
    (folder / f"{name}.lua").write_text(unchanged.replace(text, other))


def noticed(failure: BaseException) -> bool:
    """Whether a test said no, or the store refused; a lost connection proves nothing."""
    cause = failure.__cause__ or failure if isinstance(failure, Unavailable) else failure
    noes = AssertionError | pytest.fail.Exception | Fenced | Unavailable | ResponseError
    return isinstance(cause, noes)


Scenario = Callable[[Any], Coroutine[Any, Any, None]]
Suite = dict[Scenario, dict[str, tuple[str, str, str]]]
"""Scenarios, with the mutants that each of them notices."""
Survives = Callable[..., Awaitable[bool]]


def suite_of(
    suite: Suite,
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Two tests: the scripts as they are pass all scenarios, and each mutant fails its own.

    Args:
        suite: Scenarios, each of which asserts something of what the scripts do, with the mutants
            that it notices, by name: a script, a text that it has once, and another text in its
            place.
    """
    mutants = {
        name: (mutant, scenario)
        for scenario, found in suite.items()
        for name, mutant in found.items()
    }
    assert len(mutants) == sum(map(len, suite.values())), "two have one name"

    async def unchanged(survives: Survives) -> None:
        script, text, _ = next(iter(mutants.values()))[0]
        assert await survives(script, text, text, suite)

    @pytest.mark.parametrize("url", ["valkey"], indirect=True)
    @pytest.mark.parametrize("name", mutants)
    async def changed(name: str, survives: Survives) -> None:
        mutant, scenario = mutants[name]
        assert not await survives(*mutant, [scenario])

    return unchanged, changed
