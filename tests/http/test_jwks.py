"""The published key: where fal has its own, for everybody, the same at every start."""

import base64
from typing import Any

import httpx
from patience import PATIENCE_S


async def test_the_key_that_webhooks_are_signed_with_is_published(gateway: Any) -> None:
    async with httpx.AsyncClient(
        base_url=gateway.url, trust_env=False, timeout=PATIENCE_S
    ) as anybody:
        answer = await anybody.get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "max-age=3600, public"
    key, padded = answer.json()["keys"]
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")
    assert "=" not in key["x"] + key["kid"]
    assert len(base64.urlsafe_b64decode(key["x"] + "=")) == 32
    assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    # For receivers that decode it as it is, as fal's own recipe in Python does.
    assert base64.urlsafe_b64decode(padded["x"]) == base64.urlsafe_b64decode(key["x"] + "=")


async def test_it_is_documented(client: httpx.AsyncClient) -> None:
    document = (await client.get("/docs/openapi.json")).json()

    operation = document["paths"]["/.well-known/jwks.json"]["get"]
    assert operation["operationId"] == "jwks"
    assert "security" not in operation
