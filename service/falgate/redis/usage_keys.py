"""Names of the Redis keys of the usage roll-ups, as in `keyspace`, which has the others."""

from falgate.redis.key import Key

HITS_KEPT_S = 40 * 86_400
BREAKDOWN_KEPT_S = 400 * 86_400
CALLERS_KEPT_S = 40 * 86_400

usage = Key("usage:<upstream>:<day>", "hash", "measures of one day, `<team>/<app>:<measure>`")
breakdown = Key(
    "breakdown:<upstream>:<day>",
    "hash",
    "the same, also by key, model, quality and outcome",
    "until swept after BREAKDOWN_KEPT_S",
)
hits = Key(
    "hits:<upstream>:<day>",
    "hash",
    "measures of a day by hour: `<hour>:<measure>`, `<hour>/<team>:..`, `<hour>/<team>/<app>:..`",
    "until swept after HITS_KEPT_S",
)
day_sums = Key(
    "daysums:<upstream>:<day>",
    "hash",
    "measures of a day, `<team>:..`, `<team>|<outcome>:..`, `<team>|<outcome>|<model>:..`; the "
    "latter two are forgotten with the breakdown",
)
month_sums = Key("monthsums:<upstream>:<month>", "hash", "measures of a month, `<team>:<measure>`")
callers = Key(
    "callers:<upstream>",
    "zset",
    "`<model>|<team>/<app>` that called, by the last day, as 20261130",
    "until swept after CALLERS_KEPT_S",
)
