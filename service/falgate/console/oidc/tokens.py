"""Verifies ID tokens: their signature, and for whom, by whom and when they were made; pure."""

import warnings
from typing import Any

from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]  # it has none
from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

ALGORITHMS = {"RS256": RSAKey, "ES256": ECKey, "EdDSA": OKPKey, "Ed25519": OKPKey}
"""By a token's algorithm, the only type of key that may have signed it."""
_REGISTRY = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
_KEYS_MAX = 50
_LEEWAY_S = 60
_SUB_MAX = 255


class KeyUnknown(Exception):
    """No known key of the provider has the id that a token names."""


class TokenWrong(Exception):
    """A token is not believed; the message says why and quotes nothing."""


def public_keys(document: Any) -> tuple[Key, ...]:
    """Return the keys of a JWK set that can verify signatures; those of other kinds are left out.

    Raises:
        TokenWrong: It is not a JWK set.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise TokenWrong("the provider's keys are not a JWK set")
    return tuple(key for each in listed[:_KEYS_MAX] if (key := _public_key(each)) is not None)


def _public_key(each: Any) -> Key | None:
    if not isinstance(each, dict) or each.get("kty") not in {"RSA", "EC", "OKP"}:
        return None
    if each.get("use", "sig") != "sig":
        return None
    try:
        return import_key(each)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def verified(
    token: str,
    keys: tuple[Key, ...],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str,
    now_s: int,
) -> dict[str, Any]:
    """Return the claims of an ID token.

    Args:
        token: As the provider sent it.
        keys: The provider's.
        issuer: Who has to have made it.
        client_id: For whom it has to be.
        nonce: What it has to contain.
        access_token: What came with it.
        now_s: Seconds since 1970.

    Raises:
        KeyUnknown: It names a key that is not one of these.
        TokenWrong: It is not believed.
    """
    try:
        header = jws.extract_compact(token.encode()).headers()
        if header.get("alg") not in ALGORITHMS:
            raise TokenWrong("the ID token has a signature of a kind that is not allowed")
        key = _key(header, keys)
        with warnings.catch_warnings():
            # That EdDSA has a newer name is the provider's to know.
            warnings.simplefilter("ignore", SecurityWarning)
            found = jwt.decode(token, key, registry=_REGISTRY)
        claims = CodeIDToken(
            found.claims,
            found.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
            },
            params={
                "nonce": nonce,
                "client_id": client_id,
                # Which hash EdDSA stands for, Authlib does not know; in this flow it is optional.
                "access_token": access_token if header["alg"][-3:] == "256" else None,
            },
        )
        claims.validate(now=now_s, leeway=_LEEWAY_S)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        claim = getattr(error, "claim", None)
        about = f", claim {claim}" if isinstance(claim, str) and claim.isidentifier() else ""
        raise TokenWrong(f"the ID token is refused: {type(error).__name__}{about}") from None
    if not 0 < len(claims["sub"]) <= _SUB_MAX:
        raise TokenWrong("the ID token names nobody, or has too long a name")
    return dict(claims)


def _key(header: dict[str, Any], keys: tuple[Key, ...]) -> Key:
    kind, kid = ALGORITHMS[header["alg"]], header.get("kid")
    fitting = [each for each in keys if isinstance(each, kind)]
    if kid is not None:
        fitting = [each for each in fitting if each.kid == kid]
    if not fitting or (kid is None and len(fitting) > 1):
        raise KeyUnknown
    return fitting[0]
