"""Settings: every `FALGATE_*` variable, typed, with its unit, default and meaning."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from falgate.core import apikey, target
from falgate.core.calendar import Calendar, Weekday
from falgate.core.money import Micros, usd
from falgate.core.target import Rules

PREFIX = "FALGATE_"
SANDBOX = "sandbox"
FAL_QUEUE = "https://queue.fal.run"

_ORIGIN = re.compile(r"\*|https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[1-9][0-9]{0,4})?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")

Seconds = Annotated[int, Meta(gt=0)]


class SettingsWrong(Exception):
    """A setting is unknown, missing or senseless; the message is one line and says what to do."""


def _about(text: str) -> Meta:
    return Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is `FALGATE_<FIELD>` in the environment; a name ends in its unit."""

    listen: Annotated[str, _about("host:port for http")] = "127.0.0.1:8080"
    tls_listen: Annotated[str, _about("host:port for https; empty: no https")] = ""
    tls_cert: Annotated[str, _about("certificate chain, a PEM file")] = ""
    tls_key: Annotated[str, _about("its private key, a PEM file")] = ""
    public_url: Annotated[
        str, _about("what picture URLs begin with; empty: as the caller addressed falgate")
    ] = ""
    allowed_hosts: Annotated[
        str, _about("further host names, by commas, that picture URLs may begin with")
    ] = ""
    data_dir: Annotated[str, _about("embedded Redis, pictures on disk, the sandbox's books")] = (
        ".falgate"
    )
    redis_url: Annotated[
        str, _about("redis://, rediss:// or unix://; empty: embedded in the data directory")
    ] = ""
    redis_replicas: Annotated[
        int, Meta(ge=0), _about("replicas that must have a hold before a submit")
    ] = 0
    allow_weak_durability: Annotated[
        bool, _about("accept a Redis that may forget its last second in a crash")
    ] = False
    media_url: Annotated[
        str, _about("picture store: file://, s3://, gs://, az://; empty: in the data directory")
    ] = ""
    upstream_url: Annotated[
        str, _about("a server that speaks fal's queue protocol, or `sandbox`")
    ] = FAL_QUEUE
    upstream_media_hosts: Annotated[
        str, _about("further domains, by commas, that its pictures may be fetched from")
    ] = ""
    upstream_start_timeout_s: Annotated[
        Seconds, _about("how long a request may wait in fal's queue")
    ] = 600
    upstream_concurrency: Annotated[
        int, Meta(ge=0), _about("purchases that fal works on at once, 2 to 40 by account; 0: any")
    ] = 0
    upstream_jwks_url: Annotated[
        str, _about("where fal publishes the keys that its completion hooks are signed with")
    ] = "https://rest.fal.ai/.well-known/jwks.json"
    platform_url: Annotated[str, _about("fal's platform API, for its lists and its billing")] = (
        "https://api.fal.ai/v1"
    )
    fal_key: Annotated[str, _about("fal's credential; FAL_KEY does as well")] = ""
    fal_admin_key: Annotated[
        str, _about("a key of fal's that may read billing; empty: nothing is reconciled")
    ] = ""
    admin_key: Annotated[
        str, _about("the operator's key; empty: the administration API is closed")
    ] = ""
    trusted_proxies: Annotated[
        str, _about("addresses or networks, by commas, whose X-Forwarded headers are believed")
    ] = ""
    cors_origins: Annotated[
        str, _about("origins, by commas, whose pages may call falgate in a browser; `*`: any")
    ] = ""
    timezone: Annotated[str, _about("IANA zone of the budgets' windows")] = "UTC"
    week_starts: Annotated[Weekday, _about("first day of the budgets' weeks")] = "monday"
    ledger_kept_days: Annotated[
        int, Meta(ge=40), _about("entries of the ledger go to the picture store after so many days")
    ] = 90
    alert_url: Annotated[str, _about("told of budgets that crossed a threshold; empty: nobody")] = (
        ""
    )
    alert_secret: Annotated[str, _about("what such a message is signed with")] = ""
    webhook_allow_http: Annotated[bool, _about("webhooks may also go to http://")] = False
    webhook_targets: Annotated[
        str, _about("names and networks, by commas, that webhooks may go to; empty: all in public")
    ] = ""
    org_daily_usd: Annotated[
        str,
        _about(
            "organisation's budget a day; a new value is applied once; at first 10, sandbox 1000"
        ),
    ] = ""
    house_usd: Annotated[
        str,
        _about("what fal may bill above the holds; a new value is applied once; at first 1"),
    ] = ""
    cache_ttl_s: Annotated[Seconds, _about("how long a pool is kept after its last purchase")] = (
        30 * 86_400
    )
    results_kept_s: Annotated[
        Seconds, _about("how long a queued request can be looked at after its end")
    ] = 86_400
    body_bytes_max: Annotated[int, Meta(gt=0), _about("largest request body")] = 1024 * 1024
    body_timeout_s: Annotated[Seconds, _about("how long a request body may take")] = 20
    header_timeout_s: Annotated[Seconds, _about("how long a request's head may take")] = 10
    run_timeout_s: Annotated[Seconds, _about("how long a caller waits for pictures")] = 600
    unknown_after_s: Annotated[
        Seconds, _about("a purchase whose outcome nobody knows is settled in full after this")
    ] = 900
    lease_s: Annotated[Seconds, _about("a job is adopted so long after its instance died")] = 30
    drain_s: Annotated[int, Meta(ge=0), _about("how long a stop waits for what is under way")] = 10
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _about("least to log")] = (
        "info"
    )

    def __repr__(self) -> str:
        """Without the values: some are secrets."""
        return "Settings(...)"

    @property
    def calendar(self) -> Calendar:
        """How the organisation counts time."""
        return Calendar(ZoneInfo(self.timezone), self.week_starts)

    @property
    def uses_sandbox(self) -> bool:
        """Whether live keys are served by the sandbox in this process."""
        return self.upstream_url == SANDBOX


