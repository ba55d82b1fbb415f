"""Reads settings from the environment and validates them before anything starts."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfoNotFoundError

import msgspec

from falgate.accounts import apikey
from falgate.settings.fields import FAL_QUEUE, PREFIX, SANDBOX, Settings
from falgate.settings.given import given, slips
from falgate.settings.openid import openid_roles
from falgate.settings.words import SettingsWrong, address, amount, input_rules, names, webhook_rules

_ORIGIN = re.compile(r"\*|https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[1-9][0-9]{0,4})?")
_LOCATION = re.compile(r"(?:/[A-Za-z0-9_-]+)+")

_SWITCHES = {"on": "true", "yes": "true", "off": "false", "no": "false"}
_BOOLEAN = tuple(
    field.name
    for field in msgspec.structs.fields(Settings)
    if get_origin(field.type) is Annotated and get_args(field.type)[0] is bool
)

_KEYS = ("fal_key", "fal_admin_key", "admin_key", "oidc_client_secret")
_STORES = frozenset({"file", "s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss"})


def read(env: Mapping[str, str], defaults: Mapping[str, str] | None = None) -> Settings:
    """Read and validate the settings.

    Args:
        env: For example `os.environ`.
        defaults: Values by field for variables missing in `env`.

    Raises:
        SettingsWrong: A setting is unknown, missing or invalid.
    """
    fields = {PREFIX + field.upper(): field for field in Settings.__struct_fields__}
    said = given(env)
    if unknown := said.keys() - fields.keys():
        raise SettingsWrong(
            f"{slips(unknown, fields)}: no such setting; `falgate serve --help` lists them"
        )
    values: dict[str, Any] = {**(defaults or {}), **{fields[name]: said[name] for name in said}}
    if not values.get("fal_key") and env.get("FAL_KEY"):
        values["fal_key"] = env["FAL_KEY"]
    # A key read from a file ends with a line feed; no key contains spaces.
    values |= {name: values[name].strip() for name in _KEYS if name in values}
    values |= {
        name: _SWITCHES.get(values[name].lower(), values[name])
        for name in _BOOLEAN
        if name in values
    }
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        # msgspec's message ends in "- at `$.lease_s`" and never quotes the value.
        problem, _, field = str(error).partition(" - at `$.")
        raise SettingsWrong(f"{PREFIX}{field.rstrip('`').upper()}: {problem}") from None
    _check(settings)
    return settings


def _is_url(text: str) -> bool:
    """Return whether this is an http(s) URL with a host."""
    try:
        parts = urlsplit(text)
        placed = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    spaced = any(character.isspace() for character in text)
    return placed and not spaced and text.startswith(("https://", "http://"))


def _is_synchronous(url: str) -> bool:
    return re.fullmatch(r"https?://fal\.run(:\d+)?(/.*)?|.*/run/?", url) is not None


def _check(settings: Settings) -> None:
    _check_listeners(settings)
    amount(settings.org_daily_usd, "ORG_DAILY_USD")
    amount(settings.overage_usd, "OVERAGE_USD")
    admin = apikey.present(settings.admin_key)
    if settings.admin_key and (admin is None or admin.kind != "admin"):
        raise SettingsWrong(
            f"{PREFIX}ADMIN_KEY: not an admin key (fg_admin_...); create one with "
            "`falgate keys admin`"
        )
    _check_callers(settings)
    openid_roles(settings)
    webhook_rules(settings)
    input_rules(settings)
    urls = ("alert_url", "platform_url", "openapi_url", "upstream_jwks_url", "upstream_storage_url")
    for name in urls:
        if (url := getattr(settings, name)) and not _is_url(url):
            raise SettingsWrong(f"{PREFIX}{name.upper()}: not a URL like https://host/path")
    if settings.alert_url and not settings.alert_secret:
        raise SettingsWrong(f"{PREFIX}ALERT_URL needs {PREFIX}ALERT_SECRET")
    if settings.public_url and not settings.public_url.startswith(("https://", "http://")):
        raise SettingsWrong(f"{PREFIX}PUBLIC_URL: must begin with https:// or http://")
    _check_key(settings.fal_admin_key, f"{PREFIX}FAL_ADMIN_KEY")
    if settings.media_url and settings.media_url.partition("://")[0] not in _STORES:
        raise SettingsWrong(
            f"{PREFIX}MEDIA_URL: unknown kind of store; use file:///directory, "
            "s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"
        )
    try:
        _ = settings.calendar
    except (ZoneInfoNotFoundError, OSError, ValueError):  # OSError: a directory of zones
        raise SettingsWrong(
            f"{PREFIX}TIMEZONE: unknown IANA time zone; example: Europe/Vienna"
        ) from None
    if not settings.uses_sandbox:
        _check_upstream(settings)


def _check_listeners(settings: Settings) -> None:
    address(settings.listen, "LISTEN")
    if settings.ops_listen:
        address(settings.ops_listen, "OPS_LISTEN")
    if settings.tls_listen:
        address(settings.tls_listen, "TLS_LISTEN")
        if not (settings.tls_cert and settings.tls_key):
            raise SettingsWrong(f"{PREFIX}TLS_LISTEN needs {PREFIX}TLS_CERT and {PREFIX}TLS_KEY")


def _check_callers(settings: Settings) -> None:
    for proxy in names(settings.trusted_proxies):
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            raise SettingsWrong(
                f"{PREFIX}TRUSTED_PROXIES: {proxy!r} is not an address or network; "
                "example: 10.0.0.0/8"
            ) from None
    if settings.picture_accel:
        if not _LOCATION.fullmatch(settings.picture_accel):
            raise SettingsWrong(f"{PREFIX}PICTURE_ACCEL: not a path; example: /stored")
        if not settings.trusted_proxies:
            raise SettingsWrong(f"{PREFIX}PICTURE_ACCEL needs {PREFIX}TRUSTED_PROXIES")
    for origin in names(settings.cors_origins):
        if not _ORIGIN.fullmatch(origin):
            raise SettingsWrong(
                f"{PREFIX}CORS_ORIGINS: {origin!r} is not an origin; example: https://app.example"
            )


def _check_upstream(settings: Settings) -> None:
    if not _is_url(settings.upstream_url):
        raise SettingsWrong(f"{PREFIX}UPSTREAM_URL: must be an http(s):// URL or `{SANDBOX}`")
    if _is_synchronous(settings.upstream_url):
        raise SettingsWrong(
            f"{PREFIX}UPSTREAM_URL: this is a synchronous API, but falgate needs the queue API: "
            f"{FAL_QUEUE} or, for a sandbox, a URL that ends in /queue"
        )
    if not settings.fal_key:
        raise SettingsWrong(
            f"FAL_KEY is not set: set your fal key, or {PREFIX}UPSTREAM_URL={SANDBOX} to try "
            "falgate"
        )
    if apikey.present(settings.fal_key):
        # This happens in a shell that is set up for calling falgate with fal's clients.
        raise SettingsWrong("FAL_KEY is a falgate key, not a fal key: unset it or set your fal key")
    _check_key(settings.fal_key, "FAL_KEY")


def _check_key(key: str, name: str) -> None:
    """Reject a key that fal cannot have issued; the message does not quote it."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsWrong(f"{name} contains characters that no fal key has")
