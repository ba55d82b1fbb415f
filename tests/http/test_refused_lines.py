"""Who is refused, and by what: in the log line of a refusal, and as a metric of closed labels."""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.accounts.apikey import mint

Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]
Line = Callable[[httpx.Response], dict[str, Any]]


@pytest.fixture
def line(managed: Any) -> Line:
    """The log line of a refusal, by the answer's request id."""

    def find(answer: httpx.Response) -> dict[str, Any]:
        asked = answer.headers["x-fal-request-id"]
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:  # it is written once the answer is on its way
            lines = [each for each in managed.logged().splitlines() if asked in each]
            if lines and lines[0].endswith("}"):
                [found] = map(json.loads, lines)
                return dict(found)
        pytest.fail(f"no line of {asked}")

    return find


def whose(team: str, hired: Any) -> dict[str, Any]:
    """What a line says of a key that is known."""
    return {"team": team, "app": "app", "key": hired["record"]["id"]}


async def test_a_budget_s_refusal_names_key_and_budget(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient, team: str, line: Line
) -> None:
    hired = await hire()
    await admin.put(f"/budgets/team:{team}/day", json={"limit_usd": "0"})

    refused = await buy(hired["key"])

    assert refused.status_code == 402
    told = line(refused)
    assert told.items() >= whose(team, hired).items()
    assert (told["event"], told["route"], told["status"]) == ("request.refused", "run", 402)
    assert (told["reason"], told["error_type"]) == ("budget", "budget_exceeded")
    assert (told["budget"], told["window"]) == (f"team:{team}", "day")
    assert "cannot pay" not in json.dumps(told)


async def test_a_limit_s_refusal_names_the_limit(
    buy: Buy, hire: Hire, team: str, line: Line
) -> None:
    hired = await hire(limits={"generations_per_minute": 1})
    assert (await buy(hired["key"])).status_code == 200

    refused = await buy(hired["key"], num_images=2)

    told = line(refused)
    assert told.items() >= whose(team, hired).items()
    assert (told["reason"], told["error_type"]) == ("pace", "rate_limit_exceeded")
    assert told["limit"] == f"key:{hired['record']['id']} generations_per_minute"


async def test_a_key_that_may_not_be_used_is_named_and_one_that_nobody_has_is_not(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient, team: str, line: Line
) -> None:
    hired = await hire()
    await admin.patch(f"/keys/{hired['record']['id']}", json={"disabled": True})
    forged = mint("live", b"12345678", b"x" * 32)

    disabled, unknown = await buy(hired["key"]), await buy(forged)

    assert (disabled.status_code, unknown.status_code) == (403, 401)
    assert line(disabled).items() >= {**whose(team, hired), "reason": "key"}.items()
    nobody = {"team": None, "app": None, "key": None, "reason": "key", "error_type": None}
    assert line(unknown).items() >= nobody.items()


async def test_refusals_of_the_queue_and_of_quotes_name_the_key_too(
    buy: Buy, hire: Hire, team: str, line: Line
) -> None:
    hired = await hire(permissions={"qualities": ["high"]})

    for path in ("/queue/fal-ai/gpt-image-1.5", "/v1/quote/fal-ai/gpt-image-1.5"):
        refused = await buy(hired["key"], path)
        assert line(refused).items() >= {**whose(team, hired), "reason": "not_allowed"}.items()


async def test_refusals_are_counted_by_team_and_reason(
    buy: Buy, hire: Hire, managed: Any, team: str
) -> None:
    hired = await hire()
    for _ in range(2):
        assert (await buy(hired["key"], num_images=99)).status_code == 422

    async with managed.client() as client:
        metrics = (await client.get("/metrics")).text

    counted = [each for each in metrics.splitlines() if each.startswith("falgate_refusals_total")]
    mine = [each for each in counted if f'team="{team}"' in each and not each.endswith(" 0.0")]
    # Other tests of this gateway may have more teams than there are labels.
    assert mine == [f'falgate_refusals_total{{reason="input",team="{team}"}} 2.0'] or any(
        'team="other"' in each for each in counted
    )
