"""The ledger by REST: filters, pages of bounded work, and CSV for a spreadsheet."""

import csv
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from redis import Redis as SyncRedis

from falgate.money.entry_shown import COLUMNS
from falgate.money.reports import LOOKED_MAX
from falgate.redis import keyspace

LEDGER = keyspace.ledger("sandbox")
AT_MS = 1_763_820_000_000
CLOSE = {
    "kind": "close", "outcome": "paid", "windows": "day:2025-11-22 total:all", "team": "web",
    "app": "shop", "key": "k1", "charged_model": "m/a", "model": "m/a", "held": "36000",
    "billed": "34000", "overrun": "0", "list": "34000", "asked": "1", "bought": "1",
}  # fmt: skip
Post = Callable[..., None]


@pytest.fixture
def post(redis: SyncRedis) -> Post:
    """Writes closing entries, a millisecond apart."""
    written = 0

    def write(number: int = 1, **changes: str) -> None:
        nonlocal written
        with redis.pipeline(transaction=False) as pipeline:
            for _ in range(number):
                fields: dict[Any, Any] = {"job": f"j{written}", **CLOSE, **changes}
                pipeline.xadd(LEDGER, fields, id=f"{AT_MS + written}-0")
                written += 1
            pipeline.execute()

    return write


def jobs(client: httpx.Client, **query: Any) -> list[str]:
    found = client.get("/ledger", params=query).json()
    return [each.get("job", "") for each in found["items"]]


def test_entries_are_filtered_by_model_pictures_and_what_is_compared(
    post: Post, client: httpx.Client, redis: SyncRedis
) -> None:
    post()
    post(model="m/b", charged_model="m/b")
    post(bought="0", outcome="refused")
    post(bought="0", outcome="released", billed="0")
    post(kind="correction", without_pictures="-5", job="j2")
    post(kind="correction", job="j0", without_pictures="0")
    redis.hset(keyspace.corrected("sandbox"), mapping={"j0": "34000:0", "j2": "5:0"})

    assert jobs(client, model="m/b") == ["j1"]
    assert jobs(client, pictures="none") == ["j2", "j2"]
    assert jobs(client, reconciled="yes") == ["j2", "j0"]
    assert jobs(client, reconciled="no", order="oldest") == ["j1", "j3"]
    shown = client.get("/ledger").json()["items"]
    assert [each.get("reconciled") for each in shown] == [None, None, "no", "yes", "no", "yes"]


@pytest.mark.parametrize("wanted", [{"key": "rare"}, {"pictures": "none"}])
def test_a_page_looks_at_a_bounded_number_of_entries_and_says_how_far(
    wanted: dict[str, str], post: Post, client: httpx.Client
) -> None:
    post(key="rare", bought="0")
    post(LOOKED_MAX + 10)

    first = client.get("/ledger", params=wanted).json()
    assert (first["items"], first["looked_to"]) == ([], "2025-11-22T14:00:00+00:00")
    more = client.get("/ledger", params={**wanted, "cursor": first["next_cursor"]}).json()

    assert [each["key"] for each in more["items"]] == ["rare"]
    assert (more["next_cursor"], more["looked_to"]) == (None, None)


def test_a_job_and_a_day_are_found_without_looking_through_the_ledger(
    post: Post, client: httpx.Client, redis: SyncRedis
) -> None:
    post(LOOKED_MAX // 2)
    post(job="wanted")
    post(LOOKED_MAX + 10)
    assert jobs(client, job="wanted") == []
    at_ms = AT_MS + LOOKED_MAX // 2
    redis.hset(keyspace.job("wanted"), mapping={"began_ms": at_ms - 1, "order": "{}"})
    redis.zadd(keyspace.ended_jobs("sandbox"), {"wanted": at_ms + 1})

    assert jobs(client, job="wanted") == ["wanted"]
    assert jobs(client, **{"from": "2025-11-23"}) == []
    assert jobs(client, job="wanted", to="2025-11-21") == []


def test_a_correction_is_found_long_after_its_job_ended(
    post: Post, client: httpx.Client, redis: SyncRedis
) -> None:
    post(job="wanted")
    post(20)
    post(kind="correction", job="wanted")
    redis.hset(keyspace.job("wanted"), mapping={"began_ms": AT_MS - 1, "order": "{}"})
    redis.zadd(keyspace.ended_jobs("sandbox"), {"wanted": AT_MS + 1})
    redis.hset(keyspace.corrected("sandbox"), "wanted", "1:0")

    assert jobs(client, job="wanted") == ["wanted", "wanted"]


def test_csv_has_all_entries_oldest_first_and_no_formula(post: Post, client: httpx.Client) -> None:
    post(260)
    post(kind="correction", billed="-5", overrun="-1", why="=HYPERLINK(1)")
    post(team="ops", why=' @x, "quoted"')

    reply = client.get("/ledger.csv")

    assert reply.headers["content-type"].startswith("text/csv")
    assert "ledger.csv" in reply.headers["content-disposition"]
    rows = list(csv.DictReader(reply.text.splitlines()))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["job"] for row in rows] == [f"j{each}" for each in range(262)]
    assert (rows[260]["booked_usd"], rows[260]["why"]) == ("-0.000005", "'=HYPERLINK(1)")
    assert rows[261]["why"] == '\' @x, "quoted"'
    assert (rows[0]["reconciled"], rows[260]["reconciled"]) == ("no", "")
    ops = client.get("/ledger.csv", params={"team": "ops"}).text.splitlines()
    assert (len(ops), "j261" in ops[1]) == (2, True)


def test_csv_of_nothing_is_a_header_and_a_wrong_filter_is_a_problem(client: httpx.Client) -> None:
    assert client.get("/ledger.csv").text == ",".join(COLUMNS) + "\n"
    refused = client.get("/ledger.csv", params={"from": "1026-01-01"})
    assert (refused.status_code, refused.headers["content-type"]) == (
        400, "application/problem+json"
    )  # fmt: skip
    assert client.get("/ledger.csv", params={"kind": "gift"}).status_code == 400
