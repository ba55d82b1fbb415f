"""Every family of Redis keys: type, lifetime and content. Tests compare it with Redis.

Only keys whose loss cannot cause a second purchase expire by themselves. All others stay until a
sweep deletes them, so that no `volatile-*` eviction policy can touch money.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Family(NamedTuple):
    """A family of keys.

    Attributes:
        kind: Redis's type.
        lives: Whether keys expire by themselves; "either" if only some do.
        holds: The content.
        kept: How long, in words.
    """

    kind: Literal["hash", "set", "stream", "string", "zset"]
    lives: Literal["stays", "expires", "either"]
    holds: str
    kept: str = "for ever"


FAMILIES: Mapping[str, Family] = {
    "meta": Family(
        "hash", "stays", "the ledger's id, calendar, trusted server and applied settings"
    ),
    "directory": Family(
        "hash", "stays", "`team:<name>`, `app:<team>/<app>` as JSON, and a revision"
    ),
    "apikey": Family("hash", "stays", "one app key, as JSON"),
    "apikeys": Family("hash", "stays", "app keys of an earlier version", "until split at a start"),
    "keyorder": Family("zset", "stays", "`<created>-<id>` of all keys, a team's or an app's"),
    "audit": Family("stream", "stays", "the audit log, append-only"),
    "accounts": Family("set", "stays", "names of the accounts that were charged or limited"),
    "teams": Family("zset", "stays", "names of the teams among them"),
    "account": Family("hash", "stays", "budgets and counters of one account"),
    "house": Family("hash", "stays", "limit and overrun of the house"),
    "ledger": Family("stream", "stays", "ledger entries, append-only until archived"),
    "corrected": Family(
        "hash",
        "stays",
        "corrected costs of jobs, by job",
        "until the job's entry is archived",
    ),
    "opening": Family(
        "hash", "stays", "sums of the archived entries", "until swept with their counters"
    ),
    "nextopening": Family("hash", "stays", "the next opening sums", "while entries are archived"),
    "torn": Family(
        "hash",
        "stays",
        "ledger operations under way, by job; seen only after a torn write",
        "until the operation is completed or `ledger recover` undoes it",
    ),
    "archivist": Family(
        "string", "expires", "the instance that archives the ledger", "for minutes"
    ),
    "posted": Family(
        "zset",
        "stays",
        "ids of idempotent operations, by time, ms",
        "until swept after POSTED_KEPT_S",
    ),
    "usage": Family("hash", "stays", "measures of one day, `<team>/<app>:<measure>`"),
    "breakdown": Family(
        "hash",
        "stays",
        "the same, also by key, model, quality and outcome",
        "until swept after BREAKDOWN_KEPT_S",
    ),
    "hits": Family(
        "hash",
        "stays",
        "measures of a day's hits, `<hour>/<team>/<app>:<measure>`",
        "until swept after HITS_KEPT_S",
    ),
    "alerts": Family(
        "stream", "stays", "thresholds reached and first refusals, until they are delivered"
    ),
    "warned": Family(
        "string", "expires", "the instance that warned of an upstream's balance", "for an hour"
    ),
    "delivery": Family(
        "hash",
        "stays",
        "one webhook delivery, by request id",
        "until swept DELIVERY_KEPT_S after its end",
    ),
    "deliveries": Family(
        "zset", "stays", "deliveries in a state, by when due or ended, ms", "until swept with them"
    ),
    "reconciled": Family("hash", "stays", "result of the last reconciliation with fal's billing"),
    "reconciler": Family("string", "expires", "the instance that reconciled last", "for an hour"),
    "proved": Family("hash", "stays", "result of the last verification of the ledger"),
    "prover": Family("string", "expires", "the instance that verified last", "for an hour"),
    "job": Family("hash", "stays", "one job", "until swept JOB_KEPT_S after its end"),
    "refusal": Family(
        "string",
        "expires",
        "fal's refusal of a job, which may quote its prompt",
        "for REFUSAL_KEPT_S",
    ),
    "open": Family("zset", "stays", "open jobs by the end of their lease, ms"),
    "ended": Family("zset", "stays", "ended jobs by their end, ms", "until swept with the jobs"),
    "submits": Family("hash", "stays", "fal's request id to job", "until swept with the jobs"),
    "slots": Family(
        "zset", "stays", "`<job>:<team>` with a slot at the upstream, by since when, ms"
    ),
    "waiting": Family("zset", "stays", "`<job>:<team>` waiting for a slot, by virtual time"),
    "turns": Family(
        "hash", "stays", "virtual time of the queue for slots", "until the queue is empty"
    ),
    "pace": Family(
        "zset",
        "expires",
        "purchases of an account in the last minute, by when, ms",
        "for a minute",
    ),
    "rate": Family(
        "string", "expires", "when an account's rate is back to a full allowance", "for seconds"
    ),
    "flight": Family(
        "string",
        "stays",
        "`open:<job>` or `done:<job>:<generation>:<count>`",
        "until swept after MARKER_KEPT_S",
    ),
    "markers": Family(
        "zset",
        "stays",
        "fingerprints of done flights by their end, ms",
        "until swept with the flights",
    ),
    "places": Family(
        "hash",
        "expires",
        "which concurrent request of an app takes what of a pool, by lease",
        "for a day",
    ),
    "waiters": Family(
        "zset", "expires", "requests that wait for a flight, by deadline", "for a day"
    ),
    "request": Family(
        "hash", "stays", "one stored request", "until swept after its end, by setting"
    ),
    "pending": Family("zset", "stays", "stored requests by the end of their lease, ms"),
    "answered": Family(
        "zset", "stays", "stored requests by their end, ms", "until swept with the requests"
    ),
    "idempotency": Family(
        "hash",
        "stays",
        "the request that an idempotency key stands for",
        "until swept with the request",
    ),
    "progress": Family("string", "expires", "a job's progress at the upstream", "for a day"),
    "picture": Family(
        "hash", "stays", "metadata of one stored picture", "until deleted with its bytes"
    ),
    "pictures": Family(
        "zset",
        "stays",
        "names of pictures by their worth, for eviction",
        "until deleted likewise",
    ),
    "media": Family("hash", "stays", "number and total bytes of stored pictures"),
    "about": Family(
        "hash",
        "stays",
        "metadata of one pool, and who bought for it",
        "until deleted when its pool is gone",
    ),
    "pools": Family(
        "zset", "stays", "fingerprints by their last purchase, ms", "until deleted likewise"
    ),
    "poolsof": Family(
        "zset",
        "stays",
        "fingerprints that an app bought for, by time, ms",
        "until deleted likewise",
    ),
    "prompt": Family(
        "set", "stays", "fingerprints of one prompt, by its hash", "until deleted likewise"
    ),
    "pictured": Family(
        "set",
        "stays",
        "names of the pictures of one prompt, by its hash",
        "until deleted with them",
    ),
    "housekeeper": Family(
        "string", "expires", "the instance that maintains the pictures", "for a minute"
    ),
    "pool": Family(
        "hash",
        "either",
        "generation and pictures of one fingerprint",
        "until its pictures expire, unless one is pinned",
    ),
}
