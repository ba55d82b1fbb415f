"""Every family of keys in Redis: its type, how long it lives, and what it holds.

Only what can be lost without buying twice expires by itself; the rest lives until a sweep takes it
away, so that no `volatile-*` policy can touch money. What is found in Redis is held against this.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Family(NamedTuple):
    """Keys of one kind.

    Attributes:
        kind: Redis's type.
        lives: Whether a key expires by itself; "either": only some do.
        holds: What is in it.
        kept: How long, in words.
    """

    kind: Literal["hash", "set", "stream", "string", "zset"]
    lives: Literal["stays", "expires", "either"]
    holds: str
    kept: str = "for ever"


FAMILIES: Mapping[str, Family] = {
    "meta": Family(
        "hash", "stays", "the ledger's birth record, calendar, server, applied settings"
    ),
    "directory": Family(
        "hash", "stays", "`team:<name>`, `app:<team>/<app>` as JSON, and a revision"
    ),
    "apikeys": Family("hash", "stays", "each key of an app, as JSON"),
    "keyorder": Family("zset", "stays", "`<created>-<id>` of all keys, of a team's or of an app's"),
    "audit": Family("stream", "stays", "what operators changed, append-only"),
    "accounts": Family("set", "stays", "names of the accounts that were charged or limited"),
    "teams": Family("zset", "stays", "names of those of them that are teams"),
    "account": Family("hash", "stays", "budgets, spent and held of one account"),
    "house": Family("hash", "stays", "limit and overrun of the house"),
    "ledger": Family("stream", "stays", "entries of money, append-only until archived"),
    "corrected": Family(
        "hash",
        "stays",
        "what entries of the ledger were corrected to, by job",
        "until swept when archived",
    ),
    "opening": Family(
        "hash", "stays", "sums of the entries that were archived", "until swept with their counters"
    ),
    "nextopening": Family("hash", "stays", "the next of these", "while an archive is made"),
    "torn": Family(
        "hash",
        "stays",
        "what a script has begun, by job: only a torn file shows it",
        "until it has ended, or `ledger recover` has undone it",
    ),
    "archivist": Family(
        "string", "expires", "the instance that archives the ledger", "for minutes"
    ),
    "posted": Family(
        "zset", "stays", "ids of what was posted, by time, ms", "until swept after POSTED_KEPT_S"
    ),
    "usage": Family("hash", "stays", "measures of one day, `<team>/<app>:<measure>`"),
    "breakdown": Family(
        "hash",
        "stays",
        "the same by key, model, quality and outcome too",
        "until swept after BREAKDOWN_KEPT_S",
    ),
    "hits": Family(
        "hash",
        "stays",
        "measures of a day's hits, `<hour>/<team>/<app>:<measure>`",
        "until swept after HITS_KEPT_S",
    ),
    "alerts": Family(
        "stream", "stays", "thresholds reached and first refusals, until they are told"
    ),
    "warned": Family("string", "expires", "who has warned of an upstream's balance", "for an hour"),
    "delivery": Family(
        "hash",
        "stays",
        "one webhook, named by its request",
        "until swept DELIVERY_KEPT_S after its end",
    ),
    "deliveries": Family(
        "zset", "stays", "webhooks of a state, by when due or ended, ms", "until swept with them"
    ),
    "reconciled": Family("hash", "stays", "what the last look at fal's billing found"),
    "reconciler": Family(
        "string", "expires", "whose turn it is to compare with fal's billing", "for an hour"
    ),
    "proved": Family("hash", "stays", "what came of verifying the ledger the last time"),
    "prover": Family("string", "expires", "whose turn it is to verify it", "for an hour"),
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
        "zset", "stays", "`<job>:<team>` in service at the upstream, by since when, ms"
    ),
    "waiting": Family("zset", "stays", "`<job>:<team>` by their turn"),
    "turns": Family(
        "hash", "stays", "the virtual time of the turns", "until deleted when nobody waits"
    ),
    "pace": Family(
        "zset",
        "expires",
        "purchases of an account in the last minute, by when, ms",
        "for a minute",
    ),
    "rate": Family(
        "string", "expires", "when an account's requests are even with its rate", "for seconds"
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
        "which request under way of an app has what of a pool, by lease",
        "for a day",
    ),
    "waiters": Family(
        "zset", "expires", "who waits for a flight, by the end of their patience", "for a day"
    ),
    "request": Family(
        "hash", "stays", "one request that is kept", "until swept after its end, by setting"
    ),
    "pending": Family("zset", "stays", "kept requests by the end of their lease, ms"),
    "answered": Family(
        "zset", "stays", "kept requests by their end, ms", "until swept with the requests"
    ),
    "idempotency": Family(
        "hash",
        "stays",
        "the request that an idempotency key stands for",
        "until swept with the request",
    ),
    "progress": Family("string", "expires", "what the upstream said last of a job", "for a day"),
    "picture": Family(
        "hash", "stays", "what is known of one stored picture", "until deleted with its bytes"
    ),
    "pictures": Family(
        "zset",
        "stays",
        "names of pictures by what they are worth keeping for",
        "until deleted likewise",
    ),
    "media": Family("hash", "stays", "how many pictures are stored, and their bytes"),
    "about": Family(
        "hash",
        "stays",
        "what one pool is for, and who bought for it",
        "until deleted when its pool is gone",
    ),
    "pools": Family(
        "zset", "stays", "fingerprints by their last purchase, ms", "until deleted likewise"
    ),
    "poolsof": Family(
        "zset", "stays", "those that an app bought for, by when, ms", "until deleted likewise"
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
        "string", "expires", "the instance that looks after the pictures", "for a minute"
    ),
    "pool": Family(
        "hash",
        "either",
        "generation and pictures of one fingerprint",
        "until its pictures are too old, unless one is pinned",
    ),
}
