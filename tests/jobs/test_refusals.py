"""Why a caller gets no pictures, in words that say what to do."""

from datetime import UTC
from typing import Any

import pytest

from falgate.accounts.limits import Exceeded
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Calendar, Window
from falgate.fal.replies import FalAnswer
from falgate.jobs.job import Job, Order
from falgate.jobs.refusals import of_ending, of_verdict
from falgate.jobs.verdicts import (
    Denied,
    Held,
    Joined,
    LedgerMismatch,
    NoBudget,
    OtherCalendar,
    OverageFull,
    PoolChanged,
)
from falgate.money.frozen import Frozen
from falgate.money.stop import Stop, Stopped

ORDER = Order(
    id="1",
    upstream="fal",
    endpoint="acme/easel",
    fingerprint="f",
    generation=0,
    team="t",
    app="a",
    key="k",
    asked=1,
    reused=0,
    number=1,
    held=107_000,
    listed=100_000,
    price_version="1",
    input={"prompt": "a secret cat"},
    recorded={},
)
DAY = Window("day", "1970-01-01", 0, 86_400_000)


def job(state: Any, status: int = 0, **more: Any) -> Job:
    answer = FalAnswer(status, {"detail": "The dog ate it"}, {"x-fal-needs-retry": "0"})
    return Job(
        order=ORDER,
        accounts=(),
        state=state,
        owner="one",
        epoch=1,
        windows=(),
        began_ms=0,
        answer=answer if status else None,
        **more,
    )


VERDICTS: dict[str, tuple[Any, int, str]] = {
    "denied": (
        Denied(ORGANISATION, DAY, 500_000, 400_000, 50_000),
        402,
        (
            "The day budget of the organisation cannot pay for this: limit $0.50, spent $0.40, "
            "held $0.05, needed $0.107. It resets at 1970-01-02T00:00:00+00:00."
        ),
    ),
    "a team's": (
        Denied(Account("team", "web"), DAY, 0, 0, 0),
        402,
        (
            "The day budget of team:web cannot pay for this: limit $0.00, spent $0.00, "
            "held $0.00, needed $0.107. It resets at 1970-01-02T00:00:00+00:00."
        ),
    ),
    "too many": (
        Exceeded("app:web/shop", "generations_per_minute", 5, 1_001),
        429,
        "app:web/shop is limited to 5 purchases per minute",
    ),
    "frozen": (
        Frozen(),
        503,
        (
            "Redis may have lost its last second; purchases are stopped until an operator runs "
            "`falgate ledger recover`"
        ),
    ),
    "frozen counters": (
        Frozen("counters"),
        503,
        (
            "Counters of the ledger differ from its entries after a restart of Redis; purchases "
            "are stopped until an operator runs `falgate ledger recover`"
        ),
    ),
    "another calendar": (
        OtherCalendar("UTC/sunday"),
        503,
        "The ledger's calendar is UTC/sunday, but falgate uses another one",
    ),
    "unlimited": (
        NoBudget(),
        402,
        "The organisation has no budget; without one, nothing can be bought",
    ),
    "overage": (
        OverageFull(1_000_000, 1_200_000),
        402,
        (
            "fal billed $1.20 more than was held, and the overage limit is $1.00; purchases are "
            "stopped until an operator raises it"
        ),
    ),
    "stopped": (
        Stopped(Account("app", "web/shop"), Stop(who="ann", stopped_s=1, why="a leak")),
        402,
        "An operator stopped purchases for app web/shop: a leak",
    ),
    "unborn": (
        LedgerMismatch(),
        503,
        "The ledger in Redis is not the one that falgate started with",
    ),
}


@pytest.mark.parametrize(("verdict", "status", "words"), VERDICTS.values(), ids=VERDICTS)
def test_a_verdict_says_what_stands_in_the_way(verdict: Any, status: int, words: str) -> None:
    refusal = of_verdict(verdict, ORDER, Calendar(UTC))

    assert (refusal.status, str(refusal)) == (status, words)


@pytest.mark.parametrize("verdict", [Held(), Joined("1"), PoolChanged(1, 1)])
def test_what_is_no_refusal_is_a_mistake_of_ours(verdict: Any) -> None:
    with pytest.raises(AssertionError):
        of_verdict(verdict, ORDER, Calendar(UTC))


ENDINGS: dict[str, tuple[Job, int, dict[str, str]]] = {
    "lost submit": (
        job("submitting", trouble="lost"),
        504,
        {"X-Fal-Request-Timeout-Type": "user"},
    ),
    "lost result": (
        job("accepted", trouble="lost"),
        504,
        {"X-Fal-Request-Timeout-Type": "user"},
    ),
    "unknown": (job("unknown"), 504, {"X-Fal-Request-Timeout-Type": "user"}),
    "given up": (job("finished"), 504, {"X-Fal-Request-Timeout-Type": "user"}),
    "fal's refusal": (job("refused", 422), 422, {"x-fal-needs-retry": "0"}),
    "fal's failure": (job("refused", 500), 500, {"x-fal-needs-retry": "0"}),
    "pace": (job("released", 429), 503, {"Retry-After": "5"}),
    "unsent": (job("released", 503), 503, {"Retry-After": "5"}),
    "our key": (job("released", 401), 500, {"X-Fal-Needs-Retry": "0"}),
    "forbidden": (job("released", 403), 500, {"X-Fal-Needs-Retry": "0"}),
    "no such model": (job("released", 404), 500, {"X-Fal-Needs-Retry": "0"}),
}


@pytest.mark.parametrize(("ended", "status", "headers"), ENDINGS.values(), ids=ENDINGS)
def test_an_ending_has_a_status_and_tames_retries(
    ended: Job, status: int, headers: dict[str, str]
) -> None:
    refusal = of_ending(ended)

    assert refusal.status == status
    assert headers.items() <= refusal.headers().items()
    assert "secret" not in f"{refusal!r} {refusal.body()}"


@pytest.mark.parametrize("name", ["lost submit", "lost result", "unknown"])
def test_who_may_have_bought_is_not_told_that_the_pictures_are_gone(name: str) -> None:
    assert "The outcome of this purchase is unknown" in str(of_ending(ENDINGS[name][0]))


def test_why_it_was_not_sent_is_said() -> None:
    assert str(of_ending(job("released", 503))) == "The dog ate it; nothing was bought"
    assert "dog" not in str(of_ending(job("released", 401)))
