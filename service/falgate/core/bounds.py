"""Bounds on what callers send: every header, query and path that is read, and how long it may be.

The edge holds requests to the lists of headers here: one that is longer is refused, and one that is
on no list is not seen by anything behind the edge. docs/bounds.md is this file for people.
"""

from collections.abc import Mapping

import msgspec

PATH_MAX, QUERY_MAX = 8_192, 8_192
"""Of a whole path and a whole query: bytes before they are decoded, and characters after."""

ADMIN_PART_MAX = 200
"""Of each part of a path of the administration."""

NAMES_MAX, NAME_MAX = 16, 64
"""How many of a caller's names one answer tells back, and characters of each."""

_OURS = 1_024


class Bound(msgspec.Struct, frozen=True):
    """How long something may be.

    Attributes:
        most: Bytes of a header's lines together, characters of anything else.
        beyond: What becomes of a request where it is longer, or not of the form that it has.
    """

    most: int
    beyond: str


NESTING_MAX = 300
"""Lists and objects inside one another: to encode what quotes deeper ones takes too much stack."""

PROBLEMS_KEPT_MAX, QUOTATION_KEPT_MAX = 20, 1_024
"""Problems with an input that are kept, and characters of the input that one of them quotes."""


def _headers(most: int, beyond: str, *names: str) -> dict[str, Bound]:
    return {name: Bound(most, beyond) for name in names}


HEADERS: Mapping[str, Bound] = {
    **_headers(4_096, "401 where it is no key", "authorization"),
    **_headers(
        _OURS,
        "422 where it makes no sense",
        "x-falgate-variation",
        "x-falgate-scope",
    ),
    **_headers(_OURS, "hashed, so any text will do", "idempotency-key"),
    **_headers(_OURS, "400 unless 1 to 64 printable characters", "x-falgate-actor"),
    **_headers(
        _OURS,
        "ignored where it makes no sense",
        "cache-control",
        "x-fal-queue-priority",
        "x-fal-request-start-timeout",
        "x-fal-request-timeout",
        "x-fal-runner-hint",
        "x-fal-store-io",
        "range",
        "if-range",
    ),
    **_headers(4_096, "ignored where it names no tag", "if-none-match"),
    **_headers(
        _OURS,
        "415 where it is not one type; 422 where that is not JSON, but under /admin/v1",
        "content-type",
    ),
    **_headers(_OURS, "415 unless identity", "content-encoding"),
    **_headers(20, "413 where that is more than a body may have", "content-length"),
    **_headers(_OURS, "the default address is answered with", "host"),
    **_headers(
        _OURS,
        "ignored where it is not of a clean form; read from trusted proxies only",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-prefix",
        "x-forwarded-proto",
    ),
    **_headers(_OURS, "no page may read the answer", "origin"),
    **_headers(_OURS, "it is no preflight", "access-control-request-method"),
    **_headers(
        4_096,
        "what is no name of a header is not allowed, nor the 65th",
        "access-control-request-headers",
    ),
    **_headers(8_192, "400 where it is no address of fal's", "x-fal-target-url"),
    **_headers(
        _OURS,
        "401 where fal did not sign it",
        "x-fal-webhook-request-id",
        "x-fal-webhook-signature",
        "x-fal-webhook-timestamp",
        "x-fal-webhook-user-id",
    ),
}
"""By lower-case name. All of them: longer than `most`, a request is refused with 431."""

QUERIES: Mapping[str, Bound] = {
    "fal_webhook": Bound(2_048, "422"),
    "fal_max_queue_length": Bound(9, "ignored"),
    "logs": Bound(4, "no logs"),
    "expires": Bound(12, "403"),
    "signature": Bound(43, "403"),
    "endpoint_id": Bound(QUERY_MAX, "404"),
    "limit": Bound(3, "400"),
    "cursor": Bound(200, "400"),
    "of": Bound(200, "400"),
    "app": Bound(200, "400"),
    "team": Bound(150, "400"),
    "key": Bound(150, "400"),
    "job": Bound(150, "400"),
    "kind": Bound(NAME_MAX, "400"),
    "outcome": Bound(NAME_MAX, "400"),
    "state": Bound(NAME_MAX, "400"),
    "books": Bound(NAME_MAX, "400"),
    "by": Bound(NAME_MAX, "400"),
    "from": Bound(NAME_MAX, "400"),
    "to": Bound(NAME_MAX, "400"),
    "older_than_s": Bound(10, "400"),
}
"""By name; any other is ignored. The whole query: 414 where it is longer than `QUERY_MAX`."""

PARTS: Mapping[str, Bound] = {
    "model": Bound(PATH_MAX, "404, which tells no more than 64 characters of it back"),
    "request id": Bound(36, "404 unless it is of the form of ours"),
    "action": Bound(PATH_MAX, "404, which tells no more than 64 characters of it back"),
    "picture": Bound(69, "404 unless it is a name of ours"),
    "token of fal's hook": Bound(129, "404 unless it was given out here"),
    "any part under /admin/v1": Bound(ADMIN_PART_MAX, "404"),
}
"""Of paths, by what they name. The whole path: 404 where it is longer than `PATH_MAX`."""

BODIES: Mapping[str, Bound] = {
    "a body": Bound(1_048_576, "413; `FALGATE_BODY_BYTES_MAX` sets another"),
    "lists and objects inside one another": Bound(NESTING_MAX, "422 in place of a quotation"),
    "digits of a whole number": Bound(4_300, "422"),
    "`prompt`": Bound(1_048_576, "as long as the body may be; each byte is priced"),
    "names of unknown fields told back": Bound(NAMES_MAX, "left out, as is one of 65 characters"),
    "problems kept with a queued request": Bound(PROBLEMS_KEPT_MAX, "left out"),
    "a quotation kept with a queued request": Bound(QUOTATION_KEPT_MAX, "cut"),
    "name of a team or an app": Bound(NAME_MAX, "400"),
    "note of a key": Bound(200, "400"),
    "amount in dollars": Bound(16, "400"),
    "prompt to find or to forget": Bound(1_000_000, "400"),
    "request id in fal's hook": Bound(64, "not believed"),
}
"""Of bodies, by what they are read for; every other field has its own type, or refuses the body."""
