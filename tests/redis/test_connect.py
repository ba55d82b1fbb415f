"""Whether a server can be trusted with money, and what a mark waits for there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.jobs.job import Fenced, Job, NotDurable, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.redis.client import Durability, RedisUnfit, connect, inspect

Configure = Callable[..., Awaitable[None]]
ONLY_VALKEY = pytest.mark.parametrize("url", ["valkey"], indirect=True)
ONLY_REDIS_7_0 = pytest.mark.parametrize("url", ["redis-7.0"], indirect=True)


@pytest.fixture
async def configure(
    redis: Redis, until: Callable[..., Awaitable[None]]
) -> AsyncIterator[Configure]:
    """Changes the server's configuration until the end of the test."""
    usual: dict[str, Any] = {}

    async def change(name: str, value: str) -> None:
        usual.setdefault(name, (await redis.config_get(name))[name])
        await redis.config_set(name, value)

    async def rewritten() -> bool:
        about: Any = await redis.info("persistence")
        return not (about["aof_rewrite_in_progress"] or about["aof_rewrite_scheduled"])

    yield change
    for name, value in usual.items():
        await redis.config_set(name, value)
    await until(rewritten)


async def test_a_server_that_writes_every_reply_needs_nothing_more(redis: Redis) -> None:
    assert await inspect(redis, replicas=0, allow_weak=False) == Durability()
    assert await inspect(redis, replicas=2, allow_weak=False) == Durability(replicas=2)


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
@pytest.mark.parametrize("allow_weak", [False, True])
async def test_a_server_that_may_evict_money_is_refused(
    policy: str, allow_weak: bool, redis: Redis, configure: Configure
) -> None:
    await configure("maxmemory-policy", policy)

    with pytest.raises(RedisUnfit, match=f"maxmemory-policy {policy}"):
        await inspect(redis, replicas=0, allow_weak=allow_weak)


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-lfu", "volatile-ttl", "noeviction"])
async def test_a_server_that_evicts_only_what_expires_is_fine(
    policy: str, redis: Redis, configure: Configure
) -> None:
    await configure("maxmemory-policy", policy)

    assert await inspect(redis, replicas=0, allow_weak=False) == Durability()


async def test_a_server_without_an_append_only_file_is_refused_unless_that_is_accepted(
    redis: Redis, configure: Configure
) -> None:
    await configure("appendonly", "no")

    with pytest.raises(RedisUnfit, match="appendonly"):
        await inspect(redis, replicas=0, allow_weak=False)
    assert await inspect(redis, replicas=1, allow_weak=True) == Durability(replicas=1, weak=True)


@ONLY_REDIS_7_0
@pytest.mark.parametrize("fsync", ["everysec", "no"])
async def test_a_server_that_may_lose_a_second_and_cannot_say_when_is_refused_unless_accepted(
    fsync: str, redis: Redis, configure: Configure
) -> None:
    await configure("appendfsync", fsync)

    with pytest.raises(RedisUnfit, match="WAITAOF"):
        await inspect(redis, replicas=0, allow_weak=False)
    assert await inspect(redis, replicas=0, allow_weak=True) == Durability(weak=True)


@ONLY_VALKEY
@pytest.mark.parametrize("allow_weak", [False, True])
async def test_a_server_that_can_say_when_it_has_written_is_asked_to(
    allow_weak: bool, redis: Redis, configure: Configure
) -> None:
    await configure("appendfsync", "everysec")

    assert await inspect(redis, replicas=0, allow_weak=allow_weak) == Durability(fsync=True)


@ONLY_VALKEY
async def test_a_server_that_hides_its_configuration_is_not_taken_at_its_word(
    redis: Redis, url: str
) -> None:
    rights: dict[str, Any] = {"categories": ["+@all"], "commands": ["-config"], "keys": ["*"]}
    await redis.acl_setuser("tenant", enabled=True, nopass=True, **rights)
    async with connect(url.replace("://", "://tenant:x@")) as tenant:
        assert await tenant.acl_whoami() == "tenant"
        assert await inspect(tenant, replicas=0, allow_weak=False) == Durability(fsync=True)
    await redis.acl_deluser("tenant")


