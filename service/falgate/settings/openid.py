"""The settings about the OpenID provider that signs people in to the console."""

import re

from falgate.console.oidc.metadata import is_protected
from falgate.console.oidc.roles import Roles, group_names, mapping
from falgate.settings.fields import PREFIX, Settings
from falgate.settings.words import SettingsWrong

_NEEDED = ("oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_roles")
_SCOPES = re.compile(r"[!-~]+( [!-~]+)*")


def openid_roles(settings: Settings) -> Roles | None:
    """Return who signs in by the provider as what; None without a provider.

    Raises:
        SettingsWrong: Some of what is needed is not set, or has another form.
    """
    given = [name for name in (*_NEEDED, "oidc_prompts_groups") if getattr(settings, name)]
    if not given:
        return None
    for name in _NEEDED:
        if name not in given:
            raise SettingsWrong(f"{PREFIX}{given[0].upper()} needs {PREFIX}{name.upper()}")
    _check(settings)
    try:
        mapped = mapping(settings.oidc_roles)
    except ValueError as error:
        raise SettingsWrong(f"{PREFIX}OIDC_ROLES: {error}") from None
    return Roles(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        claim=settings.oidc_groups_claim,
        mapped=mapped,
        prompts=group_names(settings.oidc_prompts_groups),
    )


def _check(settings: Settings) -> None:
    issuer, scopes = settings.oidc_issuer, settings.oidc_scopes
    if not is_protected(issuer) or "?" in issuer or "#" in issuer:
        raise SettingsWrong(
            f"{PREFIX}OIDC_ISSUER: not an https:// URL as the provider names itself; example: "
            "https://login.example/realms/acme"
        )
    if not _SCOPES.fullmatch(scopes) or "openid" not in scopes.split():
        raise SettingsWrong(
            f"{PREFIX}OIDC_SCOPES: not scopes with blanks between them, openid among them; "
            "example: openid profile email groups"
        )
    for name in ("oidc_client_id", "oidc_client_secret", "oidc_groups_claim"):
        text = getattr(settings, name)
        if not text.isascii() or not text.isprintable() or text != text.strip():
            raise SettingsWrong(f"{PREFIX}{name.upper()}: has characters that it cannot have")
