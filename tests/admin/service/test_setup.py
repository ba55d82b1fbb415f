"""A set-up that fails half-way says what it made, and leaves no key without its budget."""

from typing import Any

import pytest

from falgate.accounts.apikey import Permissions
from falgate.accounts.limits import Limits
from falgate.admin.service import AdminService
from falgate.admin.setup import Setup, Wanted
from falgate.core.errors import Unavailable
from falgate.money.budget import Budget

WANTED = Wanted(
    team="art",
    app="blog",
    kind="live",
    name="storefront",
    expires_s=0,
    permissions=Permissions(),
    limits=Limits(),
    budgets=[("key", "day", Budget(limit=5_000_000))],
)


async def test_a_failure_half_way_says_what_was_made_and_leaves_the_key_disabled(
    admin: AdminService, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> bool:
        raise Unavailable("Redis is away")

    monkeypatch.setattr(world.books, "put", away)

    with pytest.raises(Unavailable, match="Redis is away") as failed:
        await Setup(admin, admin, WANTED).run()

    (key,) = world.records.known.values()
    assert f"team art, app art/blog, key {key.id} (disabled)" in str(failed.value)
    assert key.disabled


async def test_a_failure_before_anything_is_made_is_told_as_it_is(
    admin: AdminService, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> bool:
        raise Unavailable("Redis is away")

    monkeypatch.setattr(world.records, "put_team", away)

    with pytest.raises(Unavailable, match=r"^Redis is away$"):
        await Setup(admin, admin, WANTED).run()


async def test_the_key_works_once_its_budget_is_set(admin: AdminService, world: Any) -> None:
    done = await Setup(admin, admin, WANTED).run()

    assert not done.record.disabled
    assert world.records.known[done.record.id] == done.record
    assert done.key not in repr(done)
