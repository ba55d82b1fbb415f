"""Names of all Redis keys; no other file builds one.

Money, jobs, flights, app keys and the ledger share the hash tag `{fg}`, so that one script can
claim a flight and hold its money, in Redis Cluster too. The catalogue of pictures has the tag
`{fgp}`, rates of requests have `{fgr}`, and each pool has a slot of its own.
`families.py` lists all families of keys and their lifetimes.
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
"""How long an emptied pool is remembered as such, until all purchases begun before have ended."""

WAKE = "fg:wake"
"""Channel of the ids of jobs that ended or became uncertain, and of requests that ended."""
MOVED = "fg:moved"
"""Channel of the ids of jobs that got a slot, or whose progress at fal changed."""

TO_KEYS, TO_CHANNELS = "~{fg*}:* ~fg:*", "&fg:*"
"""Rights to all keys and channels, in ACL notation."""

_ACCOUNT = "{fg}:account:"

META = "{fg}:meta"
DIRECTORY = "{fg}:directory"
FORMER_APIKEYS = "{fg}:apikeys"
"""One hash of all app keys, as an earlier version wrote it."""
AUDIT = "{fg}:audit"
POSTED = "{fg}:posted"
ALERTS = "{fg}:alerts"
MARKERS = "{fg}:markers"
PICTURES = "{fgp}:pictures"
MEDIA = "{fgp}:media"
POOLS = "{fgp}:pools"
HOUSEKEEPER = "{fgp}:housekeeper"


def apikey(key_id: str) -> str:
    """One app key: a hash with the field `record`."""
    return f"{{fg}}:apikey:{key_id}"


def key_order(of: str) -> str:
    """Keys of a "team" or "team/app", oldest first; "" for all keys."""
    return f"{{fg}}:keyorder:{of}"


def account(upstream: str, account: Account) -> str:
    """Budgets and counters of an account with one upstream."""
    return f"{_ACCOUNT}{upstream}:{account.name}"


def account_of(key: str) -> tuple[str, Account]:
    """Return the upstream, which may contain colons, and the account of a key made by `account`.

    Raises:
        ValueError: It is not such a key.
    """
    level, colon, subject = key.rpartition(":")
    before, _, level = level.rpartition(":")
    prefix, upstream = before[: len(_ACCOUNT)], before[len(_ACCOUNT) :]
    if prefix != _ACCOUNT or not upstream:
        raise ValueError("not the key of an account")
    return upstream, named_account(f"{level}{colon}{subject}")


def accounts(upstream: str) -> str:
    """Names of the accounts in an upstream's ledger."""
    return f"{{fg}}:accounts:{upstream}"


def teams(upstream: str) -> str:
    """Names of the teams among them: few, however many keys there are."""
    return f"{{fg}}:teams:{upstream}"


def warned(upstream: str) -> str:
    """The instance that warned of an upstream's balance recently."""
    return f"{{fg}}:warned:{upstream}"


def pace(upstream: str, account: Account) -> str:
    """Times of an account's purchases in the last minute."""
    return f"{{fg}}:pace:{upstream}:{account.name}"


def rate(account: str) -> str:
    """When an account's request rate is back to a full allowance."""
    return f"{{fgr}}:rate:{account}"


def slots(upstream: str) -> str:
    """Jobs that have a slot at an upstream."""
    return f"{{fg}}:slots:{upstream}"


def waiting(upstream: str) -> str:
    """Jobs that wait for a slot at an upstream."""
    return f"{{fg}}:waiting:{upstream}"


def turns(upstream: str) -> str:
    """The virtual time of the queue for slots."""
    return f"{{fg}}:turns:{upstream}"


def usage(upstream: str, day: str) -> str:
    """A day's usage by app."""
    return f"{{fg}}:usage:{upstream}:{day}"


def breakdown(upstream: str, day: str) -> str:
    """A day's usage by key, model, quality and outcome."""
    return f"{{fg}}:breakdown:{upstream}:{day}"


def hits(upstream: str, day: str) -> str:
    """A day's responses without a purchase, by hour and app."""
    return f"{{fg}}:hits:{upstream}:{day}"


def delivery(request_id: str) -> str:
    """A webhook delivery: the notification that a request has ended."""
    return f"{{fg}}:delivery:{request_id}"


