"""Who was identified a moment ago: remembered without their keys, and not for long."""

import asyncio
from typing import Any

import pytest

from falgate.accounts.apikey import ID_BYTES, SECRET_BYTES, KeyRecord, mint, present
from falgate.accounts.directory import App, Directory, Team
from falgate.accounts.wrong_keys import WrongKeys
from falgate.requests.auth_cache import AuthCache

pytestmark = pytest.mark.usefixtures("no_pauses")


class World:
    """The registry, which knows every key that is of the right form."""

    def __init__(self, digest: str) -> None:
        self.keys, self.wrong_keys, self.looks = self, WrongKeys(), 0
        self._digest = digest

    async def key(self, key_id: str) -> tuple[KeyRecord, int, Directory]:
        """One of the app t/a."""
        self.looks += 1
        record = KeyRecord(
            id=key_id, kind="live", digest=self._digest, team="t", app="a", name="", created_s=0
        )
        return record, 0, Directory(1, {"t": Team()}, {"t/a": App()})


async def test_a_key_is_in_no_part_of_what_is_remembered() -> None:
    key = mint("live", bytes(ID_BYTES), bytes(SECRET_BYTES))
    presented = present(key)
    assert presented is not None
    world: Any = World(presented.digest)
    known = AuthCache(world)

    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        await known.identify(f"Key {key}", address, lambda _: None)

    assert world.looks == 2
    assert key.split("_")[3] not in repr(vars(known))


async def test_who_was_not_met_for_a_while_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("falgate.requests.auth_cache._REMEMBERED_S", 0.0)
    keys = [mint("live", bytes([n] * ID_BYTES), bytes(SECRET_BYTES)) for n in range(20)]
    presented = present(keys[0])
    assert presented is not None
    world: Any = World(presented.digest)
    known = AuthCache(world)

    for key in keys:
        await known.identify(f"Key {key}", "192.0.2.1", lambda _: None)
        await asyncio.sleep(0)

    (remembered,) = (kept for kept in vars(known).values() if isinstance(kept, dict))
    assert len(remembered) <= 2
    assert world.looks == len(keys)
