"""Limits on what callers send: every header, query parameter and path segment that is read.

The edge enforces the header lists: a header that is too long is refused with 431, and one that is
not listed is dropped before anything behind the edge sees it. docs/bounds.md is this file for
people, and a test keeps the two equal.
"""

from collections.abc import Mapping

import msgspec

PATH_MAX, QUERY_MAX = 8_192, 8_192
"""A whole path and a whole query: bytes before decoding, and characters after."""

ADMIN_PART_MAX = 200
"""Characters in each segment of an admin path."""

NAMES_MAX, NAME_MAX = 16, 64
"""How many unknown names from a request one response repeats, and characters in each."""

_OURS = 1_024


class Bound(msgspec.Struct, frozen=True):
    """The maximum length of something that callers send.

    Attributes:
        most: Bytes of all lines of a header together; characters of anything else.
        beyond: What happens to a request that exceeds it, or does not have the required form.
    """

    most: int
    beyond: str


NESTING_MAX = 300
"""Depth of nested lists and objects; encoding anything deeper would take too much stack."""

PROBLEMS_KEPT_MAX, QUOTATION_KEPT_MAX = 20, 1_024
"""Input problems kept for a queued request, and characters of input quoted in each."""


def _headers(most: int, beyond: str, *names: str) -> dict[str, Bound]:
    return {name: Bound(most, beyond) for name in names}


HEADERS: dict[str, Bound] = {
    **_headers(4_096, "401 unless it is a key", "authorization"),
    **_headers(
        _OURS,
        "422 if invalid",
        "x-falgate-variation",
        "x-falgate-scope",
    ),
    **_headers(_OURS, "hashed, so any text is valid", "idempotency-key"),
    **_headers(_OURS, "400 unless 1 to 64 printable characters", "x-falgate-actor"),
    **_headers(
        _OURS,
        "ignored if invalid",
        "cache-control",
        "x-fal-queue-priority",
        "x-fal-request-start-timeout",
        "x-fal-request-timeout",
        "x-fal-runner-hint",
        "x-fal-store-io",
        "range",
        "if-range",
    ),
    **_headers(4_096, "ignored unless it names a tag", "if-none-match"),
    **_headers(
        _OURS,
        "415 unless it is one type; 422 unless that is JSON, except under /admin/v1",
        "content-type",
    ),
    **_headers(_OURS, "415 unless identity", "content-encoding"),
    **_headers(20, "413 if the body would be too long", "content-length"),
    **_headers(_OURS, "URLs in the response have the default address", "host"),
    **_headers(
        _OURS,
        "ignored if malformed; read from trusted proxies only",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-prefix",
        "x-forwarded-proto",
    ),
    **_headers(_OURS, "no page may read the response", "origin"),
    **_headers(_OURS, "not treated as a preflight", "access-control-request-method"),
    **_headers(
        4_096,
        "invalid header names are not allowed, nor any after the 64th",
        "access-control-request-headers",
    ),
    **_headers(8_192, "400 unless it is an address of fal's", "x-fal-target-url"),
    **_headers(
        _OURS,
        "401 unless signed by fal",
        "x-fal-webhook-request-id",
        "x-fal-webhook-signature",
        "x-fal-webhook-timestamp",
        "x-fal-webhook-user-id",
    ),
}
"""By lower-case name. A request with a header longer than `most` is refused with 431."""

CONSOLE_HEADERS: dict[str, Bound] = {
    **_headers(16_384, "ignored unless it names a session", "cookie"),
    **_headers(_OURS, "a form is refused", "sec-fetch-site"),
    **_headers(_OURS, "a whole page is sent", "hx-request"),
}
"""Those that are read below /console only; apps' browsers may send cookies of any length."""

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
    "code": Bound(4_096, "400"),
    "iss": Bound(2_048, "400"),
    "error": Bound(NAME_MAX, "400"),
    "next": Bound(QUERY_MAX, "the overview is shown, as for anything but a page of the console"),
    "books": Bound(NAME_MAX, "400"),
    "by": Bound(NAME_MAX, "400"),
    "from": Bound(NAME_MAX, "400"),
    "to": Bound(NAME_MAX, "400"),
    "older_than_s": Bound(10, "400"),
    "preview": Bound(NAME_MAX, "400"),
}
"""By name; any other parameter is ignored. A whole query longer than `QUERY_MAX` gets 414."""

PARTS: Mapping[str, Bound] = {
    "model": Bound(PATH_MAX, "404, which repeats at most 64 characters of it"),
    "request id": Bound(36, "404 unless it looks like a request id"),
    "action": Bound(PATH_MAX, "404, which repeats at most 64 characters of it"),
    "picture": Bound(69, "404 unless it looks like a picture name"),
    "token of an upload": Bound(32, "404 unless issued by falgate"),
    "token of fal's hook": Bound(129, "404 unless issued by falgate"),
    "any part under /admin/v1": Bound(ADMIN_PART_MAX, "404"),
}
"""Path segments, by what they name. A whole path longer than `PATH_MAX` gets 404."""

BODIES: Mapping[str, Bound] = {
    "a body": Bound(1_048_576, "413; `FALGATE_BODY_BYTES_MAX` sets another"),
    "lists and objects inside one another": Bound(NESTING_MAX, "422 in place of a quotation"),
    "digits of a whole number": Bound(4_300, "422"),
    "`prompt`": Bound(1_048_576, "as long as the body may be; each byte is priced"),
    "names of unknown fields told back": Bound(NAMES_MAX, "left out, as are names over 64"),
    "problems kept with a queued request": Bound(PROBLEMS_KEPT_MAX, "left out"),
    "a quotation kept with a queued request": Bound(QUOTATION_KEPT_MAX, "cut"),
    "name of a team or an app": Bound(NAME_MAX, "400"),
    "note of a key": Bound(200, "400"),
    "amount in dollars": Bound(16, "400"),
    "prompt to find or to forget": Bound(1_000_000, "400"),
    "request id in fal's hook": Bound(64, "not believed"),
}
"""Parts of bodies, by their purpose. Any other field has a type that bounds it."""