def deliveries(state: str) -> str:
    """Deliveries in a state: `waiting` ones by when they are due, others by when they ended."""
    return f"{{fg}}:deliveries:{state}"


def corrected(upstream: str) -> str:
    """The corrected costs of jobs."""
    return f"{{fg}}:corrected:{upstream}"


def opening(upstream: str) -> str:
    """Sums of the archived entries."""
    return f"{{fg}}:opening:{upstream}"


def next_opening(upstream: str) -> str:
    """The next sums of the archived entries, while entries are archived."""
    return f"{{fg}}:nextopening:{upstream}"


def torn(upstream: str) -> str:
    """Ledger operations that were begun and not completed."""
    return f"{{fg}}:torn:{upstream}"


def archivist(upstream: str) -> str:
    """The instance that is archiving an upstream's ledger."""
    return f"{{fg}}:archivist:{upstream}"


def reconciled(upstream: str) -> str:
    """Result of the last reconciliation with an upstream's billing."""
    return f"{{fg}}:reconciled:{upstream}"


def reconciler(upstream: str) -> str:
    """The instance whose turn it is to reconcile."""
    return f"{{fg}}:reconciler:{upstream}"


def proved(upstream: str) -> str:
    """Result of the last verification of an upstream's ledger."""
    return f"{{fg}}:proved:{upstream}"


def prover(upstream: str) -> str:
    """The instance whose turn it is to verify it."""
    return f"{{fg}}:prover:{upstream}"


def house(upstream: str) -> str:
    """The house's limit, and what settlements exceeded their holds by."""
    return f"{{fg}}:house:{upstream}"


def ledger(upstream: str) -> str:
    """Ledger entries of an upstream."""
    return f"{{fg}}:ledger:{upstream}"


def job(job_id: str) -> str:
    """A job."""
    return f"{{fg}}:job:{job_id}"


def refusal(job_id: str) -> str:
    """fal's error response for a refused job."""
    return f"{{fg}}:refusal:{job_id}"


def open_jobs(upstream: str) -> str:
    """Jobs that have not ended."""
    return f"{{fg}}:open:{upstream}"


def ended_jobs(upstream: str) -> str:
    """Jobs that have ended."""
    return f"{{fg}}:ended:{upstream}"


def submits(upstream: str) -> str:
    """The job of each of an upstream's request ids."""
    return f"{{fg}}:submits:{upstream}"


def flight(fingerprint: str) -> str:
    """The purchase under way for a fingerprint, or the marker of the last one."""
    return f"{{fg}}:flight:{fingerprint}"


def places(app: str, fingerprint: str) -> str:
    """Which concurrent request of a "team/app" takes which pictures of a pool."""
    return f"{{fg}}:places:{app}:{fingerprint}"


def waiters(flight: str) -> str:
    """Requests that wait for a flight."""
    return f"{{fg}}:waiters:{flight}"


def request(request_id: str) -> str:
    """A stored request."""
    return f"{{fg}}:request:{request_id}"


def pending(upstream: str) -> str:
    """Requests that wait for an upstream's pictures."""
    return f"{{fg}}:pending:{upstream}"


def answered(upstream: str) -> str:
    """Requests that have been answered."""
    return f"{{fg}}:answered:{upstream}"


def idempotency(name: str) -> str:
    """The request that an app's idempotency key stands for."""
    return f"{{fg}}:idempotency:{name}"


def progress(job_id: str) -> str:
    """Progress of a job at its upstream."""
    return f"{{fg}}:progress:{job_id}"


def pool(fingerprint: str) -> str:
    """The pictures of a fingerprint."""
    return f"fg:pool:{{{fingerprint}}}"


def picture(name: str) -> str:
    """Metadata of a stored picture."""
    return f"{{fgp}}:picture:{name}"


def about(fingerprint: str) -> str:
    """Metadata of a pool."""
    return f"{{fgp}}:about:{fingerprint}"


def pools_of(app: str) -> str:
    """The pools that a "team/app" has bought pictures for."""
    return f"{{fgp}}:poolsof:{app}"


def pictured(prompt_sha256: str) -> str:
    """The pictures of a prompt."""
    return f"{{fgp}}:pictured:{prompt_sha256}"


def prompt(sha256: str) -> str:
    """The pools of a prompt."""
    return f"{{fgp}}:prompt:{sha256}"
