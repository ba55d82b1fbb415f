"""What a preview says of a key: whom it buys from, whoever that is."""

import pytest

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.admin.key_sentences import of_key


@pytest.mark.parametrize(
    ("kind", "live", "reach"),
    [
        ("live", "fal", "buys from fal"),
        ("live", "sandbox", "buys from the sandbox with play money"),
        ("live", "https://queue.example", "buys from https://queue.example"),
        ("live", "", "buys from the gateway's upstream"),
        ("test", "fal", "only ever reaches the sandbox"),
        ("test", "sandbox", "only ever reaches the sandbox"),
    ],
)
def test_a_new_key_is_said_to_buy_from_its_own_upstream(kind: Kind, live: str, reach: str) -> None:
    key = KeyRecord(id="0123", kind=kind, digest="x", team="web", app="shop", name="", created_s=1)

    first = next(of_key("0123", None, key, live=live))

    assert first == f"A {kind} key of web/shop is made, which {reach}; it is shown once."