class Address(msgspec.Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int

    @property
    def reachable(self) -> str:
        """host:port as a caller on this machine can use it: every address is none of them."""
        host = "localhost" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def read(env: Mapping[str, str], defaults: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from an environment.

    Args:
        env: Such as `os.environ`.
        defaults: Values by field, where the environment has none.

    Raises:
        SettingsWrong: See there.
    """
    given = {
        name[len(PREFIX) :].lower(): value
        for name, value in env.items()
        if name.startswith(PREFIX) and value != ""
    }
    if unknown := given.keys() - set(Settings.__struct_fields__):
        names = ", ".join(PREFIX + name.upper() for name in sorted(unknown))
        raise SettingsWrong(f"{names}: no such setting; `falgate serve --help` lists them")
    values: dict[str, Any] = {**(defaults or {}), **given}
    if not values.get("fal_key") and env.get("FAL_KEY"):
        values["fal_key"] = env["FAL_KEY"]
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        # msgspec ends with the field, as "... - at `$.lease_s`", and quotes no value.
        problem, _, field = str(error).partition(" - at `$.")
        raise SettingsWrong(f"{PREFIX}{field.rstrip('`').upper()}: {problem}") from None
    _check(settings)
    return settings


def address(text: str, name: str) -> Address:
    """Read host:port.

    Raises:
        SettingsWrong: It is not of that form.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not _PORT.fullmatch(port) or int(port) >= 1 << 16:
        raise SettingsWrong(f"{PREFIX}{name}: {text!r} is not host:port, such as 127.0.0.1:8080")
    return Address(host.strip("[]"), int(port))


def amount(text: str, name: str) -> Micros | None:
    """Read an amount in dollars, None where it is not set.

    Raises:
        SettingsWrong: It is none.
    """
    try:
        return usd(text) if text else None
    except ValueError as error:
        raise SettingsWrong(f"{PREFIX}{name}: {error}") from None


def names(text: str) -> tuple[str, ...]:
    """Read a list by commas."""
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def webhook_rules(settings: Settings) -> Rules:
    """Where webhooks may go.

    Raises:
        SettingsWrong: The list has something else than names and networks.
    """
    try:
        return target.rules(names(settings.webhook_targets), allow_http=settings.webhook_allow_http)
    except ValueError as error:
        raise SettingsWrong(f"{PREFIX}WEBHOOK_TARGETS: {error}") from None


def _is_synchronous(url: str) -> bool:
    return re.fullmatch(r"https?://fal\.run(:\d+)?(/.*)?|.*/run/?", url) is not None


def _check(settings: Settings) -> None:
    address(settings.listen, "LISTEN")
    amount(settings.org_daily_usd, "ORG_DAILY_USD")
    amount(settings.house_usd, "HOUSE_USD")
    if settings.tls_listen:
        address(settings.tls_listen, "TLS_LISTEN")
        if not (settings.tls_cert and settings.tls_key):
            raise SettingsWrong(f"{PREFIX}TLS_LISTEN needs {PREFIX}TLS_CERT and {PREFIX}TLS_KEY")
    admin = apikey.present(settings.admin_key)
    if settings.admin_key and (admin is None or admin.kind != "admin"):
        raise SettingsWrong(
            f"{PREFIX}ADMIN_KEY: not an admin key, fg_admin_...; `falgate keys admin` makes one"
        )
    _check_callers(settings)
    webhook_rules(settings)
    if settings.alert_url and not settings.alert_secret:
        raise SettingsWrong(f"{PREFIX}ALERT_URL needs {PREFIX}ALERT_SECRET")
    if settings.public_url and not settings.public_url.startswith(("https://", "http://")):
        raise SettingsWrong(f"{PREFIX}PUBLIC_URL: not a URL that begins with https:// or http://")
    try:
        _ = settings.calendar
    except (ZoneInfoNotFoundError, OSError, ValueError):  # OSError: a folder of zones
        raise SettingsWrong(f"{PREFIX}TIMEZONE: no such IANA zone, such as Europe/Vienna") from None
    if not settings.uses_sandbox:
        _check_upstream(settings)


def _check_callers(settings: Settings) -> None:
    for proxy in names(settings.trusted_proxies):
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            raise SettingsWrong(
                f"{PREFIX}TRUSTED_PROXIES: {proxy!r} is no address or network, such as 10.0.0.0/8"
            ) from None
    for origin in names(settings.cors_origins):
        if not _ORIGIN.fullmatch(origin):
            raise SettingsWrong(
                f"{PREFIX}CORS_ORIGINS: {origin!r} is no origin, such as https://app.example"
            )


def _check_upstream(settings: Settings) -> None:
    if not settings.upstream_url.startswith(("https://", "http://")) or any(
        character.isspace() for character in settings.upstream_url
    ):
        raise SettingsWrong(f"{PREFIX}UPSTREAM_URL: neither http(s)://... nor `{SANDBOX}`")
    if _is_synchronous(settings.upstream_url):
        raise SettingsWrong(
            f"{PREFIX}UPSTREAM_URL: that is a synchronous API; falgate buys through the queue, at "
            f"{FAL_QUEUE} or, with the sandbox, at a URL that ends in /queue"
        )
    if not settings.fal_key:
        raise SettingsWrong(
            f"FAL_KEY is not set: give fal's key, or {PREFIX}UPSTREAM_URL={SANDBOX} to try falgate"
        )
    if apikey.present(settings.fal_key):
        # As in a shell that was set up for fal's clients.
        raise SettingsWrong("FAL_KEY is a key of falgate, not of fal: unset it, or give fal's key")
    if not settings.fal_key.isascii() or not settings.fal_key.isprintable():
        raise SettingsWrong("FAL_KEY holds characters that no key of fal's has")
