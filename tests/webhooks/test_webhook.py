"""Webhooks: fal's form, fal's signature, and ten more attempts over two hours."""

import base64
import hashlib
import json

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from falgate.webhooks.delivery import Delivery, RequestOutcome, Signer, body, pause_s

SIGNER = Signer(bytes(range(32)), "ledger-1")
DONE = RequestOutcome(request_id="r-1", ok=True, payload={"images": [{"url": "https://x/a.png"}]})


def test_an_output_is_told_as_fal_tells_it() -> None:
    assert json.loads(body(DONE)) == {
        "request_id": "r-1",
        "gateway_request_id": "r-1",
        "status": "OK",
        "error": None,
        "payload": {"images": [{"url": "https://x/a.png"}]},
    }


def test_an_error_is_told_as_fal_tells_it() -> None:
    failed = RequestOutcome(
        request_id="r-1", ok=False, payload={"detail": []}, error="Invalid status code: 422"
    )

    assert json.loads(body(failed)) == {
        "request_id": "r-1",
        "gateway_request_id": "r-1",
        "status": "ERROR",
        "error": "Invalid status code: 422",
        "payload": {"detail": []},
    }


def test_a_payload_that_is_missing_is_told_with_why() -> None:
    missing = RequestOutcome(request_id="r-1", ok=True, payload=None, payload_error="no JSON")

    told = json.loads(body(missing))

    assert (told["payload"], told["payload_error"]) == (None, "no JSON")


def test_the_signature_is_over_fal_s_four_lines() -> None:
    sent = body(DONE)
    headers = SIGNER.headers("r-1", sent, 1_763_820_000)

    assert headers["X-Fal-Webhook-Request-Id"] == "r-1"
    assert headers["X-Fal-Webhook-User-Id"] == "ledger-1"
    assert headers["X-Fal-Webhook-Timestamp"] == "1763820000"
    lines = f"r-1\nledger-1\n1763820000\n{hashlib.sha256(sent).hexdigest()}"
    [key, _] = SIGNER.key_set()["keys"]
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    signature = bytes.fromhex(headers["X-Fal-Webhook-Signature"])
    public.verify(signature, lines.encode())
    with pytest.raises(InvalidSignature):
        public.verify(signature, lines.replace("r-1", "r-2").encode())


def test_the_key_set_has_the_public_key_under_its_thumbprint() -> None:
    # RFC 8037, appendix A.1 to A.3.
    seed = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")

    [known, padded] = Signer(seed, "u").key_set()["keys"]

    assert known == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "use": "sig",
        "alg": "EdDSA",
    }
    assert padded == {**known, "x": f"{known['x']}=", "kid": f"{known['kid']}.padded"}


def test_ten_more_attempts_are_spread_over_two_hours() -> None:
    pauses = [pause_s(attempts, 0.5) or 0 for attempts in range(1, 11)]

    assert sum(pauses) == 7_200
    assert pauses == sorted(pauses)
    assert pause_s(11, 0.5) is None


def test_chance_moves_an_attempt_by_a_tenth() -> None:
    assert (pause_s(6, 0.0), pause_s(6, 0.5), pause_s(6, 1.0)) == (540.0, 600.0, 660.0)


def test_neither_the_query_nor_the_payload_is_in_a_repr() -> None:
    delivery = Delivery(
        request_id="r-1", url="https://x/?token=secret", subject="t/a", upstream="fal",
        state="waiting", attempts=0, began_ms=1,
    )  # fmt: skip

    shown = repr(delivery) + repr(msgspec.structs.replace(DONE, payload="secret"))

    assert "secret" not in shown
    assert "r-1" in shown
