"""How large a body may be, and how long it may take, by the path that it is sent to."""

from typing import Any

import pytest

from falgate.http.body_limits import BodyLimits
from falgate.models.endpoints import MODELS

EDIT, TEXT = "openai/gpt-image-2/edit", "openai/gpt-image-2"
BODY, INPUT = 1_000, 30_000
LIMITS = BodyLimits(MODELS, bytes_max=BODY, time_s=2, input_bytes_max=INPUT)


def limit(path: str, **headers: str) -> tuple[int, float]:
    scope: Any = {
        "path": path,
        "headers": [(name.replace("_", "-").encode(), each.encode()) for name, each in
                    headers.items()],
    }  # fmt: skip
    return LIMITS.of(scope)


@pytest.mark.parametrize(
    "path", [f"{before}/{EDIT}" for before in ("", "/run", "/queue", "/v1/quote")]
)
def test_an_edit_may_have_one_input_as_base64_and_as_much_more_time(path: str) -> None:
    assert limit(path) == (BODY + INPUT * 4 // 3, 82)


@pytest.mark.parametrize("path", ["/console/playground", "/console/playground/quote"])
def test_the_playground_takes_an_input_too(path: str) -> None:
    assert limit(path) == (BODY + INPUT * 4 // 3, 82)


@pytest.mark.parametrize("path", ["/uploads/abc", "/cdn/files/upload"])
def test_an_upload_may_be_one_input(path: str) -> None:
    assert limit(path) == (INPUT, 60)


@pytest.mark.parametrize(
    "path",
    [f"/{TEXT}", f"/queue/{TEXT}", "/cdn/files/upload/multipart", "/rest/storage/upload/initiate",
     "/cdn/files/uploads", "/console/keys/new", "/admin/v1/keys",
     f"/admin/v1/{EDIT}", f"/{EDIT}x", "/", ""],
)  # fmt: skip
def test_no_other_body_is_larger(path: str) -> None:
    assert limit(path) == (BODY, 2)


def test_a_proxied_body_is_as_large_as_its_target_may_have() -> None:
    proxy = "/api/fal/proxy"

    assert limit(proxy, x_fal_target_url=f"https://fal.run/{EDIT}")[0] > BODY
    assert limit(proxy, x_fal_target_url=f"https://queue.fal.run/{EDIT}")[0] > BODY
    assert limit(proxy, x_fal_target_url=f"https://fal.run/{TEXT}") == (BODY, 2)
    assert limit(proxy, x_fal_target_url=f"https://elsewhere.example/{EDIT}") == (BODY, 2)
    assert limit(proxy) == (BODY, 2)


def test_inputs_that_are_smaller_than_bodies_make_no_body_smaller() -> None:
    limits = BodyLimits(MODELS, bytes_max=BODY, time_s=2, input_bytes_max=1)
    scope: Any = {"path": "/uploads/abc", "headers": []}

    assert limits.of(scope) == (BODY, 2)
