"""Refusals by fal that concern this gateway's own account: its balance, key or access.

fal answers 401 and 403 for all three, and only the text tells them apart: a locked account needs
another remedy than a wrong key.
"""

import re

from falgate.core.events import AnomalyKind
from falgate.fal.replies import FalAnswer

_UNAUTHORIZED, _PAYMENT, _FORBIDDEN = 401, 402, 403
_BALANCE = "balance"
_LOCKED = re.compile(r"\b(locked|suspended|disabled)\b")
_KEY = re.compile(r"\b(keys?|credentials?|tokens?|authenticat\w+)\b")
_APPLICATION = re.compile(r"\b(access\w*|applications?)\b")


def is_unpaid(answer: FalAnswer) -> bool:
    """Return whether fal refused because this gateway's balance is exhausted.

    fal answers 403 with `User is locked. Reason: Exhausted balance.`.
    """
    unpaid = answer.status == _FORBIDDEN and _BALANCE in _words(answer)
    return answer.status == _PAYMENT or unpaid


def about_account(answer: FalAnswer) -> AnomalyKind | None:
    """Return the anomaly to report, or None if the refusal does not concern our account."""
    if is_unpaid(answer):
        return "exhausted_balance"
    if answer.status not in {_UNAUTHORIZED, _FORBIDDEN}:
        return None
    return "bad_upstream_key" if _is_of_the_key(answer) else "no_upstream_access"


def _is_of_the_key(answer: FalAnswer) -> bool:
    said = _words(answer)
    if _LOCKED.search(said):
        return False
    # A 401 concerns the key, unless its text speaks of an application.
    by_status = answer.status == _UNAUTHORIZED and not _APPLICATION.search(said)
    return by_status or _KEY.search(said) is not None


def _words(answer: FalAnswer) -> str:
    detail = answer.body.get("detail") if isinstance(answer.body, dict) else None
    return detail.lower() if isinstance(detail, str) else ""
