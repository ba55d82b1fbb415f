"""Names of Redis keys, with what each holds and how long.

`picture_keys` has those of pictures, `usage_keys` those of the roll-ups. No other file builds a
name.

Money, jobs, flights, app keys and the ledger share the hash tag `{fg}`, so that one script can
claim a flight and hold its money, in Redis Cluster too. The catalogue of pictures has the tag
`{fgp}`, rates of requests have `{fgr}`, the log of requests has `{fgl}`, the console has `{fgs}`,
and each pool has a slot of its own.

Only keys whose loss cannot cause a second purchase expire by themselves. All others stay until a
sweep deletes them, so that no `volatile-*` eviction policy can touch money.
"""

from collections.abc import Mapping

from falgate.core.account import Account
from falgate.core.account import account as named_account
from falgate.redis import picture_keys, usage_keys
from falgate.redis.key import Key

JOB_KEPT_S = 7 * 86_400
MARKER_KEPT_S = 120
REFUSAL_KEPT_S = 600
POSTED_KEPT_S = 7 * 86_400
PROGRESS_KEPT_S = 86_400
DELIVERY_KEPT_S = 7 * 86_400
PLACES_KEPT_S = 86_400
REQUESTS_LOGGED_S = 7 * 86_400
EMPTIED_S = 2 * 86_400
"""How long an emptied pool is remembered as such, until all purchases begun before have ended."""

LOG_KINDS = ("hits", "bought", "refused")
"""The logs of requests that each team has."""

WAKE = "fg:wake"
"""Channel of the ids of jobs that ended or became uncertain, and of requests that ended."""
MOVED = "fg:moved"
"""Channel of the ids of jobs that got a slot, or whose progress at fal changed."""

_ACCOUNT = "{fg}:account:"

TO_KEYS, TO_CHANNELS = "~{fg*}:* ~fg:*", "&fg:*"
"""Rights to all keys and channels, in ACL notation."""

