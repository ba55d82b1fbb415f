"""What a provider publishes of itself, and the addresses that may be asked; pure."""

import ipaddress
from urllib.parse import urlsplit

import msgspec

from falgate.console.oidc.roles import SignInRefused, host_of
from falgate.core.printable import quoted

PATH = "/.well-known/openid-configuration"
_SHOWN_MAX = 200


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a provider's discovery document that are read here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(
        default_factory=lambda: ["client_secret_basic"]
    )
    authorization_response_iss_parameter_supported: bool = False


def metadata(body: bytes, issuer: str) -> Metadata:
    """Read the discovery document of a provider.

    Raises:
        SignInRefused: It is not one, is another's, or names addresses without TLS.
    """
    try:
        found = msgspec.json.decode(body, type=Metadata)
    except msgspec.MsgspecError as error:
        raise unfit(issuer, f"its discovery document is not valid: {error}") from None
    if found.issuer != issuer:
        raise unfit(
            issuer,
            f"its discovery document is of the issuer {quoted(found.issuer, _SHOWN_MAX)}, not of "
            "that of FALGATE_OIDC_ISSUER",
        )
    addresses = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
    optional = (found.userinfo_endpoint,) if found.userinfo_endpoint else ()
    if not all(is_protected(each) for each in (*addresses, *optional)):
        raise unfit(issuer, "its discovery document names an address that is not https")
    return found


def unfit(issuer: str, why: str) -> SignInRefused:
    """Return the refusal because of what a provider says; `why` is for the log."""
    return SignInRefused(
        f"The provider {host_of(issuer)} answered something that cannot be trusted. The log of "
        "falgate says more. Sign in by a key, or begin again",
        status=502,
        why=why,
    )


def is_protected(url: str) -> bool:
    """Return whether a URL has https, or leads to this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        spoiled = parts.username is not None or parts.port == 0
    except ValueError:
        return False
    if not host or spoiled or not url.isascii() or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
