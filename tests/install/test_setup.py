"""What set-up says on a machine that lacks something: one line, which names the remedy."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from patience import PATIENCE_S
from tree import ROOT

Give = Callable[[str, str], None]

PYTHON = shlex.quote(sys.executable)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with nothing but what set-up reads."""
    (tmp_path / "deploy").mkdir()
    for name in ("deploy/setup.sh", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def set_up(
    project: Path, bare_path: Path, *, alone: bool = False, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Run it, where `alone` in a session of its own, as below a terminal."""
    return subprocess.run(
        [project / "deploy" / "setup.sh", "runtime"],
        env={"PATH": str(bare_path), **settings},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        start_new_session=alone,
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
    assert re.fullmatch(
        r"Installing falgate's \d+ packages into \.venv \(once, about \d+ MB to download\) \.\.\.",
        said[0],
    )
    assert any("No matching distribution found" in line for line in said)
    assert said[-1] == "falgate: set-up failed, see above; the same command tries again"
    assert list((project / ".venv").glob("*.stamp")) == []


def test_an_index_that_cannot_be_reached_is_one_sentence_without_its_password(
    project: Path, bare_path: Path, give: Give
) -> None:
    give("python3", f'exec {PYTHON} "$@"')
    index = "http://user:hunter2@127.0.0.1:9/simple"

    done = set_up(
        project, bare_path, PIP_INDEX_URL=index, PIP_CONFIG_FILE="/dev/null", PIP_RETRIES="1"
    )

    said = done.stderr.splitlines()
    assert done.returncode == 1
    assert len(said) == 2, done.stderr
    assert said[1] == (
        "falgate: the package index at http://127.0.0.1:9/simple cannot be reached ([Errno 111] "
        "Connection refused): connect this machine, or name another index by PIP_INDEX_URL; the "
        "same command tries again"
    )


@pytest.mark.parametrize("name", [".cache", ".venv"])
def test_a_folder_that_belongs_to_somebody_else_is_named(
    name: str, project: Path, bare_path: Path, give: Give
) -> None:
    give("python3", f'exec {PYTHON} "$@"')
    # Not even root can write there.
    (project / name).symlink_to("/proc/self")

    done = set_up(project, bare_path)

    assert done.returncode == 1
    assert done.stderr == (
        f"falgate: cannot write in {project / name}, which belongs to somebody else: use a clone "
        f"of your own, or take this one over: sudo chown -R \"$(id -u)\" '{project}'\n"
    )


def test_ctrl_c_during_set_up_is_one_sentence(project: Path, bare_path: Path, give: Give) -> None:
    give("python3", f'case "$*" in *venv*.venv) kill -INT 0; esac; exec {PYTHON} "$@"')

    done = set_up(project, bare_path, alone=True)

    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [
        "falgate: set-up was stopped; the same command goes on with it"
    ]
