"""Names of the Redis keys about pictures: those that are served, and those that callers send.

As in `keyspace`, which has the others. The catalogue and the inputs have the tag `{fgp}`, and each
pool has a slot of its own.
"""

from falgate.redis.key import Key

picture = Key(
    "{fgp}:picture:<name>", "hash", "metadata of one stored picture", "until deleted with its bytes"
)
pictures = Key(
    "{fgp}:pictures",
    "zset",
    "names of pictures by their worth, for eviction",
    "until deleted likewise",
)
media = Key("{fgp}:media", "hash", "number and total bytes of stored pictures")
about = Key(
    "{fgp}:about:<fingerprint>",
    "hash",
    "metadata of one pool, and who bought for it",
    "until deleted when its pool is gone",
)
pools = Key(
    "{fgp}:pools", "zset", "fingerprints by their last purchase, ms", "until deleted likewise"
)
pools_of = Key(
    "{fgp}:poolsof:<app>",
    "zset",
    "fingerprints that an app or a team bought for, by time, ms",
    "until deleted likewise",
)
pools_for = Key(
    "{fgp}:poolsfor:<endpoint>",
    "zset",
    "fingerprints of a model, by their last purchase, ms",
    "until deleted likewise",
)
pools_with = Key(
    "{fgp}:poolswith:<word>",
    "zset",
    "fingerprints of stored prompts that have a word, by its hash, by their last purchase, ms",
    "until deleted likewise",
)
pinned_pools = Key(
    "{fgp}:pinnedpools",
    "zset",
    "fingerprints that have or had a pinned picture, by their last purchase, ms",
    "until deleted likewise",
)
thumbnails = Key(
    "{fgp}:thumbnails",
    "zset",
    "names of pictures whose thumbnails are being stored, by when that began, ms",
    "until they are stored, or swept after an hour",
)
prompt = Key(
    "{fgp}:prompt:<prompt_sha256>",
    "set",
    "fingerprints of one prompt, by its hash",
    "until deleted likewise",
)
pictures_of_prompt = Key(
    "{fgp}:pictured:<prompt_sha256>",
    "set",
    "names of the pictures of one prompt, by its hash",
    "until deleted with them",
)
inputs = Key(
    "{fgp}:inputs:<app>",
    "zset",
    "names of an app's input pictures by their last use, ms",
    "until deleted with their bytes",
)
input_apps = Key(
    "{fgp}:inputapps", "set", "apps that have input pictures", "until their last one is deleted"
)
issued = Key(
    "{fgp}:issued:<app>",
    "zset",
    "ids of an app's uploads and tokens, by their end, ms",
    "as long as the last of them",
    lives="expires",
)
ticket = Key(
    "{fgp}:ticket:<token>",
    "string",
    "an upload that was announced, and whose it is",
    "for minutes",
    lives="expires",
)
grant = Key(
    "{fgp}:grant:<token>",
    "string",
    "public id of the key that a token uploads for",
    "for an hour",
    lives="expires",
)
upload = Key(
    "{fgp}:upload:<upload_id>",
    "string",
    "an uploaded input picture, and whose it is",
    "as long as input pictures are, by setting",
    lives="expires",
)
sent_input = Key(
    "{fgp}:sentinput:<upstream>:<sha256>",
    "string",
    "URL of an input picture at an upstream",
    "for hours",
    lives="expires",
)
maintenance = Key(
    "{fgp}:maintenance",
    "string",
    "the instance that maintains the pictures",
    "for a minute",
    lives="expires",
)
pool = Key(
    "fg:pool:{<fingerprint>}",
    "hash",
    "generation and pictures of one fingerprint",
    "until its pictures expire, unless one is pinned",
    lives="either",
)

PICTURES = pictures()
MEDIA = media()
POOLS = pools()
PINNED_POOLS = pinned_pools()
THUMBNAILS = thumbnails()
INPUT_APPS = input_apps()
MAINTENANCE = maintenance()
