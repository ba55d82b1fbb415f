"""Half a script: what an append-only file has of it, and a server that holds just its beginning."""

import re
from collections.abc import Iterator, Sequence

from redis.asyncio import Redis

_WORD = re.compile(rb"\$(\d+)\r\n")

Command = list[bytes]


def commands(log: bytes) -> list[Command]:
    """What an append-only file does, command by command."""
    found: list[Command] = []
    at = 0
    while at < len(log):
        if log[at : at + 1] == b"#":  # a note of the time
            at = log.index(b"\r\n", at) + 2
            continue
        end = log.index(b"\r\n", at)
        words, at = int(log[at + 1 : end]), end + 2
        command = []
        for _ in range(words):
            named = _WORD.match(log, at)
            assert named
            at = named.end() + int(named[1]) + 2
            command.append(log[named.end() : at - 2])
        found.append(command)
    return found


async def replay(redis: Redis, done: Sequence[Command]) -> None:
    """Have a server hold what came of these commands, and nothing else."""
    await redis.config_set("appendonly", "no")
    await redis.flushall()
    async with redis.pipeline(transaction=False) as pipeline:
        for command in done:
            if command[0] not in {b"MULTI", b"EXEC", b"SELECT"}:
                pipeline.execute_command(*command)
        await pipeline.execute()


def seams(half: Sequence[Command]) -> Iterator[int]:
    """Where one kind of write ends and another one begins: within a kind all places are alike."""
    yield 0
    for at in range(1, len(half)):
        kinds = [(done[0], done[1].split(b":")[1]) for done in half[at - 1 : at + 1]]
        if kinds[0] != kinds[1]:
            yield at
