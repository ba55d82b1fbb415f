"""Jobs under way by REST."""

from typing import Any

import httpx
import msgspec
from redis import Redis as SyncRedis

from falgate.jobs.job import Order
from falgate.redis import keyspace

UPSTREAM = "sandbox"


def begin(redis: SyncRedis, job_id: str, state: str, began_ms: int, **changes: Any) -> None:
    order = Order(
        id=job_id, upstream=UPSTREAM, endpoint="m/a", fingerprint="f", generation=0, team="web",
        app="shop", key="k1", asked=2, reused=0, number=2, held=100, listed=90, price_version="1",
        input={}, recorded={},
    )  # fmt: skip
    order = msgspec.structs.replace(order, **changes)
    fields: dict[Any, Any] = {"order": msgspec.json.encode(order), "state": state}
    redis.hset(keyspace.job(job_id), mapping=fields | {"began_ms": began_ms})
    redis.zadd(keyspace.open_jobs(UPSTREAM), {job_id: began_ms + 60_000})


def test_jobs_under_way_are_told_by_step_the_oldest_first(
    client: httpx.Client, redis: SyncRedis
) -> None:
    begin(redis, "c", "accepted", 3_000)
    redis.hset(keyspace.job("c"), mapping={"request_id": "fal-c", "submitted_ms": 3_500,
                                           "trouble": "lost", "troubled_ms": 4_000})  # fmt: skip
    for job_id, state, began_ms in (("a", "reserved", 1_000), ("b", "reserved", 2_000)):
        begin(redis, job_id, state, began_ms)
    begin(redis, "d", "submitting", 4_000, team="ops")
    begin(redis, "e", "paid", 5_000)
    redis.zadd(keyspace.waiting(UPSTREAM), {"b:web": 1.0})
    redis.zadd(keyspace.slots(UPSTREAM), {"a:web": 1_000})

    found = client.get("/jobs").json()

    steps = {each["id"]: each["step"] for each in found["items"]}
    assert list(steps.items()) == [
        ("a", "starting"), ("b", "waiting"), ("c", "at_fal"), ("d", "sending"), ("e", "storing")
    ]  # fmt: skip
    assert (found["total"], found["complete"]) == (5, True)
    lost = found["items"][2]
    assert lost.pop("age_s") > 0
    assert lost == {
        "id": "c", "team": "web", "app": "shop", "key": "k1", "model": "m/a", "number": 2,
        "held_usd": "0.0001", "why": "miss", "step": "at_fal", "position": None,
        "request_id": "fal-c", "began_at": "1970-01-01T00:00:03.000+00:00",
        "submitted_at": "1970-01-01T00:00:03.500+00:00",
        "lease_until": "1970-01-01T00:01:03.000+00:00", "trouble": "lost",
        "troubled_at": "1970-01-01T00:00:04.000+00:00",
    }  # fmt: skip
    assert found["items"][1]["position"] == 0
    ops = client.get("/jobs", params={"team": "ops"}).json()
    assert ([each["id"] for each in ops["items"]], ops["total"]) == (["d"], 1)
    assert client.get("/jobs", params={"limit": 1}).json()["total"] == 5


def test_a_list_of_jobs_looks_at_a_bounded_number_of_them(
    client: httpx.Client, redis: SyncRedis, commands: Any
) -> None:
    for each in range(600):
        begin(redis, f"j{each:03}", "accepted", 1_000 + each)

    found = client.get("/jobs", params={"limit": 20}).json()

    assert (len(found["items"]), found["total"], found["complete"]) == (20, 500, False)
    assert commands(client, "/jobs", limit=20) < 520
