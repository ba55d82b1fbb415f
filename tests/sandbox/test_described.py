"""The sandbox sells described models as their documents and terms say."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from falgate.sandbox.behaviour import Behaviour

Serve = Callable[..., httpx.Client]
AT_ONCE = Behaviour(work_s=0)
SCHNELL, FLUX = "/queue/fal-ai/flux/schnell", "/queue/fal-ai/flux-2-pro"


def bought(client: httpx.Client, path: str, **fields: Any) -> dict[str, Any]:
    """The result of a request."""
    accepted = client.post(path, json={"prompt": "a fox", **fields}).json()
    found: dict[str, Any] = client.get(accepted["response_url"]).json()
    return found


def pictures(client: httpx.Client, result: dict[str, Any]) -> list[bytes]:
    """The bytes of its pictures."""
    return [client.get(image["url"]).content for image in result["images"]]


def test_a_result_has_what_the_document_says(serve: Serve) -> None:
    result = bought(serve(behaviour=AT_ONCE), SCHNELL, num_images=3)

    assert result.keys() == {"images", "timings", "seed", "has_nsfw_concepts"}
    assert result["has_nsfw_concepts"] == [False] * 3


def test_a_seed_makes_the_same_pictures_again_and_no_seed_makes_others(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    one, two = (bought(client, SCHNELL, seed=7, num_images=2) for _ in range(2))
    plain, other = (bought(client, SCHNELL) for _ in range(2))

    assert (one["seed"], two["seed"]) == (7, 7)
    assert pictures(client, one) == pictures(client, two)
    assert pictures(client, plain) != pictures(client, other)
    assert plain["seed"] != other["seed"]


@pytest.mark.parametrize(
    ("path", "fields", "micros"),
    [
        (SCHNELL, {"num_images": 2, "image_size": {"width": 1024, "height": 768}}, 6_000),
        (FLUX, {"image_size": {"width": 512, "height": 512}}, 30_000),
        (FLUX, {"image_size": {"width": 1920, "height": 1088}}, 60_000),
        # What it chooses where a size has only a name has two megapixels.
        (FLUX, {"image_size": "landscape_4_3"}, 45_000),
    ],
)
def test_it_bills_by_the_terms(
    serve: Serve, path: str, fields: dict[str, Any], micros: int
) -> None:
    client = serve(behaviour=AT_ONCE)
    bought(client, path, **fields)

    assert client.get("/sandbox/books").json()["billed_micros"] == micros


def test_it_refuses_what_the_document_refuses(serve: Serve) -> None:
    result = bought(serve(behaviour=AT_ONCE), SCHNELL, num_inference_steps=13)

    assert result["detail"][0]["loc"] == ["body", "num_inference_steps"]