@ONLY_REDIS_7_0
async def test_a_server_that_refuses_to_show_its_configuration_is_not_called_weak(
    redis: Redis, url: str
) -> None:
    rights: dict[str, Any] = {"categories": ["+@all"], "commands": ["-config"], "keys": ["*"]}
    await redis.acl_setuser("tenant", enabled=True, nopass=True, **rights)
    async with connect(url.replace("://", "://tenant:x@")) as tenant:
        with pytest.raises(RedisUnfit, match="CONFIG GET") as refused:
            await inspect(tenant, replicas=0, allow_weak=False)
        assert "no permissions" in str(refused.value)
        assert await inspect(tenant, replicas=0, allow_weak=True) == Durability(weak=True)
    await redis.acl_deluser("tenant")


@ONLY_REDIS_7_0
async def test_a_wrong_password_is_named_as_such_and_not_shown(redis: Redis, url: str) -> None:
    rights: dict[str, Any] = {"categories": ["+@all"], "keys": ["*"]}
    await redis.acl_setuser("tenant", enabled=True, passwords=["+right"], **rights)
    async with connect(url.replace("://", "://tenant:hunter2@")) as tenant:
        with pytest.raises(RedisUnfit, match="user or password of FALGATE_REDIS_URL") as refused:
            await inspect(tenant, replicas=0, allow_weak=False)
        assert url.removeprefix("unix://") in str(refused.value)
        assert "hunter2" not in str(refused.value)
    await redis.acl_deluser("tenant")


@ONLY_REDIS_7_0
async def test_what_a_user_may_not_ask_is_named(redis: Redis, url: str) -> None:
    rights: dict[str, Any] = {"categories": ["+@all"], "commands": ["-info"], "keys": ["*"]}
    await redis.acl_setuser("tenant", enabled=True, nopass=True, **rights)
    async with connect(url.replace("://", "://tenant:x@")) as tenant:
        with pytest.raises(RedisUnfit, match=r"forbids what falgate needs.*info"):
            await inspect(tenant, replicas=0, allow_weak=False)
    await redis.acl_deluser("tenant")


UNREADABLE = {
    "hash": "redis://:pa#ss@127.0.0.1:6379/0",
    "hash behind": "redis://127.0.0.1:6379/0#x",
    "slash": "redis://:pa/ss@127.0.0.1:6379/0",
    "question mark": "redis://:pa?ss@127.0.0.1:6379/0",
    "port": "redis://127.0.0.1:port",
    "question mark behind digits": "redis://user:12?pa=ss@127.0.0.1:6379/0",
    "slash behind digits": "redis://user:12/pa=ss@127.0.0.1:6379/0",
}


@pytest.mark.parametrize("url", UNREADABLE.values(), ids=UNREADABLE)
async def test_a_password_with_signs_of_an_address_is_to_be_spelt_otherwise(url: str) -> None:
    with pytest.raises(RedisUnfit, match="write %23 for #") as refused:
        connect(url)

    assert "ss@" not in str(refused.value)


async def test_a_password_spelt_so_is_the_one_that_is_meant() -> None:
    async with connect("redis://:pa%23s%2Fs%3F@127.0.0.1:6379/0") as client:
        assert client.connection_pool.connection_kwargs["password"] == "pa#s/s?"


