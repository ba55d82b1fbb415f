"""A .lua file as a function: its named locals are its signature, checked at every call."""

import re
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from falgate.core.errors import Unavailable
from falgate.redis.script import Script, scripts

CALL = re.compile(r"redis\.p?call\('([A-Z]+)'")
ECHO = """#!lua
-- Returns what it was given.
local first = KEYS[1]
local amount = digits(ARGV[2])
local word = ARGV[1]
return {first, word, amount, KEYS[2] or 'none', ARGV[3] or 'none'}
"""


@pytest.fixture
def echo(tmp_path: Path) -> Script:
    (tmp_path / "echo.lua").write_text(ECHO)
    prelude = "local function digits(text) return tonumber(text) end\n"
    (tmp_path / "_prelude.lua").write_text(prelude)
    return Script("echo", tmp_path)


async def test_names_become_numbered_keys_and_arguments(redis: Redis, echo: Script) -> None:
    assert await echo(redis, amount=7, word="x", first="{k}1") == ["{k}1", "x", 7, "none", "none"]


async def test_what_has_no_name_follows_what_has(redis: Redis, echo: Script) -> None:
    reply = await echo(redis, more_keys=["{k}2"], more_args=["y"], first="{k}1", word="x", amount=7)

    assert reply == ["{k}1", "x", 7, "{k}2", "y"]


@pytest.mark.parametrize(
    "named",
    [
        {"first": "k", "word": "x"},
        {"first": "k", "word": "x", "amount": 7, "more": 1},
        {"first": "k", "word": "x", "amuont": 7},
    ],
    ids=["too_few", "too_many", "misspelt"],
)
async def test_a_call_with_other_names_is_a_mistake(
    named: dict[str, Any], redis: Redis, echo: Script
) -> None:
    with pytest.raises(TypeError, match=r"echo\.lua takes other names"):
        await echo(redis, **named)


async def test_it_runs_where_its_text_is_not_known_and_where_it_is(
    redis: Redis, echo: Script
) -> None:
    await redis.script_flush()

    for _ in range(2):
        assert (await echo(redis, first="k", word="x", amount=7))[1] == "x"
    async with redis.pipeline(transaction=False) as pipeline:
        await redis.script_flush()
        echo.queue(pipeline, first="k", word="x", amount=7)
        assert (await pipeline.execute())[0][1] == "x"


@pytest.mark.parametrize("text", ["local b = KEYS[2]", "local a = KEYS[1]\nlocal b = KEYS[1]"])
def test_a_signature_with_a_gap_is_a_mistake(text: str, tmp_path: Path) -> None:
    (tmp_path / "_prelude.lua").write_text("")
    (tmp_path / "gap.lua").write_text(f"#!lua\n{text}\n")

    with pytest.raises(AssertionError, match="KEYS has a gap"):
        Script("gap", tmp_path)


async def test_an_error_of_the_script_itself_is_not_hidden(redis: Redis, tmp_path: Path) -> None:
    (tmp_path / "_prelude.lua").write_text("")
    (tmp_path / "broken.lua").write_text("#!lua\nreturn redis.call('NONSENSE')\n")

    with pytest.raises(Unavailable) as failed:
        await Script("broken", tmp_path)(redis)
    assert isinstance(failed.value.__cause__, ResponseError)


async def test_each_script_compiles_and_uses_commands_that_the_server_has(redis: Redis) -> None:
    command: Any = redis.execute_command
    files = scripts().values()
    names = [file.name[:-4] for file in files if not file.name.startswith("_")]
    used = {word for file in files for word in CALL.findall(file.read_text())}

    for name in names:
        await redis.script_load(Script(name).text)
    known = await command("COMMAND", "INFO", *used)
    assert len(names) > 40
    assert len(used) > 30
    assert {str(name).upper() for name in known} == used
