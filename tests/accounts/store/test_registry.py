"""Teams, apps and keys in Redis: changed only as they were read, and always audited."""

import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from falgate.accounts import apikey
from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import Alias, App, Gone, Model, Team, gone_name
from falgate.accounts.limits import Limits
from falgate.accounts.store.gone import GoneModels
from falgate.accounts.store.registry import Registry
from falgate.core.change import Audited
from falgate.redis import keyspace


@pytest.fixture
def registry(redis: Redis) -> Registry:
    return Registry(redis)


def record(key_id: str = "k", created_s: int = 5) -> KeyRecord:
    return KeyRecord(
        id=key_id,
        kind="live",
        digest="d" * 64,
        team="t",
        app="p",
        name="for the shop: ü",
        created_s=created_s,
        previous_digest="e" * 64,
    )


async def audited(registry: Registry) -> list[Audited]:
    return [line async for line in registry.audit()]


async def test_teams_and_apps_are_read_as_they_were_put(registry: Registry) -> None:
    team = Team(weight=3, limits=Limits(generations_at_once=2))
    assert await registry.put_team("web", None, team, "me")
    before = await registry.directory()
    assert await registry.put_app("web/shop", None, App(), "me")

    directory = await registry.directory()

    assert (directory.teams, directory.apps) == ({"web": team}, {"web/shop": App()})
    assert directory.revision > before.revision


async def test_a_change_that_came_too_late_does_nothing(registry: Registry) -> None:
    await registry.put_team("web", None, Team(), "me")
    await registry.put_team("web", Team(), Team(weight=2), "me")

    assert not await registry.put_team("web", Team(), Team(weight=3), "you")
    assert not await registry.put_team("web", Team(), None, "you")
    assert not await registry.put_team("web", None, Team(weight=3), "you")

    assert (await registry.directory()).teams == {"web": Team(weight=2)}
    assert len(await audited(registry)) == 2


