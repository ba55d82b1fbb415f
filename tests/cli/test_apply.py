"""The operator's file, applied to a gateway that runs, and a quote of what an app may buy."""

import json
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager[Any]]

FILE = """
[organisation.budget.day]
limit_usd = "1000"

[team.web]
weight = 2
budget.day = { limit_usd = "0.01", alerts = [80] }

[team.web.app.shop]
limits.generations_per_minute = 60
"""
PICTURE = '{"prompt": "a fox", "quality": "low"}'


@pytest.fixture
def served(tmp_path: Path, data: Path, start: Start, falgate: Command) -> Any:
    """Types `falgate ARGUMENTS` beside a gateway that runs."""
    with start(data, tmp_path):
        yield lambda *arguments: falgate(*arguments, FALGATE_DATA_DIR=str(data))


def rows(command: Command, *arguments: str) -> list[tuple[str, str]]:
    done = command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return [(step["action"], step["subject"]) for step in json.loads(done.stdout)["steps"]]


def test_a_file_is_planned_applied_pruned_and_given_back(served: Command, tmp_path: Path) -> None:
    file = tmp_path / "falgate.toml"
    file.write_text(FILE)
    wanted = [("create", "web"), ("create", "web/shop"), ("create", "team:web/day")]

    assert rows(served, "apply", str(file)) == wanted
    assert rows(served, "apply", str(file)) == wanted, "a plan alone changes nothing"
    assert rows(served, "apply", str(file), "--yes") == wanted
    assert rows(served, "apply", str(file), "--yes") == []
    assert "Nothing to change" in served("apply", str(file)).stdout

    again = tmp_path / "again.toml"
    again.write_text(served("export").stdout)
    assert rows(served, "apply", str(again), "--prune") == []

    # An app that has a key stays, and then nothing at all is done.
    assert ("remove", "default/default") in rows(served, "apply", str(file), "--prune")
    refused = served("apply", str(file), "--prune", "--yes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "default/default" in refused.stderr
    assert "revoke" in refused.stderr
    again.write_text(served("export").stdout)
    assert "[team.default.app.default.cache]" in again.read_text()

    file.write_text("[team.default.app.default]\n[organisation.budget.day]\nlimit_usd = 1000")
    assert rows(served, "apply", str(file), "--prune", "--yes") == [
        ("remove", "team:web/day"),
        ("remove", "web/shop"),
        ("remove", "web"),
    ]


def test_a_check_ends_with_2_where_something_would_change(served: Command, tmp_path: Path) -> None:
    file = tmp_path / "falgate.toml"
    file.write_text(FILE)

    assert served("apply", str(file), "--check").returncode == 2
    assert served("apply", str(file), "--yes").returncode == 0
    done = served("apply", str(file), "--check")
    assert (done.returncode, done.stdout) == (0, "Nothing to change\n")
    assert served("apply", str(file), "--check", "--yes").returncode == 2


def test_a_file_with_a_mistake_changes_nothing(served: Command, tmp_path: Path) -> None:
    file = tmp_path / "falgate.toml"
    file.write_text("[team.web]\nwieght = 2")

    refused = served("apply", str(file), "--yes")

    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: team.web") or "wieght" in refused.stderr


def test_a_quote_names_the_budget_that_would_refuse(served: Command, tmp_path: Path) -> None:
    file = tmp_path / "falgate.toml"
    file.write_text(FILE)
    served("apply", str(file), "--yes")

    quoted = json.loads(served("quote", PICTURE, "--app", "web/shop", "--json").stdout)
    told = served("quote", PICTURE, "--app", "web/shop").stdout

    assert (quoted["cache"], quoted["asked"], quoted["cached"]) == ("miss", 1, 0)
    assert quoted["list_usd"] == "0.00402"
    assert not quoted["allowed"]
    assert [(each["account"], each["window"]) for each in quoted["refused_by"]] == [
        ("team:web", "day")
    ]
    assert "refused by the day budget of team:web" in told
    assert json.loads(served("quote", PICTURE, "--json").stdout)["allowed"]
    assert served("quote", PICTURE, "--app", "web/none").returncode == 1
    assert "quality" in served("quote", '{"prompt": "a", "quality": "best"}').stderr


def test_a_file_that_is_too_large_or_too_deep_is_refused_in_one_line(
    tmp_path: Path, data: Path, falgate: Command
) -> None:
    file = tmp_path / "large.toml"
    for text, word in (("#" * 2_000_000, "larger than"), ("a = " + "[" * 90_000, "deeply")):
        file.write_text(text)
        done = falgate("apply", str(file), FALGATE_DATA_DIR=str(data))
        assert done.returncode == 1
        assert word in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_field_that_is_not_known_does_nothing_to_the_terminal(
    tmp_path: Path, data: Path, falgate: Command
) -> None:
    file = tmp_path / "evil.toml"
    file.write_text('"\\u001b[31m" = 1')
    done = falgate("apply", str(file), FALGATE_DATA_DIR=str(data))

    assert done.returncode == 1
    assert "\x1b" not in done.stderr
