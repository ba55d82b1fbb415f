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
        **changed(field, was, now, change),
    )
    return bool(done)


def changed(
    field: str, was: msgspec.Struct | int | None, now: msgspec.Struct | int | None, change: Change
) -> dict[str, str]:
    """Return the arguments that all scripts which change a record have in common."""
    return {
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
    """Return a record as it is stored, or with `shown`, without the digests of secrets."""
    if record is None:
        return ""
    if isinstance(record, int):
        return str(record)
    fields: dict[str, Any] = msgspec.to_builtins(record)
    kept = {name: value for name, value in fields.items() if not (shown and name in _SECRET)}
    return msgspec.json.encode(kept).decode()
