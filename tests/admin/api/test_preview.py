"""What a change would do is told before it is made, and nothing is written for that."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from redis import Redis

Shop = Callable[..., dict[str, Any]]
ASKED = {"preview": "true"}


def everything(redis_url: str) -> dict[bytes, Any]:
    """All keys of Redis with their values."""
    with Redis.from_url(redis_url) as redis:
        return {key: redis.dump(key) for key in redis.scan_iter(count=1_000)}


@pytest.fixture
def stocked(client: httpx.Client, shop: Shop) -> str:
    """Something of everything; the key's id."""
    key: str = shop(name="storefront")["record"]["id"]
    for method, path, body in (
        ("PUT", "/budgets/organisation/day", {"limit_usd": "50"}),
        ("PUT", "/budgets/team:web/day", {"limit_usd": "10", "alerts": [80]}),
        ("POST", "/teams", {"name": "spare"}),
        ("POST", "/teams/web/apps", {"name": "spare"}),
        ("PUT", "/aliases/acme:image", {"target": "openai/gpt-image-2"}),
        ("PUT", "/stops/team:spare", {"why": "holidays"}),
    ):
        client.request(method, path, json=body).raise_for_status()
    client.get("/budgets").raise_for_status()  # the first list makes the index of budgets
    return key


CHANGES: list[tuple[str, str, Any, str, bool]] = [
    ("POST", "/teams", {"name": "art"}, "Team art is made.", False),
    ("PATCH", "/teams/web", {"weight": 3}, "becomes 3; it was 1.", False),
    ("DELETE", "/teams/spare", None, "Team spare is removed, with its settings.", True),
    ("POST", "/teams/web/apps", {"name": "blog"}, "App web/blog is made.", False),
    (
        "PATCH",
        "/teams/web/apps/shop",
        {"cache": {"scope": "team"}},
        "The sharing of pictures of app web/shop becomes the team's apps; it was the whole",
        False,
    ),
    ("DELETE", "/teams/web/apps/spare", None, "App web/spare is removed", True),
    (
        "POST",
        "/keys",
        {"team": "web", "app": "shop", "name": "new"},
        "A live key of web/shop is made, which buys from the sandbox with play money; it is",
        False,
    ),
    ("PATCH", "/keys/KEY", {"disabled": True}, "is disabled: requests with it get 403", False),
    ("POST", "/keys/KEY/rotate", {}, "gets a new secret, which is shown once.", True),
    ("POST", "/keys/KEY/revoke", None, "stops working for ever", True),
    (
        "PATCH",
        "/limits/app:web:shop",
        {"requests_per_second": 5},
        "The limit on requests per second of app web/shop becomes 5; it was no limit.",
        False,
    ),
    ("PATCH", "/limits/model:openai:gpt-image-2", {"generations_at_once": 2}, "becomes 2", False),
    (
        "POST",
        "/budgets",
        {"account": "app:web/shop", "window": "day", "limit_usd": "5"},
        "The day budget of app web/shop is $5.00 from now on.",
        False,
    ),
    (
        "PUT",
        "/budgets/team:web/day",
        {"limit_usd": "0"},
        "so that it refuses every purchase.",
        False,
    ),
    (
        "POST",
        "/budgets/team:web/day/raise",
        {"amount_usd": "2.50", "why": "campaign"},
        "The day budget of team web becomes $12.50 for this day only; it is $10.00.",
        False,
    ),
    ("DELETE", "/budgets/team:web/day", None, "is removed: its spending is counted, but", False),
    ("PUT", "/overage", {"limit_usd": "7"}, "The overage limit becomes $7.00", False),
    (
        "PUT",
        "/aliases/acme:other",
        {"target": "openai/gpt-image-2"},
        "Apps that call acme/other get openai/gpt-image-2 from now on.",
        False,
    ),
    ("DELETE", "/aliases/acme:image", None, "Apps that call acme/image get 404", False),
    (
        "PATCH",
        "/models/openai:gpt-image-2",
        {"retires": "2031-01-01"},
        "Nothing of openai/gpt-image-2 is bought from 2031-01-01 (UTC) on.",
        False,
    ),
    ("PUT", "/stops/team:web", {"why": "a leak"}, "Nothing more is bought for team web", False),
    ("DELETE", "/stops/team:spare", None, "Purchases for team spare go on", False),
    (
        "POST",
        "/config/apply",
        {"file": "[team.art]\nweight = 2\n"},
        "Its weight among teams that wait for a turn is 2.",
        False,
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence", "final"),
    CHANGES,
    ids=[f"{each[0]} {each[1]}" for each in CHANGES],
)
def test_a_preview_says_what_a_change_would_do_and_writes_nothing(
    client: httpx.Client,
    redis_url: str,
    stocked: str,
    *,
    method: str,
    path: str,
    body: Any,
    sentence: str,
    final: bool,
) -> None:
    before = everything(redis_url)
    asked = {"method": method, "url": path.replace("KEY", stocked), "json": body}

    reply = client.request(**asked, params=ASKED)

    assert reply.status_code == 200, reply.text
    preview = reply.json()
    assert sentence in " ".join(preview["says"]), preview
    assert preview["final"] == final
    assert preview["changes"]
    assert "digest" not in reply.text
    assert everything(redis_url) == before
    assert client.request(**asked).is_success
    assert everything(redis_url) != before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/teams", {"name": "web"}),
        ("POST", "/teams", {"name": "-"}),
        ("PATCH", "/teams/none", {"weight": 2}),
        ("PATCH", "/teams/web", {"weight": 0}),
        ("DELETE", "/teams/web", None),
        ("DELETE", "/teams/web/apps/shop", None),
        ("POST", "/keys", {"team": "web", "app": "none"}),
        ("PATCH", "/keys/KEY", {"permissions": {"models": ["none"]}}),
        ("PATCH", "/limits/organisation", {"requests_per_second": 2}),
        ("POST", "/budgets", {"account": "team:web", "window": "day", "limit_usd": "5"}),
        ("DELETE", "/budgets/organisation/day", None),
        ("POST", "/budgets/team:web/week/raise", {"amount_usd": "1"}),
        ("POST", "/budgets/team:web/day/raise", {"amount_usd": "0"}),
        ("PUT", "/aliases/acme:image", {"target": "none"}),
        ("DELETE", "/stops/team:web", None),
        ("POST", "/config/apply", {"file": "[team.web"}),
    ],
)
def test_a_preview_is_refused_in_the_words_of_the_change(
    client: httpx.Client, stocked: str, method: str, path: str, body: Any
) -> None:
    asked = {"method": method, "url": path.replace("KEY", stocked), "json": body}

    refused = client.request(**asked, params=ASKED)

    assert refused.status_code in {400, 404, 409}
    assert refused.json() == client.request(**asked).json()


@pytest.mark.usefixtures("stocked")
def test_what_changes_nothing_has_an_empty_preview(client: httpx.Client) -> None:
    preview = client.patch("/teams/web", json={"weight": 1}, params=ASKED).json()

    assert preview == {"changes": [], "says": [], "final": False}


@pytest.mark.usefixtures("stocked")
def test_a_diff_has_the_record_before_and_after(client: httpx.Client) -> None:
    asked = {"limit_usd": "12"}
    preview = client.put("/budgets/team:web/day", json=asked, params=ASKED).json()

    (change,) = preview["changes"]
    assert (change["action"], change["subject"]) == ("budget", "team:web")
    assert [change[when]["budget"]["limit_usd"] for when in ("before", "after")] == [
        "10.00",
        "12.00",
    ]