async def test_a_repeat_after_a_lost_reply_changes_nothing(
    registry: Registry, everything: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    for was, now in [(None, Team()), (Team(), Team(weight=2)), (Team(weight=2), None)]:
        assert await registry.put_team("web", was, now, "me")
        before = await everything()

        assert await registry.put_team("web", was, now, "me")

        assert await everything() == before


async def test_another_instance_sees_a_change_with_its_next_look(
    registry: Registry, redis: Redis
) -> None:
    other = Registry(redis)
    await registry.put_key(None, record(), "me")
    await registry.put_team("web", None, Team(), "me")
    assert (await other.key("k"))[2].teams == {"web": Team()}

    await registry.put_team("web", Team(), Team(weight=2), "me")
    await registry.put_key(record(), msgspec.structs.replace(record(), revoked_s=9), "me")

    found, now_s, directory = await other.key("k")
    assert found is not None
    assert found.unusable(now_s) == "revoked"
    assert directory.teams == {"web": Team(weight=2)}
    assert now_s == pytest.approx(await registry.now_s(), abs=60)


async def test_a_key_that_is_not_there_is_none(registry: Registry) -> None:
    found, now_s, directory = await registry.key("k")

    assert found is None
    assert now_s > 0
    assert (directory.teams, directory.apps) == ({}, {})


async def test_keys_are_listed_by_age(registry: Registry) -> None:
    for key_id, created_s in [("c", 3), ("a", 10), ("b", 3)]:
        assert await registry.put_key(None, record(key_id, created_s), "me")

    assert [key.id for key in await registry.keys()] == ["b", "c", "a"]
    assert await registry.keys() == [record("b", 3), record("c", 3), record("a", 10)]


async def test_the_audit_log_says_who_when_before_and_after(registry: Registry) -> None:
    await registry.put_team("web", None, Team(), "cli:me")
    await registry.put_team("web", Team(), Team(weight=2), "admin:you")
    await registry.put_team("web", Team(weight=2), None, "admin")

    removed, changed, made = await audited(registry)

    assert [line.who for line in (made, changed, removed)] == ["cli:me", "admin:you", "admin"]
    assert {(line.action, line.subject) for line in (made, changed, removed)} == {("team", "web")}
    assert (made.before, json.loads(made.after)["weight"]) == ("", 1)
    assert (json.loads(changed.before)["weight"], json.loads(changed.after)["weight"]) == (1, 2)
    assert (json.loads(removed.before)["weight"], removed.after) == (2, "")
    milliseconds = int(changed.id.partition("-")[0])
    assert milliseconds / 1000 == pytest.approx(await registry.now_s(), abs=60)


async def test_the_audit_log_goes_on_from_an_entry_and_over_many_pages(
    registry: Registry, redis: Redis
) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        for number in range(1_100):
            fields: dict[Any, Any] = dict.fromkeys(("who", "action", "before", "after"), "")
            pipeline.xadd("{fg}:audit", {**fields, "subject": str(number)}, id=f"{number + 1}-0")
        await pipeline.execute()

    subjects = [line.subject async for line in registry.audit()]
    older = [line.subject async for line in registry.audit(before="3-0")]

    assert subjects == [str(number) for number in reversed(range(1_100))]
    assert older == ["1", "0"]


async def test_the_secret_of_a_key_is_nowhere_in_redis_and_its_digest_not_in_the_audit_log(
    registry: Registry, everything: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    text = apikey.mint("live", b"\x07" * apikey.ID_BYTES, b"\x09" * apikey.SECRET_BYTES)
    presented = apikey.present(text)
    assert presented is not None
    kept = msgspec.structs.replace(record(presented.id), digest=presented.digest)
    await registry.put_key(None, kept, "me")

    written = await everything()

    secret = text.split("_")[3]
    assert len(secret) > 40
    assert secret not in str(written)
    assert presented.digest in str(written.pop(f"{{fg}}:apikey:{presented.id}"))
    assert presented.id in str(written)
    assert presented.digest not in str(written)
    assert kept.previous_digest not in str(written)


async def test_who_there_is_now_is_read_anew_only_where_it_has_changed(
    registry: Registry, redis: Redis
) -> None:
    before = await registry.directory()
    assert await registry.directory() is before

    await Registry(redis).put_team("nova", None, Team(), "another instance")

    assert set((await registry.directory()).teams) == {"nova"}


async def test_other_records_after_a_loss_of_the_last_change_are_seen_by_those_who_had_read_it(
    registry: Registry, redis: Redis
) -> None:
    saved: dict[Any, Any] = await redis.hgetall(keyspace.DIRECTORY)
    await registry.put_team("lost", None, Team(), "me")
    assert set((await registry.directory()).teams) == {"lost"}
    # A Redis comes back as it was before, and another instance makes one change too.
    await redis.delete(keyspace.DIRECTORY)
    if saved:
        await redis.hset(keyspace.DIRECTORY, mapping=saved)
    await Registry(redis).put_team("nova", None, Team(), "another instance")

    assert set((await registry.directory()).teams) == {"nova"}


async def test_a_change_that_meets_another_record_than_was_read_has_all_read_anew(
    registry: Registry, redis: Redis
) -> None:
    await registry.put_team("nova", None, Team(), "me")
    assert set((await registry.directory()).teams) == {"nova"}
    # As after the loss of the last writes: other records, of the same revision.
    encoded: dict[Any, Any] = {"team:nova": msgspec.json.encode(Team(weight=3))}
    await redis.hset(keyspace.DIRECTORY, mapping=encoded)

    assert not await registry.put_team("nova", Team(), Team(weight=2), "me")
    was = (await registry.directory()).teams["nova"]
    assert await registry.put_team("nova", was, Team(weight=2), "me")


async def test_keys_of_an_earlier_version_get_redis_keys_of_their_own_once(
    registry: Registry, redis: Redis
) -> None:
    old = [record("one"), record("two", created_s=1)]
    encoded: dict[Any, Any] = {each.id: msgspec.json.encode(each) for each in old}
    await redis.hset("{fg}:apikeys", mapping=encoded)
    changed = msgspec.structs.replace(old[0], name="changed since")
    await registry.put_key(None, changed, "me")

    await registry.split_keys()
    await registry.split_keys()

    assert await registry.keys() == [old[1], changed]
    assert await registry.ids() == {"one", "two"}
    assert (await registry.key("two"))[0] == old[1]
    assert not await redis.exists("{fg}:apikeys")


async def test_a_record_of_an_earlier_version_can_be_changed(
    registry: Registry, redis: Redis
) -> None:
    """It lacks the fields that were added since."""
    earlier = '{"limits":{"requests_per_second":7}}'
    await redis.hset(keyspace.DIRECTORY, "app:web/shop", earlier)
    was = (await registry.directory()).apps["web/shop"]

    assert await registry.put_app("web/shop", was, App(), "somebody")
    assert (await registry.directory()).apps == {"web/shop": App()}
    other = App(limits=Limits(requests_per_second=9))
    assert not await registry.put_app("web/shop", was, other, "somebody")


async def test_what_is_decided_about_models_is_in_the_directory(registry: Registry) -> None:
    model = Model(retires=date(2026, 12, 1), successor="acme/b", afterwards="redirect")
    alias, gone = Alias(target="acme/a"), Gone(since_s=1, seen_s=2)

    assert await registry.put_model("acme/a", None, model, "ann")
    assert await registry.put_alias("acme/image", None, alias, "ann")
    assert await registry.put_gone(gone_name("fal", "acme/a"), None, gone)
    directory = await registry.directory()
    assert directory.models == {"acme/a": model}
    assert directory.aliases == {"acme/image": alias}
    assert directory.gone == {"fal acme/a": gone}
    assert [(line.who, line.action, line.subject) for line in await audited(registry)] == [
        ("falgate", "gone", "fal acme/a"),
        ("ann", "alias", "acme/image"),
        ("ann", "model", "acme/a"),
    ]


async def test_that_a_model_is_gone_is_noted_once_a_minute_and_forgotten(
    registry: Registry,
) -> None:
    notes = GoneModels(registry)
    first = (await notes.note("fal", "acme/a")).gone["fal acme/a"]
    again = (await notes.note("fal", "acme/a")).gone["fal acme/a"]
    old = Gone(since_s=first.since_s - 100, seen_s=first.seen_s - 100)

    assert first == again
    assert first.since_s == first.seen_s
    assert await registry.put_gone("fal acme/a", first, old)
    later = (await notes.note("fal", "acme/a")).gone["fal acme/a"]
    assert later.since_s == old.since_s
    assert later.seen_s > old.seen_s
    await notes.forget("fal", "acme/b")
    await notes.forget("fal", "acme/a")
    assert (await registry.directory()).gone == {}
