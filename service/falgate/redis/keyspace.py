"""The names of all keys in Redis, which no other file spells.

One hash tag, `{fg}`, holds money, jobs, flights, keys of apps and the ledger, so that a claim and
its hold are one script, in Cluster too. A pool has a slot of its own. Only what can be lost without
buying twice expires by itself; the rest lives until a sweep takes it away, so that no `volatile-*`
policy can touch money. `_families.py` lists them.
"""

from falgate.core.account import Account
from falgate.core.account import account as named_account

JOB_KEPT_S = 7 * 86_400
MARKER_KEPT_S = 120
REFUSAL_KEPT_S = 600
POSTED_KEPT_S = 7 * 86_400
HITS_KEPT_S = 40 * 86_400
BREAKDOWN_KEPT_S = 400 * 86_400
PROGRESS_KEPT_S = 86_400
DELIVERY_KEPT_S = 7 * 86_400
PLACES_KEPT_S = 86_400
EMPTIED_S = 2 * 86_400
"""How long an emptied pool says that it was: a purchase that began before is at its end by then."""

WAKE = "fg:wake"
"""Channel: ids of jobs that ended or are in trouble, and of requests that ended."""
MOVED = "fg:moved"
"""Channel: ids of jobs that got a slot, or of which fal said how far they are."""

TO_KEYS, TO_CHANNELS = "~{fg}:* ~fg:*", "&fg:*"
"""The rights to all of them, as an ACL spells these."""

_ACCOUNT = "{fg}:account:"

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


def key_order(of: str) -> str:
    """The keys of a "team" or of a "team/app", the oldest first; "" for all."""
    return f"{{fg}}:keyorder:{of}"


def account(upstream: str, account: Account) -> str:
    """Money of one account with one upstream."""
    return f"{_ACCOUNT}{upstream}:{account.name}"


def account_of(key: str) -> tuple[str, Account]:
    """Whose money a key of `account` holds: the upstream, which may have colons, and the account.

    Raises:
        ValueError: It is no such key.
    """
    level, colon, subject = key.rpartition(":")
    before, _, level = level.rpartition(":")
    prefix, upstream = before[: len(_ACCOUNT)], before[len(_ACCOUNT) :]
    if prefix != _ACCOUNT or not upstream:
        raise ValueError("not the key of an account")
    return upstream, named_account(f"{level}{colon}{subject}")


def accounts(upstream: str) -> str:
    """Names of the accounts that an upstream's books know."""
    return f"{{fg}}:accounts:{upstream}"


def teams(upstream: str) -> str:
    """Names of the teams among them: few, however many keys there are."""
    return f"{{fg}}:teams:{upstream}"


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


def breakdown(upstream: str, day: str) -> str:
    """The same of a day by key, model, quality and outcome."""
    return f"{{fg}}:breakdown:{upstream}:{day}"


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


def next_opening(upstream: str) -> str:
    """What they will have come to, while an archive is made."""
    return f"{{fg}}:nextopening:{upstream}"


def torn(upstream: str) -> str:
    """What was begun and not brought to its end."""
    return f"{{fg}}:torn:{upstream}"


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


def places(app: str, fingerprint: str) -> str:
    """Which request under way of "team/app" has what of a pool."""
    return f"{{fg}}:places:{app}:{fingerprint}"


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
