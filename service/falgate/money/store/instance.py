"""Properties of a running gateway, or of a command, that ledger operations need."""

from collections.abc import Awaitable, Callable

import msgspec

from falgate.core.calendar import Calendar
from falgate.money.store.trust import unwatched
from falgate.redis.client import Durability
from falgate.redis.clock import Clock


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """Properties of one instance.

    Attributes:
        ledger_id: Id of the ledger that it started with.
        owner: The instance's unique name.
        calendar: How it counts windows.
        lease_ms: How long it owns a job without renewal, in milliseconds.
        durability: What makes a job's mark durable in this Redis.
        regain: Waits until an untrusted history of the server has been checked.
        wrote: Called with the upstream and the entry's id after each entry that is written.
        clock: Redis's clock, interpolated between reads.
        slots_max: How many jobs the upstream works on at once; 0 means any number.
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
