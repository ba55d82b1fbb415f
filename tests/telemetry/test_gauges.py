"""Where the money stands as gauges: every account, window and limit, as the ledger has them."""

from datetime import UTC
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from falgate.billing.closed_job import ReconcileReport
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import KINDS, Calendar
from falgate.money.budget import Budget, Position
from falgate.money.verification import VerificationResult
from falgate.pictures.catalogue import StoreSize
from falgate.telemetry.metrics import Metrics
from falgate.telemetry.standing import AccountStanding, UpstreamStanding
from falgate.telemetry.stored import Stored

WINDOWS = Calendar(UTC).windows(0)
TEAM = Account("team", "web")


def where(account: Account, *budgets: Budget | None, waiting: int = 0) -> AccountStanding:
    """An account with these budgets by the hour, the day and so on, and none beyond them."""
    rest = (None,) * (len(WINDOWS) - len(budgets))
    positions = [
        Position(account=account, window=window, budget=budget, raised=1, spent=5, held=7)
        for window, budget in zip(WINDOWS, (*budgets, *rest), strict=True)
    ]
    return AccountStanding(account=account, positions=positions, waiting=waiting)


def standing(*accounts: AccountStanding, upstream: str = "fal", **fields: Any) -> UpstreamStanding:
    plain: dict[str, Any] = {"overage": (100, 1), "open_jobs": 2, "frozen": False, "stops": {}}
    return UpstreamStanding(upstream=upstream, accounts=accounts, **{**plain, **fields})


def gauges(*standings: UpstreamStanding) -> dict[tuple[str, ...], float]:
    """Every sample, by its name and the values of its labels in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(Metrics().render(standings).decode())
        for sample in family.samples
    }


def test_every_window_of_an_account_is_shown_and_no_limit_is_no_sample() -> None:
    found = gauges(standing(where(ORGANISATION, None, Budget(limit=20))))

    for kind in KINDS:
        assert found["falgate_spent_usd", "main", "organisation", "fal", kind] == 5e-6
        assert found["falgate_held_usd", "main", "organisation", "fal", kind] == 7e-6
    limits = {labels[-1] for labels in found if labels[0] == "falgate_limit_usd"}
    left = {labels[-1] for labels in found if labels[0] == "falgate_remaining_usd"}
    assert limits == left == {"day"}


def test_a_limit_is_shown_with_what_it_was_raised_by_and_what_is_left() -> None:
    found = gauges(standing(where(TEAM, Budget(limit=20), Budget(limit=3, shadow=True))))

    assert found["falgate_limit_usd", "web", "team", "fal", "hour"] == 21e-6
    assert found["falgate_remaining_usd", "web", "team", "fal", "hour"] == (21 - 5 - 7) / 1e6
    assert found["falgate_limit_usd", "web", "team", "fal", "day"] == 4e-6
    assert found["falgate_remaining_usd", "web", "team", "fal", "day"] == 0


def test_each_account_stands_by_itself() -> None:
    found = gauges(
        standing(where(ORGANISATION, waiting=30), where(TEAM, waiting=10)),
        standing(where(TEAM), upstream="test"),
    )

    assert found["falgate_waiting_usd", "main", "organisation", "fal"] == 30e-6
    assert found["falgate_waiting_usd", "web", "team", "fal"] == 10e-6
    assert found["falgate_waiting_usd", "web", "team", "test"] == 0
    assert found["falgate_spent_usd", "web", "team", "test", "total"] == 5e-6


def test_the_overage_and_the_jobs_under_way_are_shown() -> None:
    found = gauges(standing())

    assert found["falgate_overage_usd", "fal", "limit"] == 100e-6
    assert found["falgate_overage_usd", "fal", "overrun"] == 1e-6
    assert found["falgate_jobs_open", "fal"] == 2


def test_a_freeze_is_seen_where_it_is() -> None:
    found = gauges(standing(frozen=True), standing(upstream="test"))

    assert found["falgate_frozen", "fal"] == 1
    assert found["falgate_frozen", "test"] == 0


def test_what_operators_stopped_is_counted_by_level() -> None:
    found = gauges(standing(stops={"organisation": 0, "team": 2}))

    assert found["falgate_stops", "team", "fal"] == 2
    assert found["falgate_stops", "organisation", "fal"] == 0


def test_what_the_sellers_books_said_is_shown_once_they_were_read() -> None:
    summary = ReconcileReport(
        at_ms=1_500, since_ms=0, until_ms=1_000, difference=-40, pending=3, drift=9_000
    )
    found = gauges(standing(reconciled=summary), standing(upstream="test"))

    assert {
        labels: value for labels, value in found.items() if labels[0].startswith("falgate_reconc")
    } == {
        ("falgate_reconcile_drift_usd", "fal"): 0.009,
        ("falgate_reconcile_difference_usd", "fal"): -40e-6,
        ("falgate_reconcile_pending_jobs", "fal"): 3,
        ("falgate_reconcile_timestamp_seconds", "fal"): 1.5,
    }


def test_what_verifying_found_is_shown_with_when_that_was() -> None:
    found = gauges(
        standing(verified=VerificationResult(at_ms=1_500, differences=2)), standing(upstream="test")
    )

    assert {
        labels: value for labels, value in found.items() if labels[0].startswith("falgate_ledger")
    } == {
        ("falgate_ledger_differences", "fal"): 2,
        ("falgate_ledger_verified_timestamp_seconds", "fal"): 1.5,
    }


def test_what_was_read_once_is_not_shown_for_ever() -> None:
    metrics = Metrics()

    assert b'falgate_jobs_open{upstream="fal"} 2.0' in metrics.render([standing()])
    assert b"falgate_jobs_open{" not in metrics.render(())


def test_what_is_stored_is_told_where_it_could_be_read() -> None:
    told = Metrics().render((), Stored(total=StoreSize(3, 4_096), free_bytes=5, full=True)).decode()
    unknown = Metrics().render(()).decode()

    for line in (
        "falgate_pictures_stored 3.0",
        "falgate_pictures_bytes 4096.0",
        "falgate_store_free_bytes 5.0",
        "falgate_store_full 1.0",
    ):
        assert line in told.splitlines()
        assert line.split()[0] not in unknown


def test_an_upstream_that_was_given_by_its_url_is_not_named() -> None:
    found = gauges(standing(upstream="https://secret.example/queue"))

    assert found["falgate_jobs_open", "other"] == 2
    assert not any("secret" in label for labels in found for label in labels)
