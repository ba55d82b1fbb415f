"""Compare-and-set of records that operators change, with audit log entries."""

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.change import Change
from falgate.redis.script import Script

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
    """Set a record and write the audit log, if the record still equals `was`.

    Args:
        redis: The client.
        records: Key of the hash that contains the record.
        field: The record's field in the hash.
        was: The record as the caller read it; None if there was none.
        now: The new record; None to delete it.
        change: Who changes what, for the audit log.
        revision: Field of the hash that counts changes; "" if there is none.
        place: The record's member in `lists`.
        lists: Keys of sorted sets by which such records are listed.

    Returns:
        False if the record no longer equals `was`.

    Raises:
        Unavailable: Without Redis.
    """
    done = await _PUT(
        redis,
        records=records,
        revision=revision,
        place=place,
        more_keys=lists,
        **await changed(redis, records, field, was, now, change),
    )
    return bool(done)


async def changed(  # noqa: PLR0917 -- as `put`
    redis: Redis,
    records: str,
    field: str,
    was: msgspec.Struct | int | None,
    now: msgspec.Struct | int | None,
    change: Change,
) -> dict[str, str]:
    """Return the arguments that all scripts which change a record have in common; see `put`."""
    return {
        "field": field,
        "was": await _stored(redis, records, field, was),
        "now": _json(now),
        "who": change.who,
        "action": change.action,
        "subject": change.subject,
        "why": change.why,
        "shown_was": _json(was, shown=True),
        "shown_now": _json(now, shown=True),
    }


async def _stored(redis: Redis, records: str, field: str, was: msgspec.Struct | int | None) -> str:
    """Return a record as it is stored, if it still reads as `was`; else, as it would be stored.

    A record that an earlier version wrote lacks the fields that were added since, so it has another
    text than `was`.
    """
    if isinstance(was, msgspec.Struct):
        found = await redis.hget(records, field)
        if found and msgspec.json.decode(found, type=type(was)) == was:
            return str(found)
    return _json(was)


def _json(record: msgspec.Struct | int | None, *, shown: bool = False) -> str:
    """Return a record as it is stored, or with `shown`, without the digests of secrets."""
    if record is None:
        return ""
    if isinstance(record, int):
        return str(record)
    fields: dict[str, Any] = msgspec.to_builtins(record)
    kept = {name: value for name, value in fields.items() if not (shown and name in _SECRET)}
    return msgspec.json.encode(kept).decode()
