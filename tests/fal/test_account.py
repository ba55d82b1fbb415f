"""What a refusal says about this gateway's own account: its balance, its key or its access."""

from typing import Any

import pytest

from falgate.fal.account import about_account
from falgate.fal.replies import FalAnswer

SAYS = {
    "a key that nobody has": (401, "No user found for Key ID and Secret", "bad_upstream_key"),
    "a key of another form": (401, "Invalid Key Authorization header format.", "bad_upstream_key"),
    "a key by its status alone": (401, None, "bad_upstream_key"),
    "a key that is revoked": (403, "This API key was revoked", "bad_upstream_key"),
    "a balance": (403, "User is locked. Reason: Exhausted balance.", "exhausted_balance"),
    "a payment": (402, None, "exhausted_balance"),
    "a lock": (403, "User is locked. Reason: TOS violation.", "no_upstream_access"),
    "a lock, as 401": (401, "User is locked. Reason: TOS violation.", "no_upstream_access"),
    "an application": (403, "Cannot access application", "no_upstream_access"),
    "an application, as 401": (401, "Cannot access application", "no_upstream_access"),
    "nothing": (403, None, "no_upstream_access"),
    "a list": (403, [{"msg": "key"}], "no_upstream_access"),
    "an application that is not there": (404, "Application not found", None),
    "pace": (429, "Too many concurrent requests", None),
    "an input": (422, "no key", None),
}


@pytest.mark.parametrize(("status", "detail", "anomaly"), SAYS.values(), ids=SAYS)
def test_a_key_is_suspected_only_where_fal_says_that_it_is_wrong(
    status: int, detail: Any, anomaly: str | None
) -> None:
    assert about_account(FalAnswer(status, {"detail": detail}, {})) == anomaly
