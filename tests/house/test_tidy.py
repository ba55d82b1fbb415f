"""House rules that no linter knows, each proved on a planted violation."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

LINES_MAX = 300


class Ban(NamedTuple):
    """Words that may not stand in some files.

    Attributes:
        where: Pattern of the paths that it is about.
        words: Pattern of what is banned.
        instead: What to write.
        planted: A path and a text that break it.
    """

    where: str
    words: str
    instead: str
    planted: tuple[str, str]


SERVICE = r"service/.*\.py"
PYTHON = r".*\.py"
TESTS = r"tests/.*\.py"
ANY = r".*"

THIS_FILE = "tests/house/test_tidy.py"  # names what it bans

BANS = {
    "clock": Ban(
        r"service/falgate/(?!telemetry/|sandbox/).*\.py",
        r"\btime\.time(_ns)?\(",
        "Redis's clock where it decides, time.monotonic for durations",
        ("service/falgate/jobs/x.py", "now = time.time()"),
    ),
    "redirects": Ban(
        SERVICE,
        r"follow_redirects\s*=\s*True",
        "no redirects: the target was checked, where it points was not",
        ("service/falgate/fal/x.py", "get(url, follow_redirects=True)"),
    ),
    "float_money": Ban(
        r"service/falgate/(core/money|money/.*|models/.*|.*/store/.*)\.py",
        r"\bfloat\(|: float\b|-> float\b",
        "integer micro-USD",
        ("service/falgate/core/money.py", "cents = float(text)"),
    ),
    "future_annotations": Ban(
        PYTHON,
        r"from __future__|\bTYPE_CHECKING\b",
        "plain imports",
        ("tests/x.py", "from __future__ import annotations"),
    ),
    "folder_of_the_umask": Ban(
        r"service/falgate/(?!private\.py|cli/model_files\.py).*\.py",
        r"\bmkdir\([^)]*\bparents\b|\bmakedirs\(",
        "falgate.private.make_folder: mkdir gives the folders above the mode of the umask",
        ("service/falgate/redis/x.py", "data.mkdir(mode=0o700, parents=True)"),
    ),
    "suppression_without_reason": Ban(
        PYTHON,
        r"# noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* +(--?|#) +\w)"
        r"|# type: ignore(?!\[[\w, -]+\] +(--?|#) +\w)"
        r"|# pragma: no cover(?! +(--?|#) +\w)"
        r"|# ruff: noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* +(--?|#) +\w)",
        "`noqa: CODE - why`, `type: ignore[code]  # why`",
        ("service/falgate/x.py", "import os  # noqa: F401"),
    ),
    "silent_skip": Ban(
        TESTS,
        r"pytest\.skip|mark\.skip|skipif|xfail\b|importorskip",
        "a test that fails and names what is missing",
        ("tests/x.py", "pytest.skip('no Redis')"),
    ),
    "mock": Ban(
        TESTS,
        r"unittest\.mock|from unittest import|MagicMock|\bmocker\b",
        "real parts, or a hand-written port",
        ("tests/x.py", "from unittest.mock import patch"),
    ),
    "path_of_one_machine": Ban(
        ANY,
        r"/(root|home/\w+|Users|work)/",
        "a path from the project's root, or one that is given",
        ("deploy/x.sh", "cd /home/me/falgate"),
    ),
    "registry_address": Ban(
        ANY,
        r"--(extra-)?index-url|--registry[ =]|\bpip3? install\b.*(-i |://)",
        "package names: the clients know their registries",
        ("Makefile", "pip install -i https://packages.example/simple"),
    ),
    "word_that_is_gone": Ban(
        SERVICE,
        r"\b(Acquaintances|CacheDesk|DeliveryDesk|Workshop|Vitals|Sellers|Forgetter|Housekeeper"
        r"|Wishes|Shelf|Treatment|[Dd]oubt(ed|s|ful)?|Impatient|UseBook|insist|reaching|treat)\b"
        r"|\(any more\)",
        "the term of docs/glossary.md",
        ("service/falgate/x.py", "class Wishes:"),
    ),
    "folder_that_is_gone": Ban(
        ANY,
        r"\bfalgate[./](flow|store|upstream|api)\b",
        "the package of the domain, see docs/architecture.md",
        ("docs/x.md", "see service/falgate/flow/purchase.py"),
    ),
    "address_in_a_lock": Ban(
        r".*(\.lock|package-lock\.json)",
        r'://|"resolved"',
        "names, versions and hashes (make lock)",
        ("requirements.lock", "x @ https://example.com/x.whl"),
    ),
}

VAGUE = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}


def broken(ban: Ban, files: dict[str, str]) -> Iterator[str]:
    """Each place where it is, and what to do."""
    for path, text in files.items():
        if path == THIS_FILE or not re.fullmatch(ban.where, path):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if found := re.search(ban.words, line):
                yield f"{path}:{number}: {found[0]!r}; instead: {ban.instead}"


def too_long(files: dict[str, str]) -> Iterator[str]:
    """Files that own more than one thing, going by their length."""
    for path, text in files.items():
        if re.fullmatch(r".*\.(py|lua|sh|mjs)", path) and (lines := text.count("\n")) > LINES_MAX:
            yield f"{path}: {lines} lines, {LINES_MAX} at most: split it by what it owns"


def vaguely_named(files: dict[str, str]) -> Iterator[str]:
    """Files and folders whose name could hold anything."""
    for path in files:
        if vague := VAGUE & {re.sub(r"\.\w+$", "", part) for part in path.split("/")}:
            yield f"{path}: {vague} says nothing: name what it owns"


@pytest.mark.parametrize("name", BANS)
def test_nothing_banned_is_written(name: str, files: dict[str, str]) -> None:
    assert list(broken(BANS[name], files)) == []


@pytest.mark.parametrize("name", BANS)
def test_a_ban_sees_its_planted_violation(name: str) -> None:
    ban = BANS[name]
    path, text = ban.planted

    assert len(list(broken(ban, {path: f"fine\n{text}\n", "other.bin": "fine"}))) == 1


def test_a_suppression_with_its_reason_is_fine() -> None:
    text = "x()  # noqa: S603 - our own command\ny = z  # type: ignore[misc]  # untyped library\n"

    assert list(broken(BANS["suppression_without_reason"], {"service/x.py": text})) == []


def test_files_are_short_enough_to_own_one_thing(files: dict[str, str]) -> None:
    assert list(too_long(files)) == []
    assert (
        len(list(too_long({"a.py": "x\n" * 301, "b.py": "x\n" * 300, "c.lock": "x\n" * 999}))) == 1
    )


def test_files_are_named_after_what_they_own(files: dict[str, str]) -> None:
    assert list(vaguely_named(files)) == []
    assert len(list(vaguely_named({"service/falgate/utils.py": "", "money/usage.py": ""}))) == 1


def test_what_is_tested_is_what_serves(files: dict[str, str]) -> None:
    serving, tested = (
        set(re.findall(r"^\S+==\S+", files[lock], re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    )

    assert serving
    assert serving <= tested
