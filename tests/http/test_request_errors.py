"""What is refused by a request as such, in fal's form."""

from typing import Any

import pytest

from falgate.core.errors import Refusal
from falgate.http import request_errors

TYPE = {"X-Fal-Error-Type": "bad_request"}
CASES: dict[str, tuple[Refusal, int, str, dict[str, str]]] = {
    "header too long": (
        request_errors.HeaderTooLong("cache-control", 1024),
        431,
        "Cache-Control is longer than 1024 bytes",
        TYPE,
    ),
    "query too long": (
        request_errors.QueryTooLong(9),
        414,
        "The query is longer than 9 bytes",
        TYPE,
    ),
    "body encoded": (
        request_errors.BodyEncoded("gzip"),
        415,
        "Content-Encoding: gzip is not supported; send the body uncompressed",
        {**TYPE, "Accept-Encoding": "identity"},
    ),
    "type unclear": (
        request_errors.TypeUnclear("a/b, c/d"),
        415,
        "Content-Type: a/b, c/d is more than one type; send only application/json",
        TYPE,
    ),
    "body too large": (
        request_errors.BodyTooLarge(9),
        413,
        "The request body is larger than 9 bytes",
        TYPE,
    ),
    "upload in parts": (
        request_errors.UploadInParts(),
        413,
        "A file that is uploaded in parts is too large for an input picture; send a smaller one",
        TYPE,
    ),
    "body too slow": (
        request_errors.BodyTooSlow(10.0),
        400,
        "The request body did not arrive within 10 s",
        {**TYPE, "Connection": "close"},
    ),
}


@pytest.mark.parametrize(("refusal", "status", "words", "headers"), CASES.values(), ids=CASES)
def test_a_refusal_is_worded_as_fal_words_its_own(
    refusal: Refusal, status: int, words: str, headers: dict[str, str]
) -> None:
    body: Any = {"detail": words, "error_type": "bad_request"}

    assert (refusal.status, refusal.body(), refusal.headers()) == (status, body, headers)


def test_every_refusal_has_its_case() -> None:
    declared = {
        kind
        for kind in vars(request_errors).values()
        if isinstance(kind, type) and issubclass(kind, Refusal) and kind is not Refusal
    }

    assert {type(refusal) for refusal, *_ in CASES.values()} == declared
