"""What one running gateway, or a command, brings to the ledger."""

from collections.abc import Awaitable, Callable

import msgspec

from falgate.core.calendar import Calendar
from falgate.money.store.trust import unwatched
from falgate.redis.client import Durability
from falgate.redis.clock import Clock


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """What one instance brings to the ledger.

    Attributes:
        ledger_id: Of the ledger that it started with.
        owner: Its own name.
        calendar: How it counts windows.
        lease_ms: How long a job is its own without renewal, milliseconds.
        durability: What makes a mark durable there.
        regain: Waits until a history of the server that is not trusted yet was looked at.
        wrote: Told of each entry that is written: the books, and its id.
        clock: Redis's, between two looks at it.
        slots_max: How many jobs the upstream works on at once; 0: any number.
    """

    ledger_id: str
    owner: str
    calendar: Calendar
    lease_ms: int
    durability: Durability
    regain: Callable[[], Awaitable[None]] = unwatched
    wrote: Callable[[str, str], None] = lambda *_: None
    clock: Clock = msgspec.field(default_factory=Clock)
    slots_max: int = 0
