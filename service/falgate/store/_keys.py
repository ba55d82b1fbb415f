"""Every key of Redis: its name, what it holds, and how long it lives.

One hash tag, `{fg}`, holds money, jobs, flights, keys of apps and the ledger, so that a claim and
its hold are one script, in Cluster too. A pool has a slot of its own. Only what can be lost without
buying twice expires by itself; the rest lives until a sweep takes it away, so that no `volatile-*`
policy can touch money.

| family | holds | lives |
| --- | --- | --- |
| meta | hash: the ledger's birth record, calendar, server, applied settings | never expires |
| directory | hash: `team:<name>`, `app:<team>/<app>` as JSON, and a revision | never expires |
| apikeys | hash: each key of an app, as JSON | never expires |
| audit | stream: what operators changed, append-only | never expires |
| accounts | set: names of the accounts that were charged or limited | never expires |
| account | hash: budgets, spent and held of one account | never expires |
| house | hash: limit and overrun of the house | never expires |
| ledger | stream: entries of money, append-only until archived | never expires |
| corrected | hash: what entries of the ledger were corrected to, by job | swept when archived |
| opening | hash: sums of the entries that were archived | swept with their counters |
| archivist | string: the instance that archives the ledger | expires, minutes |
| posted | sorted set: ids of what was posted, by time, ms | swept after POSTED_KEPT_S |
| usage | hash: measures of one day, `<team>/<app>:<measure>` | never expires |
| hits | hash: measures of a day's hits, `<hour>/<team>/<app>:<measure>` | swept after HITS_KEPT_S |
| alerts | stream: thresholds that were crossed, until they are told | never expires |
| warned | string: who has warned of an upstream's balance | expires, an hour |
| delivery | hash: one webhook, named by its request | swept DELIVERY_KEPT_S after its end |
| deliveries | sorted set: webhooks of a state, by when due or ended, ms | swept with them |
| reconciled | hash: what the last look at fal's billing found | never expires |
| reconciler | string: whose turn it is to compare with fal's billing | expires, an hour |
| proved | hash: what came of verifying the ledger the last time | never expires |
| prover | string: whose turn it is to verify it | expires, an hour |
| job | hash: one job | swept JOB_KEPT_S after its end |
| refusal | string: fal's refusal of a job, which may quote its prompt | expires, REFUSAL_KEPT_S |
| open | sorted set: open jobs by the end of their lease, ms | never expires |
| ended | sorted set: ended jobs by their end, ms | swept with the jobs |
| submits | hash: fal's request id to job | swept with the jobs |
| slots | sorted set: `<job>:<team>` in service at the upstream, by since when, ms | never expires |
| waiting | sorted set: `<job>:<team>` by their turn | never expires |
| turns | hash: the virtual time of the turns | deleted when nobody waits |
| pace | sorted set: purchases of an account in the last minute, by when, ms | expires, a minute |
| rate | string: when an account's requests are even with its rate | expires, seconds |
| flight | string: `open:<job>` or `done:<job>:<generation>:<count>` | swept after MARKER_KEPT_S |
| markers | sorted set: fingerprints of done flights by their end, ms | swept with the flights |
| waiters | sorted set: who waits for a flight, by the end of their patience | expires, a day |
| request | hash: one request that is kept | swept after its end, by setting |
| pending | sorted set: kept requests by the end of their lease, ms | never expires |
| answered | sorted set: kept requests by their end, ms | swept with the requests |
| idempotency | hash: the request that an idempotency key stands for | swept with the request |
| progress | string: what the upstream said last of a job | expires, a day |
| picture | hash: what is known of one stored picture | deleted with its bytes |
| pictures | sorted set: names of pictures by what they are worth keeping for | deleted likewise |
| media | hash: how many pictures are stored, and their bytes | never expires |
| about | hash: what one pool is for, and who bought for it | deleted when its pool is gone |
| pools | sorted set: fingerprints by their last purchase, ms | deleted likewise |
| poolsof | sorted set: those that an app bought for, by when, ms | deleted likewise |
| prompt | set: fingerprints of one prompt, by its hash | deleted likewise |
| pictured | set: names of the pictures of one prompt, by its hash | deleted with them |
| housekeeper | string: the instance that looks after the pictures | expires, a minute |
| pool | hash: generation and pictures of one fingerprint | expires, unless one of them is pinned |
"""

from falgate.core.budget import Account

JOB_KEPT_S = 7 * 86_400
MARKER_KEPT_S = 120
REFUSAL_KEPT_S = 600
POSTED_KEPT_S = 7 * 86_400
HITS_KEPT_S = 40 * 86_400
PROGRESS_KEPT_S = 86_400
DELIVERY_KEPT_S = 7 * 86_400
EMPTIED_S = 2 * 86_400
"""How long an emptied pool says that it was: a purchase that began before is at its end by then."""

WAKE = "fg:wake"
"""Channel: ids of jobs that ended, are in trouble or have their turn."""

META = "{fg}:meta"
DIRECTORY = "{fg}:directory"
APIKEYS = "{fg}:apikeys"
AUDIT = "{fg}:audit"
POSTED = "{fg}:posted"
ALERTS = "{fg}:alerts"
MARKERS = "{fg}:markers"
PICTURES = "{fg}:pictures"
MEDIA = "{fg}:media"
POOLS = "{fg}:pools"
HOUSEKEEPER = "{fg}:housekeeper"


