"""How the tests' tools are got: by apt where that is allowed, else said aloud."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from patience import PATIENCE_S
from tree import ROOT

Give = Callable[[str, str], None]

EDGE = ("curl", "golang-go", "default-jdk-headless", "libhttpclient5-java")
PACKAGES = ("nodejs", "npm", "redis-server", "chromium", "nginx-light")

# An apt-get that can bring them, and notes what it was told.
APT = """
echo "$@" >>"$(dirname "$0")/told"
case "$*" in
*--assume-no*) echo "Need to get 1.5 MB/92.1 MB of archives."; exit 1 ;;
*install*)
    for package; do :; done
    command=${package%js}
    command=${command%-light}
    printf '#!/bin/sh\\necho " v=7.0.15"\\n' >"$(dirname "$0")/$command"
    chmod +x "$(dirname "$0")/$command" ;;
esac
"""


def get_tools(bare_path: Path, *what: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [ROOT / "deploy" / "tools.sh", *what],
        env={"PATH": str(bare_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def test_nothing_is_asked_of_apt_when_all_is_there(bare_path: Path, give: Give) -> None:
    give("id", "echo 0")
    give("apt-get", "exit 1")
    for tool in ("node", "npm", "redis-server", "chromium", "nginx"):
        give(tool, 'echo "Redis server v=7.0.15"')

    done = get_tools(bare_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_root_gets_what_is_missing(bare_path: Path, give: Give) -> None:
    (bare_path / "chmod").symlink_to("/bin/chmod")
    give("id", "echo 0")
    give("apt-get", APT)

    done = get_tools(bare_path)

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        f"Installing {package} by apt (once, 1.5 MB to download) ..." for package in PACKAGES
    ]
    told = (bare_path / "told").read_text().splitlines()
    done_by_it = [words.split()[-1] for words in told if "--assume-no" not in words]
    assert done_by_it == ["update", *PACKAGES]


def test_who_may_not_install_is_told_what_will_fail(bare_path: Path, give: Give) -> None:
    give("id", "echo 1000")
    give("apt-get", APT)
    give("redis-server", 'echo "Redis server v=6.0.16"')

    done = get_tools(bare_path)

    assert done.returncode == 0
    missing = " ".join(PACKAGES)
    why = "Missing or too old (Node 18, Redis 7.0 or later), so that their tests will FAIL"
    assert done.stderr.splitlines() == [
        f"!!! {why}: {missing}",
        f"!!! As root: apt-get update && apt-get install -y --no-install-recommends {missing}",
    ]
    assert not (bare_path / "told").exists()


def test_what_only_other_clients_need_is_got_for_them_alone(bare_path: Path, give: Give) -> None:
    give("id", "echo 0")
    give("apt-get", 'echo "$@" >>"$(dirname "$0")/told"')

    done = get_tools(bare_path, "edge")

    asked = (bare_path / "told").read_text().splitlines()
    assert {words.split()[-1] for words in asked} - set(EDGE) == {"update"}
    assert "!!! Missing or too old" in done.stderr
    assert "golang-go" in done.stderr