UNUSABLE = {
    "an unknown name": ("redis://:pass@h/0?bogus=1", "'bogus' after the ? is unknown"),
    "a name that breaks replies": (
        "redis://:pass@h/0?decode_responses=false",
        "'decode_responses'",
    ),
    "a name that is none": ("redis://:pass@h/0?pa%0ass=1", "a name after the ? is unknown"),
    "TLS without TLS": ("redis://:pass@h/0?ssl_cert_reqs=none", "ssl_cert_reqs is for rediss://"),
    "TLS for a socket": ("unix:///s?ssl_cert_reqs=none", "ssl_cert_reqs is for rediss://"),
    "keepalive for a socket": ("unix:///s?socket_keepalive=1", "socket_keepalive"),
    "a value that is none": ("redis://:pass@h/0?socket_timeout=soon", "'socket_timeout'"),
    "no connections": ("redis://:pass@h/0?max_connections=-1", "max_connections"),
    "a kind of check that is none": ("rediss://:pass@h/0?ssl_cert_reqs=perhaps", "perhaps"),
    "a cipher that is none": ("rediss://:pass@h/0?ssl_ciphers=none", "cipher"),
    "an authority that is not there": ("rediss://:pass@h/0?ssl_ca_certs=/nowhere", "No such file"),
    "a database that is no number": ("redis://:pass@h/abc", "the number of a database"),
    "two databases": ("redis://:pass@h/0/1", "the number of a database"),
    "a database below the first": ("redis://:pass@h/-1", "the number of a database"),
    "a database in the query that is no number": ("redis://:pass@h?db=abc", "'db'"),
    "no socket": ("unix://", "the path of a socket"),
}


@pytest.mark.parametrize(("url", "said"), UNUSABLE.values(), ids=UNUSABLE)
async def test_what_nobody_can_connect_by_is_one_sentence_without_the_password(
    url: str, said: str
) -> None:
    with pytest.raises(RedisUnfit, match=r"^FALGATE_REDIS_URL") as refused:
        connect(url)

    assert said in str(refused.value)
    assert "pass@" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://h/",
        "redis://h:1/7?client_name=falgate&socket_timeout=1.5",
        "redis://h?db=3",
        "rediss://h/0?ssl_cert_reqs=none&ssl_check_hostname=false",
        "unix:///run/redis.sock?db=2",
        "unix://user:secret@/run/redis.sock",
    ],
)
async def test_what_somebody_can_connect_by_is_taken(url: str) -> None:
    async with connect(url) as client:
        assert client.connection_pool.connection_kwargs["decode_responses"] is True


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "", "redis-sentinel://x"])
async def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(RedisUnfit, match="FALGATE_REDIS_URL"):
        connect(url)


@ONLY_VALKEY
async def test_a_mark_waits_until_the_disk_has_it(
    redis: Redis,
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    configure: Configure,
) -> None:
    job = await bring(order(), "reserved")
    await configure("appendfsync", "everysec")
    jobs = jobs_of("one", durability=await inspect(redis, replicas=0, allow_weak=False))

    await jobs.mark(job)

    marked = await jobs.read("a")
    assert marked is not None
    assert marked.state == "submitting"


@ONLY_VALKEY
async def test_a_mark_that_the_disk_does_not_get_in_time_is_not_durable(
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = await bring(order(), "reserved")
    await configure("appendfsync", "no")
    monkeypatch.setattr("falgate.jobs.store.jobs._BARRIER_MS", 20)

    with pytest.raises(NotDurable):
        await jobs_of("one", durability=Durability(fsync=True)).mark(job)


async def test_a_mark_without_its_replicas_is_not_durable_and_the_hold_is_released(
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    money: Callable[[], Awaitable[tuple[int, int, int]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = await bring(order(), "reserved")
    monkeypatch.setattr("falgate.jobs.store.jobs._BARRIER_MS", 20)
    jobs = jobs_of("one", durability=Durability(replicas=1))

    with pytest.raises(NotDurable):
        await jobs.mark(job)

    marked = await jobs.read("a")
    assert marked is not None
    await jobs.settle(marked, Settlement(state="released", charge=0))
    assert await money() == (0, 0, 0)


async def test_a_fenced_mark_is_fenced_whatever_it_would_have_waited_for(
    jobs_of: Callable[..., Jobs],
    order: Callable[..., Order],
    bring: Callable[..., Awaitable[Job]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = await bring(order(), "accepted")
    monkeypatch.setattr("falgate.jobs.store.jobs._BARRIER_MS", 20)

    with pytest.raises(Fenced):
        await jobs_of("one", durability=Durability(replicas=1)).mark(job)
