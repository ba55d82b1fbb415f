"""What readers of the ledger and of the request log skip by its words alone, no filter wants."""

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as some

from falgate.money.entry_filter import Filter
from falgate.telemetry.logged_request import LogFilter, LoggedRequest

NAMES = some.sampled_from(["", "web", "we", 'ü"\\', "k1"])
APPS = some.sampled_from(["", "shop", "web/shop", "we/k1"])
ENTRIES = some.one_of(
    some.fixed_dictionaries(
        {
            "kind": some.sampled_from(["close", "correction"]),
            "outcome": some.sampled_from(["paid", "refused"]),
            "team": NAMES,
            "app": some.sampled_from(["shop", "k1"]),
            "key": NAMES,
            "charged_model": NAMES,
            "model": NAMES,
            "job": NAMES,
            "reconciled": some.sampled_from(["yes", "no"]),
        }
    ),
    some.fixed_dictionaries(
        {
            "kind": some.sampled_from(["raise", "reset"]),
            "account": some.sampled_from(
                [
                    "team:web",
                    "app:web/shop",
                    "app:we/k1",
                    "key:k1",
                    "model:web",
                    "organisation:main",
                ]
            ),
        }
    ),
)
FILTERS = some.builds(
    Filter, kind=some.sampled_from(["", "close", "raise"]), outcome=NAMES, team=NAMES, app=APPS,
    key=NAMES, model=NAMES, job=NAMES, reconciled=some.sampled_from(["", "yes"]),
)  # fmt: skip
LOG_FILTERS = some.builds(
    LogFilter, team=NAMES, app=APPS, key=NAMES, model=NAMES, reason=NAMES,
    outcome=some.sampled_from(["", "answered", "refused", "hit"]),
    status=some.sampled_from([0, 200, 402]),
)  # fmt: skip
REQUESTS = some.builds(
    LoggedRequest, id=NAMES, at_ms=some.just(1), route=NAMES, upstream=NAMES, team=NAMES,
    app=some.sampled_from(["shop", "k1"]), key=NAMES, model=NAMES, reason=NAMES,
    outcome=some.sampled_from(["hit", "miss", "refused"]), status=some.sampled_from([200, 402]),
)  # fmt: skip


@given(wanted=FILTERS, fields=ENTRIES)
def test_an_entry_that_a_filter_wants_has_all_of_its_words(
    wanted: Filter, fields: Mapping[str, str]
) -> None:
    if wanted.wants(fields):
        whole = "\0".join(part for field in fields.items() for part in field)
        assert all(word in whole for word in wanted.words)


@given(wanted=LOG_FILTERS, one=REQUESTS)
def test_a_request_that_a_filter_wants_has_all_of_its_words(
    wanted: LogFilter, one: LoggedRequest
) -> None:
    if wanted.wants(one):
        stored: Any = msgspec.json.encode(one).decode()
        assert all(word in stored for word in wanted.words)
