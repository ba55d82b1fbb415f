"""Records that operators change: each put in the place of what it was, with its audit entry."""

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.change import Change
from falgate.redis import keyspace
from falgate.redis.script import Script
from falgate.redis.unavailable import translate_errors

_PUT = Script("registry_put")

_SECRET = frozenset({"digest", "previous_digest"})


async def put(  # noqa: PLR0917 -- a change is what, from, to, by whom
    redis: Redis,
    records: str,
    field: str,
    was: msgspec.Struct | int | None,
    now: msgspec.Struct | int | None,
    change: Change,
    *,
    revision: str = "",
    place: str = "",
    lists: Sequence[str] = (),
) -> bool:
    """Put one record in the place of what it `was`, with its audit entry, or do nothing.

    Args:
        redis: Where.
        records: Key of the hash that the record is a field of.
        field: Its field there.
        was: The record as the caller read it; None: there was none.
        now: The record as it is to be; None: there is to be none.
        change: Who changes it, for the audit log.
        revision: Field of the same hash that counts changes; "": none does.
        place: Of a new record in `lists`.
        lists: Keys of sorted sets by which such records are listed.

    Returns:
        False where the record is no longer as it `was`.

    Raises:
        Unavailable: Without Redis.
    """
    with translate_errors():
        done = await _PUT(
            redis,
            records=records,
            revision=revision,
            place=place,
            more_keys=lists,
            **changed(field, was, now, change),
        )
    return bool(done)


def changed(
    field: str, was: msgspec.Struct | int | None, now: msgspec.Struct | int | None, change: Change
) -> dict[str, str]:
    """What every script takes that changes a record."""
    return {
        "audit": keyspace.AUDIT,
        "field": field,
        "was": _json(was),
        "now": _json(now),
        "who": change.who,
        "action": change.action,
        "subject": change.subject,
        "why": change.why,
        "shown_was": _json(was, shown=True),
        "shown_now": _json(now, shown=True),
    }


def _json(record: msgspec.Struct | int | None, *, shown: bool = False) -> str:
    """A record as it is stored, or as it may be shown: without what opens a key."""
    if record is None:
        return ""
    if isinstance(record, int):
        return str(record)
    fields: dict[str, Any] = msgspec.to_builtins(record)
    kept = {name: value for name, value in fields.items() if not (shown and name in _SECRET)}
    return msgspec.json.encode(kept).decode()
