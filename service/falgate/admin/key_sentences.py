"""What a change of a key would do, in plain sentences: an app's, or an operator's; pure."""

from collections.abc import Iterator
from typing import Any

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.operator import OperatorRecord
from falgate.admin.field_words import capital, differences, time

_BORN = ("id", "kind", "digest", "team", "app", "created_s")
"""The fields that a key always has."""

_MAY = {
    "admin": "may do everything",
    "viewer": "sees everything and changes nothing",
    "lead": "administers the team",
}


_BUYS = {
    "": "buys from the gateway's upstream",
    "fal": "buys from fal",
    "sandbox": "buys from the sandbox with play money",
}
"""By the upstream of live keys, "" where none is known yet; any other one is called by its URL."""


def of_key(_: str, before: KeyRecord | None, after: KeyRecord, *, live: str = "") -> Iterator[str]:
    """Yield what a change of an app's key would do; `live` is the upstream of live keys."""
    app = f"{after.team}/{after.app}"
    if before is None:
        buys = _BUYS.get(live, f"buys from {live}")
        reach = buys if after.kind == "live" else "only ever reaches the sandbox"
        yield f"A {after.kind} key of {app} is made, which {reach}; it is shown once."
        kept = {name: getattr(after, name) for name in _BORN}
        yield from differences("", KeyRecord(name="", **kept), after)
        return
    what = f"key {after.id} of {app}"
    yield from _of_use(what, before, after)
    yield from differences(what, before, after)


def of_operator(_: str, before: OperatorRecord | None, after: OperatorRecord) -> Iterator[str]:
    """Yield what a change of an operator would do."""
    if before is None:
        team = f" {after.team}" if after.team else ""
        yield f"The {after.role} {after.name} is made, who {_MAY[after.role]}{team}."
        if after.role != "admin":
            yield f"They see {'stored prompts' if after.prompts else 'no prompts'}."
        yield f"Their key expires: {time(after.expires_s)}. It is shown once."
        return
    what = f"key {after.id} of {after.role} {after.name}"
    yield from _of_use(what, before, after)
    yield from differences(what, before, after)


def _of_use(what: str, before: Any, after: Any) -> Iterator[str]:
    if after.revoked_s and not before.revoked_s:
        yield f"{capital(what)} stops working for ever, on every instance at once."
    if after.disabled and not before.disabled:
        yield f"{capital(what)} is disabled: requests with it get 403 until it is enabled again."
    if before.disabled and not after.disabled:
        yield f"{capital(what)} is enabled: requests with it are answered again."
    if after.digest != before.digest:
        yield f"{capital(what)} gets a new secret, which is shown once."
        yield (
            f"Its present secret works until {time(after.previous_until_s)}."
            if after.previous_digest
            else "Its present secret stops working at once."
        )
        if before.previous_digest:
            yield "The secret before the present one stops working at once."
