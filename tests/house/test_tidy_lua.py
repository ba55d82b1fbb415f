"""House rules about the Lua scripts, each proved on a planted violation."""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import pytest

NAME = r"[A-Za-z_]\w*"


class Lua(NamedTuple):
    """A script.

    Attributes:
        path: From the project's root.
        text: Its source.
        beside: The sources that may name it: of its folder; for a part of scripts, all.
    """

    path: PurePosixPath
    text: str
    beside: list[str]


def without_header(lua: Lua) -> Iterator[str]:
    """Scripts that do not say what they do, return and count in."""
    if not re.match(r"(#!.*\n)?-- ", lua.text):
        yield "must begin with comments: what it does, what it returns, its units"


def uncalled(lua: Lua) -> Iterator[str]:
    """Scripts that no Python file beside them names, and parts that no script takes in."""
    names = (f'"{lua.path.stem}"', f'"{lua.path.name}"')
    taken_in = re.compile(rf"^-- with .*\b{re.escape(lua.path.name)}", re.MULTILINE)
    if not any(
        taken_in.search(source) or any(name in source for name in names) for source in lua.beside
    ):
        yield f"is named by no Python file beside it, as Script({names[0]})"


def searching(lua: Lua) -> Iterator[str]:
    """Calls that walk all keys: slow, and wrong in a cluster."""
    for found in re.finditer(r"""call\(\s*['"](?i:(KEYS|SCAN|RANDOMKEY))['"]""", lua.text):
        yield f"{found[1]} walks all keys: pass them"


def unnamed(lua: Lua) -> Iterator[str]:
    """Keys and arguments used by number: the named locals are the signature."""
    for number, line in enumerate(lua.text.splitlines(), 1):
        code = line.split("--")[0]
        if re.search(r"\b(KEYS|ARGV)\[\d+\]", code) and not re.match(rf"local {NAME} = ", code):
            yield f"line {number}: name it first: local NAME = KEYS[n]"


def statements(text: str) -> str:
    """The source without comments and what stands in braces, every line in its place."""
    code = re.sub(r"--.*", "", text)
    while (less := re.sub(r"\{[^{}]*\}", lambda it: "\n" * it[0].count("\n"), code)) != code:
        code = less
    return code


def global_names(lua: Lua) -> Iterator[str]:
    """Assignments to names that no `local`, parameter or loop declares."""
    code = statements(lua.text)
    declared = set()
    for names in (
        *re.findall(rf"\blocal\s+({NAME}(?:\s*,\s*{NAME})*)", code),
        *re.findall(r"\bfunction\b[^(\n]*\(([^)]*)\)", code),
        *re.findall(r"\bfor\s+([\w\s,]+?)\s*(?:=|\bin\b)", code),
    ):
        declared |= set(re.findall(NAME, names))
    for number, line in enumerate(code.splitlines(), 1):
        assigned = re.match(rf"\s*({NAME}(?:\s*,\s*{NAME})*)\s*=(?!=)", line)
        defined = re.match(rf"\s*function\s+({NAME})", line)
        names = assigned or defined
        for name in re.findall(NAME, names[1]) if names else []:
            if defined or name not in declared:
                yield f"line {number}: {name} is global: declare it local"


RULES: dict[str, tuple[Callable[[Lua], Iterator[str]], str]] = {
    "header": (without_header, "#!lua\nlocal x = KEYS[1]\n"),
    "called": (uncalled, "-- Nobody knows me.\n"),
    "no_key_search": (searching, "-- Finds.\nlocal all = redis.call('keys', '*')\n"),
    "named_parameters": (unnamed, "-- Reads.\nreturn redis.call('GET', KEYS[1])\n"),
    "no_global": (global_names, "-- Counts.\nlocal x = 1\ntotal = x + 1\n"),
    "no_global_function": (global_names, "-- Adds.\nfunction add(a) return a end\n"),
}
KEPT = """#!lua
-- Adds ARGV[1] micro-USD to a counter.
-- Returns the sum.
local counter_key = KEYS[1]
local amount = tonumber(ARGV[1])
local function twice(a, b)
  a = a + b
  return a
end
local sum, other
sum, other = twice(amount, 0), {name = 1,
  more = 2}
for i, key in ipairs(KEYS) do i = i + 1 end
if sum == 2 then sum = 3 end
return redis.call('GET', counter_key)
"""
CALLER = '_ADD = Script("counter_add")'


@pytest.fixture(scope="module")
def scripts(files: dict[str, str]) -> list[Lua]:
    """All of them, each with the files that may call it: any for a part, else those beside it."""
    sources = {PurePosixPath(path): text for path, text in files.items()}
    return [
        Lua(
            path,
            text,
            [
                source
                for other, source in sources.items()
                if other.suffix in {".py", ".lua"}
                and other != path
                and (path.name.startswith("_") or other.parent == path.parent)
            ],
        )
        for path, text in sources.items()
        if path.suffix == ".lua"
    ]


@pytest.mark.parametrize("name", RULES)
def test_every_script_keeps_the_rule(name: str, scripts: list[Lua]) -> None:
    rule, _ = RULES[name]

    assert scripts
    assert [f"{lua.path}: {complaint}" for lua in scripts for complaint in rule(lua)] == []


@pytest.mark.parametrize("name", RULES)
def test_a_rule_sees_its_planted_violation(name: str) -> None:
    rule, planted = RULES[name]

    lost = Lua(PurePosixPath("service/falgate/money/store/counter_lose.lua"), planted, [CALLER])
    kept = Lua(PurePosixPath("service/falgate/money/store/counter_add.lua"), KEPT, [CALLER])

    assert len(list(rule(lost))) == 1
    assert list(rule(kept)) == []
