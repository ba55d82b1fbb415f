"""What a key may not ask for is refused before anything is looked up, held or changed."""

import json
from typing import Any

import pytest
from callers import caller_with

from falgate.accounts.apikey import KeyRecord, Permissions
from falgate.core.errors import InputRejected, NotAllowed
from falgate.jobs import admission
from falgate.models.endpoints import MODELS

ENDPOINT = "fal-ai/gpt-image-1.5"
CAT = {"prompt": "a cat", "quality": "low", "image_size": "1024x1024", "num_images": 2}
ALLOWED = Permissions(models=(ENDPOINT,), qualities=("low",), sizes=("1024x1024",), pictures_max=2)


def admit(permissions: Permissions, body: dict[str, Any]) -> admission.AdmittedRequest:
    """Admit a body of a key with these permissions."""
    key = KeyRecord(
        id="k",
        kind="live",
        digest="",
        team="web",
        app="shop",
        name="",
        created_s=0,
        permissions=permissions,
    )
    caller = caller_with(key)
    spec = MODELS[ENDPOINT]
    return admission.admit(
        caller,
        spec,
        admission.read(caller, spec, json.dumps(body).encode(), "application/json"),
        upstream="fal",
        derives=True,
        headers={},
        request_id="r",
    )


def test_what_is_allowed_is_admitted_as_it_is() -> None:
    assert admit(ALLOWED, CAT).arguments == admit(Permissions(), CAT).arguments


@pytest.mark.parametrize(
    ("permissions", "named"),
    [
        (Permissions(models=("fal-ai/another",)), "fal-ai/another"),
        (Permissions(qualities=("medium", "high")), "medium, high"),
        (Permissions(sizes=("auto",)), "auto"),
        (Permissions(pictures_max=1), "1 pictures at once, not for 2"),
    ],
    ids=["model", "quality", "size", "number"],
)
def test_what_is_not_is_refused_and_told_what_is(permissions: Permissions, named: str) -> None:
    with pytest.raises(NotAllowed, match=named) as refused:
        admit(permissions, CAT)

    assert refused.value.status == 403


def test_what_a_body_leaves_out_counts_as_the_model_fills_it_in() -> None:
    with pytest.raises(NotAllowed, match="low"):
        admit(Permissions(qualities=("low",)), {"prompt": "a cat"})


def test_a_model_that_is_not_allowed_is_refused_before_its_body_is_read() -> None:
    with pytest.raises(NotAllowed):
        admit(Permissions(models=("fal-ai/another",)), {"num_images": 9})
    with pytest.raises(InputRejected):
        admit(ALLOWED, {"num_images": 9})
