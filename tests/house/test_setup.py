"""What set-up says on a machine that lacks something: one line, which names the remedy."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from patience import PATIENCE_S

Give = Callable[[str, str], None]

PYTHON = shlex.quote(sys.executable)


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A project with nothing but what set-up reads."""
    (tmp_path / "deploy").mkdir()
    for name in ("deploy/setup.sh", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(root / name, tmp_path / name)
    return tmp_path


def set_up(project: Path, bare_path: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [project / "deploy" / "setup.sh", "runtime"],
        env={"PATH": str(bare_path), **settings},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def test_a_missing_python_is_named(project: Path, bare_path: Path) -> None:
    done = set_up(project, bare_path)

    assert done.returncode == 1
    assert done.stderr == (
        "falgate: Python 3.11 or later is missing: apt-get install python3 python3-venv\n"
    )


def test_an_old_python_is_named_with_its_version(
    project: Path, bare_path: Path, give: Give
) -> None:
    give("python3", '[ "$1" = --version ] && echo Python 3.9.2 && exit; exit 1')

    done = set_up(project, bare_path)

    assert done.returncode == 1
    assert done.stderr.startswith("falgate: Python 3.9.2 is too old, 3.11 is needed: apt-get ")
    assert done.stderr.count("\n") == 1


def test_a_missing_venv_module_is_named(project: Path, bare_path: Path, give: Give) -> None:
    give(
        "python3",
        f'case "$2" in *ensurepip*) exit 1; esac; exec {PYTHON} "$@"',
    )

    done = set_up(project, bare_path)

    assert done.returncode == 1
    assert done.stderr == "falgate: Python's venv module is missing: apt-get install python3-venv\n"


def test_a_failed_installation_shows_why_and_counts_as_half_made(
    project: Path, bare_path: Path, give: Give
) -> None:
    give("python3", f'exec {PYTHON} "$@"')

    done = set_up(project, bare_path, PIP_NO_INDEX="1", PIP_FIND_LINKS="")

    said = done.stderr.splitlines()
    assert done.returncode == 1
    assert said[0].startswith("Installing falgate's ")
    assert any("No matching distribution found" in line for line in said)
    assert said[-1] == "falgate: set-up failed, see above; the same command tries again"
    assert list((project / ".venv").glob("*.stamp")) == []