meta = Key("meta", "hash", "the ledger's id, calendar, trusted server and applied settings")
directory = Key("directory", "hash", "`team:<name>`, `model:<endpoint>` and so on, and a revision")
apikey = Key("apikey:<key_id>", "hash", "one app key, as JSON, in the field `record`")
former_apikeys = Key("apikeys", "hash", "app keys of an earlier version", "until split at a start")
key_order = Key("keyorder:<of>", "zset", "`<created>-<id>` of all keys, a team's or an app's")
operators = Key("operators", "hash", "operators by the ids of their keys, as JSON")
audit = Key("audit", "stream", "the audit log, append-only")
accounts = Key("accounts:<upstream>", "set", "names of the accounts that were charged or limited")
teams = Key("teams:<upstream>", "zset", "names of the teams among them")
limited = Key("limited:<upstream>", "zset", "names of those with budgets; `` once it has all")
account = Key("account:<upstream>:<account_name>", "hash", "budgets and counters of one account")
overage = Key("overage:<upstream>", "hash", "limit and overrun of the overage account")
former_overage = Key(
    "house:<upstream>", "hash", "the same, of an earlier version", "until renamed at a start"
)
stops = Key("stops", "hash", "what operators stopped, `team:<name>` and so on, as JSON")
ledger = Key("ledger:<upstream>", "stream", "ledger entries, append-only until archived")
corrected = Key(
    "corrected:<upstream>",
    "hash",
    "corrected costs of jobs, by job",
    "until the job's entry is archived",
)
opening = Key(
    "opening:<upstream>", "hash", "sums of the archived entries", "until swept with their counters"
)
next_opening = Key(
    "nextopening:<upstream>", "hash", "the next opening sums", "while entries are archived"
)
torn = Key(
    "torn:<upstream>",
    "hash",
    "ledger operations under way, by job; seen only after a torn write",
    "until the operation is completed or `ledger recover` undoes it",
)
archivist = Key(
    "archivist:<upstream>",
    "string",
    "the instance that archives the ledger",
    "for minutes",
    lives="expires",
)
posted = Key(
    "posted", "zset", "ids of idempotent operations, by time, ms", "until swept after POSTED_KEPT_S"
)
alerts = Key("alerts", "stream", "thresholds reached and first refusals, until they are delivered")
alerted = Key("alerted", "set", "names of the alerts that are queued once only")
alert_turn = Key(
    "alertturn:<of>",
    "string",
    "the instance that told of an upstream's balance, or looked after models that end",
    "for an hour, or a day",
    lives="expires",
)
delivery = Key(
    "delivery:<request_id>",
    "hash",
    "one webhook delivery, by request id",
    "until swept DELIVERY_KEPT_S after its end",
)
deliveries = Key(
    "deliveries:<state>",
    "zset",
    "deliveries in a state, by when due or ended, ms",
    "until swept with them",
)
reconciled = Key(
    "reconciled:<upstream>", "hash", "result of the last reconciliation with fal's billing"
)
reconciler = Key(
    "reconciler:<upstream>",
    "string",
    "the instance that reconciled last",
    "for an hour",
    lives="expires",
)
verified = Key("verified:<upstream>", "hash", "result of the last verification of the ledger")
verifier = Key(
    "verifier:<upstream>",
    "string",
    "the instance that verified last",
    "for an hour",
    lives="expires",
)
model_drifts = Key("modeldrifts", "hash", "what fal changed of described models, as JSON")
model_watch = Key("modelwatch", "string", "who compared models last", "6 hours", lives="expires")
job = Key("job:<job_id>", "hash", "one job", "until swept JOB_KEPT_S after its end")
refusal = Key(
    "refusal:<job_id>",
    "string",
    "fal's refusal of a job, which may quote its prompt",
    "for REFUSAL_KEPT_S",
    lives="expires",
)
open_jobs = Key("open:<upstream>", "zset", "open jobs by the end of their lease, ms")
ended_jobs = Key(
    "ended:<upstream>", "zset", "ended jobs by their end, ms", "until swept with the jobs"
)
submits = Key("submits:<upstream>", "hash", "fal's request id to job", "until swept with the jobs")
slots = Key(
    "slots:<upstream>", "zset", "`<job>:<team>` with a slot at the upstream, by since when, ms"
)
waiting = Key("waiting:<upstream>", "zset", "`<job>:<team>` waiting for a slot, by virtual time")
turns = Key(
    "turns:<upstream>", "hash", "virtual time of the queue for slots", "until the queue is empty"
)
pace = Key(
    "pace:<upstream>:<account_name>",
    "zset",
    "purchases of an account in the last minute, by when, ms",
    "for a minute",
    lives="expires",
)
rate = Key(
    "{fgr}:rate:<account_name>",
    "string",
    "when an account's rate is back to a full allowance",
    "for seconds",
    lives="expires",
)
session = Key(
    "{fgs}:session:<digest>",
    "string",
    "one session of the console, as JSON, by the hash of its id",
    "until it is not used for `FALGATE_CONSOLE_IDLE_S`",
    lives="expires",
)
sign_in_link = Key(
    "{fgs}:link:<digest>",
    "string",
    "whom a link signs in once, by the hash of its secret",
    "10 minutes",
    lives="expires",
)
sent_form = Key(
    "{fgs}:form:<digest>",
    "string",
    "a form of the console that was sent, by the hash of its id",
    "for a day",
    lives="expires",
)
first_steps = Key("{fgs}:firststeps", "set", "first steps that were taken in the console")
flight = Key(
    "flight:<flight_name>",
    "string",
    "`open:<job>` or `done:<job>:<generation>:<count>`",
    "until swept after MARKER_KEPT_S",
)
markers = Key(
    "markers",
    "zset",
    "fingerprints of done flights by their end, ms",
    "until swept with the flights",
)
places = Key(
    "places:<app>:<fingerprint>",
    "hash",
    "which concurrent request of an app takes what of a pool, by lease",
    "for a day",
    lives="expires",
)
waiters = Key(
    "waiters:<flight_name>",
    "zset",
    "requests that wait for a flight, by deadline",
    "for a day",
    lives="expires",
)
request = Key(
    "request:<request_id>", "hash", "one stored request", "until swept after its end, by setting"
)
pending = Key("pending:<upstream>", "zset", "stored requests by the end of their lease, ms")
answered = Key(
    "answered:<upstream>",
    "zset",
    "stored requests by their end, ms",
    "until swept with the requests",
)
idempotency = Key(
    "idempotency:<name>",
    "hash",
    "the request that an idempotency key stands for",
    "until swept with the request",
)
progress = Key(
    "progress:<job_id>", "string", "a job's progress at the upstream", "for a day", lives="expires"
)

request_log = Key(
    "{fgl}:log:<kind>:<team>",
    "stream",
    "the last requests of a kind of a team's; of no team, those without a known key",
    "for REQUESTS_LOGGED_S",
    lives="expires",
)
logged = Key(
    "{fgl}:logged:<kind>:<team>",
    "hash",
    "ids of the entries of such a log, by request",
    "as long as the log",
    lives="expires",
)
request_logs = Key("{fgl}:logs", "zset", "`<kind>:<team>` of these logs, by their last entry, ms")

META = meta()
DIRECTORY = directory()
FORMER_APIKEYS = former_apikeys()
OPERATORS = operators()
AUDIT = audit()
FIRST_STEPS = first_steps()
STOPS = stops()
MODEL_DRIFTS = model_drifts()
POSTED = posted()
ALERTS = alerts()
ALERTED = alerted()
MARKERS = markers()
REQUEST_LOGS = request_logs()

TRACKED = (apikey(""), DIRECTORY, picture_keys.pool("").removesuffix("}"))
"""Beginnings of the names of keys that are kept in memory, see `tracking`."""

KEYS: Mapping[str, Key] = {
    name: key
    for name, key in {**vars(picture_keys), **vars(usage_keys), **globals()}.items()
    if isinstance(key, Key)
}
"""All families, by the name that they have here, in the two other files and in scripts."""


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
