"""What a refusal of fal's says about this gateway's own account: its balance, its key, its access.

fal says 401 and 403 of all three, and only its words tell which: who is locked out needs another
remedy than another key.
"""

import re

from falgate.core.events import Doubt
from falgate.fal.replies import FalAnswer

_UNAUTHORIZED, _PAYMENT, _FORBIDDEN = 401, 402, 403
_BALANCE = "balance"
_LOCKED = re.compile(r"\b(locked|suspended|disabled)\b")
_KEY = re.compile(r"\b(keys?|credentials?|tokens?|authenticat\w+)\b")
_APPLICATION = re.compile(r"\b(access\w*|applications?)\b")


def is_unpaid(answer: FalAnswer) -> bool:
    """Whether fal refused for want of money on this gateway's account, in words of its own.

    It says 403 and `User is locked. Reason: Exhausted balance.`.
    """
    unpaid = answer.status == _FORBIDDEN and _BALANCE in _words(answer)
    return answer.status == _PAYMENT or unpaid


def about_account(answer: FalAnswer) -> Doubt | None:
    """What an operator has to look at; None where a refusal is about something else."""
    if is_unpaid(answer):
        return "exhausted_balance"
    if answer.status not in {_UNAUTHORIZED, _FORBIDDEN}:
        return None
    return "bad_upstream_key" if _is_of_the_key(answer) else "no_upstream_access"


def _is_of_the_key(answer: FalAnswer) -> bool:
    said = _words(answer)
    if _LOCKED.search(said):
        return False
    # 401 says so by itself, unless its words are of something else.
    by_status = answer.status == _UNAUTHORIZED and not _APPLICATION.search(said)
    return by_status or _KEY.search(said) is not None


def _words(answer: FalAnswer) -> str:
    detail = answer.body.get("detail") if isinstance(answer.body, dict) else None
    return detail.lower() if isinstance(detail, str) else ""
