"""Every refusal over HTTP: its status, its body in fal's form, and the headers that go with it."""

import json
import re
import string
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import msgspec
import pytest
from patience import PATIENCE_S

from falgate.accounts import apikey
from falgate.accounts.store.registry import Registry
from falgate.cli.keys import mint

MODEL = "/fal-ai/gpt-image-1.5"
BODY = {"prompt": "x", "quality": "low", "output_format": "jpeg"}
UNKNOWN = {"detail": "No user found for Key ID and Secret"}
MALFORMED = {"detail": "Invalid Key Authorization header format. Expected 'Key fg_...'."}

Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
def poor(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway that can pay for one picture a day, and not for three."""
    with serve(tmp_path_factory.mktemp("poor"), org_daily_usd="0.03") as served:
        yield served


def is_refusal(answer: httpx.Response, status: int, body: Any) -> bool:
    """Whether it says that, as JSON, with a request id, and nothing of an answer with pictures."""
    assert (answer.status_code, answer.json()) == (status, body)
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-fal-request-id"])
    return not any(name.startswith("x-falgate-c") for name in answer.headers)


@pytest.mark.parametrize("authorization", ["", "Key", "Basic eDp5", "fg_live_x"])
async def test_a_header_that_is_not_of_fals_form_is_told_the_form(
    ask: Ask, authorization: str
) -> None:
    answer = await ask(headers={"Authorization": authorization})

    assert is_refusal(answer, 401, MALFORMED)


async def test_no_header_is_a_malformed_one(gateway: Any) -> None:
    async with httpx.AsyncClient(
        base_url=gateway.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        answer = await stranger.post(MODEL, json=BODY)

    assert is_refusal(answer, 401, MALFORMED)


def misspelt(key: str) -> str:
    """The key with the first character of its secret changed."""
    start, secret = key[:-50], key[-50:]
    other = next(c for c in string.ascii_letters if c != secret[0])
    return start + other + secret[1:]


def resealed(key: str) -> str:
    """The key's kind and id with another secret and a right checksum."""
    presented = apikey.present(key)
    assert presented is not None
    number = 0
    digits = string.digits + string.ascii_letters
    for character in presented.id:
        number = number * 62 + digits.index(character)
    return apikey.mint("live", number.to_bytes(8, "big"), bytes(32))


async def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(ask: Ask, gateway: Any) -> None:
    keys = {
        "fal's own": "0123-4567:89ab",
        "no key": "rubbish",
        "bad checksum": misspelt(gateway.key),
        "nobody's": mint("live"),
        "wrong secret": resealed(gateway.key),
        "another kind": gateway.key.replace("fg_live_", "fg_test_"),
        "the operator's": gateway.admin_key,
        "not ASCII": "fg_live_\u0663",
        "a pattern": "fg_live_*_*_*",
    }
    answers = {
        name: await ask(headers={"Authorization": f"Key {key}".encode()})
        for name, key in keys.items()
    }

    for name, answer in answers.items():
        assert is_refusal(answer, 401, UNKNOWN), name
    shapes = {tuple(sorted(set(answer.headers) - {"date"})) for answer in answers.values()}
    assert len(shapes) == 1


async def test_a_key_with_a_bad_checksum_is_not_even_looked_up(ask: Ask, gateway: Any) -> None:
    redis = gateway.redis()
    nobody = mint("live")
    id_ = nobody.split("_")[2]
    looked_up: list[str] = []
    try:
        async with redis.monitor() as monitor:
            assert (await ask(headers={"Authorization": f"Key {misspelt(nobody)}"})).is_error
            assert (await ask(headers={"Authorization": f"Key {misspelt(gateway.key)}"})).is_error
            assert (await ask(headers={"Authorization": f"Key {nobody}"})).is_error
            while not any(id_ in command for command in looked_up):
                command = (await monitor.next_command())["command"]
                if "apikey" in command:
                    looked_up.append(command)
    finally:
        await redis.aclose()

    assert len(looked_up) == 1, "only the key that is well-formed costs a look-up"


async def test_a_revoked_key_is_refused_at_once(ask: Ask, gateway: Any) -> None:
    key = await gateway.issue()
    headers = {"Authorization": f"Key {key}"}
    assert (await ask(headers=headers)).status_code == 200
    redis = gateway.redis()
    try:
        presented = apikey.present(key)
        assert presented is not None
        registry = Registry(redis)
        record, now_s, _ = await registry.key(presented.id)
        assert record is not None
        revoked = msgspec.structs.replace(record, revoked_s=now_s)
        assert await registry.put_key(record, revoked, "tests")
    finally:
        await redis.aclose()
    body = {"detail": "This key is revoked. Ask whoever runs falgate for another one."}

    assert is_refusal(await ask(headers=headers), 403, body)
    headers["Authorization"] = f"Key {resealed(key)}"
    assert is_refusal(await ask(headers=headers), 401, UNKNOWN)


async def test_a_spent_budget_is_told_in_full_and_a_hit_still_served(poor: Any) -> None:
    async with poor.client() as client:
        bought = await client.post(MODEL, json=BODY)
        refused = await client.post(MODEL, json={**BODY, "num_images": 2})
        again = await client.post(MODEL, json=BODY)

    left = bought.headers["x-falgate-budget-remaining-usd"]
    assert refused.status_code == 402
    detail = refused.json()["detail"]
    assert is_refusal(refused, 402, {"detail": detail, "error_type": "budget_exceeded"})
    assert refused.headers["x-fal-error-type"] == "budget_exceeded"
    assert refused.headers["x-falgate-budget-remaining-usd"] == left == "0.018995"
    assert re.fullmatch(
        r"The day budget of the organisation cannot pay for this: limit \$0\.03, spent "
        r"\$0\.011005, held \$0\.00, needed \$0\.019005\. It resets at .*\d{4}-.*\.",
        detail,
    ), detail
    assert again.headers["x-falgate-cache"] == "hit"


@pytest.mark.parametrize("prefix", ["", "/run"])
async def test_an_unknown_model_is_named_by_its_alias(
    client: httpx.AsyncClient, prefix: str
) -> None:
    answer = await client.post(f"{prefix}/fal-ai/flux/schnell", json=BODY)

    assert is_refusal(answer, 404, {"detail": 'Application "flux/schnell" not found'})


async def test_who_has_no_key_does_not_learn_which_models_there_are(ask: Ask) -> None:
    known, unknown = [
        await ask(path, headers={"Authorization": ""}) for path in (MODEL, "/fal-ai/flux")
    ]

    assert known.content == unknown.content
    assert known.status_code == unknown.status_code == 401


async def test_a_problem_with_the_input_is_fals_list_and_costs_nothing(ask: Ask) -> None:
    answer = await ask(num_images=5, quality="best")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-fal-billable-units"] == "0"
    assert [(each["loc"], each["type"]) for each in answer.json()["detail"]] == [
        (["body", "quality"], "literal_error"),
        (["body", "num_images"], "less_than_equal"),
    ]


async def test_an_error_that_nobody_foresaw_tells_nothing(ask: Ask, gateway: Any) -> None:
    key = await gateway.issue()
    presented = apikey.present(key)
    assert presented is not None
    kept_at = f"{{fg}}:apikey:{presented.id}"
    redis = gateway.redis()
    try:
        kept = json.loads(await redis.hget(kept_at, "record") or "")
        broken = json.dumps({**kept, "kind": "the secret of the day"})
        await redis.hset(kept_at, "record", broken)
        answer = await ask(headers={"Authorization": f"Key {key}"})
        await redis.hdel(kept_at, "record")
    finally:
        await redis.aclose()

    assert is_refusal(answer, 500, {"detail": "Internal Server Error"})
    (line,) = [each for each in gateway.logged().splitlines() if "request.failed" in each]
    assert answer.headers["x-fal-request-id"] in line
    assert "ValidationError" in line
    assert "tracked_keys.py" in line
    assert "the secret of the day" not in gateway.logged()
