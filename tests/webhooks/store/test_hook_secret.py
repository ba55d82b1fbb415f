"""The ledger's secrets: one of each kind, whoever asks first."""

import asyncio

from redis.asyncio import Redis

from falgate.webhooks.delivery import Signer
from falgate.webhooks.store.secrets import secret, webhook_signer


async def test_a_ledger_has_one_secret(redis: Redis) -> None:
    first, *others = await asyncio.gather(*(secret(redis, "hook_secret") for _ in range(5)))

    assert others == [first] * 4
    assert len(first) == 32
    assert first == await secret(redis, "hook_secret")


async def test_another_ledger_has_another(redis: Redis) -> None:
    first = await secret(redis, "hook_secret")
    await redis.flushall()

    assert await secret(redis, "hook_secret") != first


async def test_every_instance_signs_with_the_ledger_s_one_key(redis: Redis, ledger_id: str) -> None:
    first, *others = await asyncio.gather(*(webhook_signer(redis) for _ in range(5)))

    assert [each.key_set() for each in others] == [first.key_set()] * 4
    headers = first.headers("r", b"{}", 1)
    assert headers["X-Fal-Webhook-User-Id"] == ledger_id
    assert others[0].headers("r", b"{}", 1) == headers


async def test_the_key_is_not_the_secret_of_the_addresses(redis: Redis, ledger_id: str) -> None:
    assert ledger_id
    signed = Signer(await secret(redis, "hook_secret"), ledger_id)

    assert (await webhook_signer(redis)).key_set() != signed.key_set()
