"""Lua scripts as async functions with named keys and arguments.

A script's lines `local name = KEYS[n]` and `local name = ARGV[n]` are its signature; further keys
and arguments are passed as `more_keys` and `more_args`. A key that is named as in `keyspace` may be
left out of a call that has its parts: with `upstream`, a script's `ledger` is that upstream's
ledger. `_prelude.lua` is prepended to every script, followed by the files that a line
`-- with _one.lua, _other.lua` names.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import NoScriptError

from falgate.redis.key import Key
from falgate.redis.keyspace import KEYS

_WITH = re.compile(r"^-- with (_\w+\.lua(?:, _\w+\.lua)*)$", re.MULTILINE)
_LOCAL = re.compile(r"^local (\w+) = (?:\w+\()?(KEYS|ARGV)\[(\d+)\]\)?$", re.MULTILINE)

Value = str | int


class Script:
    """A script whose signature is checked at every call."""

    def __init__(self, name: str, folder: Traversable | None = None) -> None:
        """Read `<name>.lua`; its first line is the shebang, and the prelude is inserted after it.

        Args:
            name: File name without suffix; unique among all packages.
            folder: Folder of the script and its parts; None means anywhere in falgate.
        """
        files = scripts() if folder is None else {file.name: file for file in folder.iterdir()}
        shebang, _, body = files[f"{name}.lua"].read_text().partition("\n")
        named = _WITH.search(body)
        parts = ["_prelude.lua", *(named[1].split(", ") if named else ())]
        shared = [files[part].read_text() for part in parts]
        self.name = name
        self.text = "\n".join((shebang, *shared, body))
        self._sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        self._keys = _signature(body, "KEYS")
        self._args = _signature(body, "ARGV")
        # By the names that a call gives; there are as many as places in the code that call it.
        self._plans: dict[tuple[str, ...], list[tuple[str, Key | None]]] = {}

    async def __call__(
        self,
        redis: Redis,
        *,
        more_keys: Sequence[str] = (),
        more_args: Sequence[Value] = (),
        **named: Value,
    ) -> Any:
        """Run the script by its hash, or by its text if the server does not know it."""
        keys, args = self._call(named, more_keys, more_args)
        try:
            return await redis.evalsha(self._sha, len(keys), *keys, *args)
        except NoScriptError:
            return await redis.eval(self.text, len(keys), *keys, *args)

    def queue(self, pipeline: Pipeline, *, more_keys: Sequence[str] = (), **named: Value) -> None:
        """Add the script to a pipeline by its text: an unknown hash could not be handled there."""
        keys, args = self._call(named, more_keys, ())
        pipeline.eval(self.text, len(keys), *keys, *args)

    def _call(
        self, named: dict[str, Value], more_keys: Sequence[str], more_args: Sequence[Value]
    ) -> tuple[list[str], list[Value]]:
        given = tuple(named)
        made = self._plans.get(given) or self._plan(given)
        keys = [
            str(named[name]) if key is None else key(*[named[part] for part in key.parts])
            for name, key in made
        ]
        return [*keys, *more_keys], [*[named[name] for name in self._args], *more_args]

    def _plan(self, given: tuple[str, ...]) -> list[tuple[str, Key | None]]:
        """Return for each key its name, and its family if it is made from parts that are given."""
        made = [
            (name, KEYS[name] if name in KEYS and name not in given else None)
            for name in self._keys
        ]
        implied = {name for name, key in made if key}
        parts = {part for _, key in made if key for part in key.parts}
        taken = parts.union(self._args, self._keys) - implied
        if set(given) != taken:
            wrong = sorted(taken.symmetric_difference(given))
            raise TypeError(f"{self.name}.lua takes other names: {wrong}")
        self._plans[given] = made
        return made


@cache
def scripts() -> Mapping[str, Traversable]:
    """Return all .lua files of falgate by name, from this package and the domains' stores."""
    packages = [package for package in resources.files("falgate").iterdir() if package.is_dir()]
    stores = [store for package in packages if (store := package.joinpath("store")).is_dir()]
    folders = [resources.files(__package__), *stores]
    found = [file for folder in folders for file in folder.iterdir() if file.name.endswith(".lua")]
    return {file.name: file for file in found}


def _signature(body: str, table: str) -> list[str]:
    found = [(int(n), name) for name, where, n in _LOCAL.findall(body) if where == table]
    assert sorted(n for n, _ in found) == list(range(1, len(found) + 1)), f"{table} has a gap"
    return [name for _, name in sorted(found)]
