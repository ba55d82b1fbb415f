"""How the environments of fal's clients are made: both halves at once, each to its own end."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from patience import PATIENCE_S
from tree import ROOT

Give = Callable[[str, str], None]

# Makes an environment whose pip ends only when npm has failed, and says so.
PYTHON = """
case "$*" in *venv*) ;; *) echo 3.11; exit ;; esac
mkdir -p "$3/bin"
cat >"$3/bin/python" <<'END'
#!/bin/sh
until [ -e npm-failed ]; do sleep 0.02; done
echo "no such version"
exit 1
END
chmod +x "$3/bin/python"
"""
NPM = """
echo "no such package"
touch ../../../npm-failed
exit 1
"""


def test_a_half_that_fails_leaves_the_other_ones_words(
    bare_path: Path, give: Give, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "deploy", copy / "deploy")
    python, javascript = copy / "tests/clients/python", copy / "tests/clients/javascript/1.0"
    for folder, file in ((python, "1.0.lock"), (javascript, "package-lock.json")):
        folder.mkdir(parents=True)
        (folder / file).write_text("{}")
    (javascript / "package.json").write_text("{}")
    give("python3", PYTHON)
    give("npm", NPM)

    done = subprocess.run(
        [copy / "deploy" / "clients.sh"],
        env={"PATH": f"{bare_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert done.returncode == 1
    assert "No such file" not in done.stderr
    for said in ("no such version", "no such package", "python-1.0", "javascript-1.0"):
        assert said in done.stderr, done.stderr