def account(upstream: str, account: Account) -> str:
    """Money of one account with one upstream."""
    return f"{{fg}}:account:{upstream}:{account.name}"


def accounts(upstream: str) -> str:
    """Names of the accounts that an upstream's books know."""
    return f"{{fg}}:accounts:{upstream}"


def warned(upstream: str) -> str:
    """Who has warned of its balance lately."""
    return f"{{fg}}:warned:{upstream}"


def pace(upstream: str, account: Account) -> str:
    """When an account began purchases in the last minute."""
    return f"{{fg}}:pace:{upstream}:{account.name}"


def rate(account: str) -> str:
    """How far ahead of its rate an account's requests are."""
    return f"{{fg}}:rate:{account}"


def slots(upstream: str) -> str:
    """Who is in service at an upstream."""
    return f"{{fg}}:slots:{upstream}"


def waiting(upstream: str) -> str:
    """Who waits for a slot there."""
    return f"{{fg}}:waiting:{upstream}"


def turns(upstream: str) -> str:
    """The virtual time of those who wait."""
    return f"{{fg}}:turns:{upstream}"


def usage(upstream: str, day: str) -> str:
    """What a day came to, by app."""
    return f"{{fg}}:usage:{upstream}:{day}"


def hits(upstream: str, day: str) -> str:
    """What was answered without a purchase on a day, by hour and app."""
    return f"{{fg}}:hits:{upstream}:{day}"


def delivery(request_id: str) -> str:
    """A webhook: how the end of a request is told."""
    return f"{{fg}}:delivery:{request_id}"


def deliveries(state: str) -> str:
    """Webhooks in a state: `waiting` by when they are due, the others by when they ended."""
    return f"{{fg}}:deliveries:{state}"


def corrected(upstream: str) -> str:
    """What jobs were corrected to."""
    return f"{{fg}}:corrected:{upstream}"


def opening(upstream: str) -> str:
    """What the archived entries came to."""
    return f"{{fg}}:opening:{upstream}"


def archivist(upstream: str) -> str:
    """Who archives an upstream's ledger now."""
    return f"{{fg}}:archivist:{upstream}"


def reconciled(upstream: str) -> str:
    """What the last look at an upstream's billing found."""
    return f"{{fg}}:reconciled:{upstream}"


def reconciler(upstream: str) -> str:
    """Whose turn it is to look at it."""
    return f"{{fg}}:reconciler:{upstream}"


def proved(upstream: str) -> str:
    """What came of verifying an upstream's ledger."""
    return f"{{fg}}:proved:{upstream}"


def prover(upstream: str) -> str:
    """Whose turn it is to verify it."""
    return f"{{fg}}:prover:{upstream}"


def house(upstream: str) -> str:
    """What settlements exceeded their holds by."""
    return f"{{fg}}:house:{upstream}"


def ledger(upstream: str) -> str:
    """Entries of money with one upstream."""
    return f"{{fg}}:ledger:{upstream}"


def job(job_id: str) -> str:
    """One job."""
    return f"{{fg}}:job:{job_id}"


def refusal(job_id: str) -> str:
    """What fal said when it refused a job."""
    return f"{{fg}}:refusal:{job_id}"


def open_jobs(upstream: str) -> str:
    """Jobs that are not ended."""
    return f"{{fg}}:open:{upstream}"


def ended_jobs(upstream: str) -> str:
    """Jobs that are."""
    return f"{{fg}}:ended:{upstream}"


def submits(upstream: str) -> str:
    """Which job a request id of that upstream belongs to."""
    return f"{{fg}}:submits:{upstream}"


def flight(fingerprint: str) -> str:
    """The purchase under way for a fingerprint, or the marker of the last one."""
    return f"{{fg}}:flight:{fingerprint}"


def waiters(flight: str) -> str:
    """Who waits for a flight."""
    return f"{{fg}}:waiters:{flight}"


def request(request_id: str) -> str:
    """One request that is kept."""
    return f"{{fg}}:request:{request_id}"


def pending(upstream: str) -> str:
    """Requests that wait for an upstream's pictures."""
    return f"{{fg}}:pending:{upstream}"


def answered(upstream: str) -> str:
    """Those that do not any more."""
    return f"{{fg}}:answered:{upstream}"


def idempotency(name: str) -> str:
    """What an idempotency key of an app stands for."""
    return f"{{fg}}:idempotency:{name}"


def progress(job_id: str) -> str:
    """How far a job is at its upstream."""
    return f"{{fg}}:progress:{job_id}"


def pool(fingerprint: str) -> str:
    """The pictures of one fingerprint."""
    return f"fg:pool:{{{fingerprint}}}"


def picture(name: str) -> str:
    """What is known of a stored picture."""
    return f"{{fg}}:picture:{name}"


def about(fingerprint: str) -> str:
    """What a pool is for."""
    return f"{{fg}}:about:{fingerprint}"


def pools_of(app: str) -> str:
    """The pools that "team/app" bought for."""
    return f"{{fg}}:poolsof:{app}"


def pictured(prompt_sha256: str) -> str:
    """The pictures of a prompt."""
    return f"{{fg}}:pictured:{prompt_sha256}"


def prompt(sha256: str) -> str:
    """The pools of a prompt."""
    return f"{{fg}}:prompt:{sha256}"
