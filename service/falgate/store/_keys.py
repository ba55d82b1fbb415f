"""Every key of Redis: its name, what it holds, and how long it lives.

One hash tag, `{fg}`, holds money, jobs, flights, keys of apps and the ledger, so that a claim and
its hold are one script, in Cluster too. A pool has a slot of its own. Only what can be lost without
buying twice expires by itself; the rest lives until a sweep takes it away, so that no `volatile-*`
policy can touch money.

| family | holds | lives |
| --- | --- | --- |
| meta | hash: the ledger's birth record | never expires |
| account | hash: limits, spent and held of one account | never expires |
| house | hash: limit and overrun of the house | never expires |
| ledger | stream: closing entries, append-only | never expires |
| job | hash: one job | swept JOB_KEPT_S after its end |
| refusal | string: fal's refusal of a job, which may quote its prompt | expires, REFUSAL_KEPT_S |
| open | sorted set: open jobs by the end of their lease, ms | never expires |
| ended | sorted set: ended jobs by their end, ms | swept with the jobs |
| submits | hash: fal's request id to job | swept with the jobs |
| flight | string: `open:<job>` or `done:<job>:<generation>:<count>` | swept after MARKER_KEPT_S |
| markers | sorted set: fingerprints of done flights by their end, ms | swept with the flights |
| apikey | hash: one key of an app | never expires |
| apikeys | set: ids of all keys | never expires |
| pool | hash: generation and pictures of one fingerprint | expires, by setting |
"""

from falgate.core.budget import Account

JOB_KEPT_S = 7 * 86_400
MARKER_KEPT_S = 120
REFUSAL_KEPT_S = 600

WAKE = "fg:wake"
"""Channel: ids of jobs that ended or are in trouble."""

META = "{fg}:meta"
MARKERS = "{fg}:markers"
APIKEYS = "{fg}:apikeys"


def account(upstream: str, account: Account) -> str:
    """Money of one account with one upstream."""
    return f"{{fg}}:account:{upstream}:{account.level}:{account.id}"


def house(upstream: str) -> str:
    """What settlements exceeded their holds by."""
    return f"{{fg}}:house:{upstream}"


def ledger(upstream: str) -> str:
    """Closing entries of one upstream."""
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


def apikey(key_id: str) -> str:
    """One app's key, by its public id."""
    return f"{{fg}}:apikey:{key_id}"


def pool(fingerprint: str) -> str:
    """The pictures of one fingerprint."""
    return f"fg:pool:{{{fingerprint}}}"
