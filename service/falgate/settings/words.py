"""Settings that are several words in one: addresses, amounts, lists."""

import ipaddress
import re

import msgspec

from falgate.core.money import Micros, usd
from falgate.settings.fields import PREFIX, Settings
from falgate.webhooks import target
from falgate.webhooks.target import Rules

_PORT = re.compile(r"[1-9][0-9]{0,4}")
_HOST = re.compile(r"[\w.-]+")
_ALL, _EVERY_ADDRESS = "*", "::"


class SettingsWrong(Exception):
    """A setting is unknown, missing or senseless; the message is one line and says what to do."""


class Address(msgspec.Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int

    @property
    def reachable(self) -> str:
        """host:port as a caller on this machine can use it: every address is none of them."""
        host = "localhost" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def address(text: str, name: str) -> Address:
    """Read host:port, where * is every address, as :: is.

    Raises:
        SettingsWrong: It is not of that form.
    """
    if "," in text:
        raise SettingsWrong(
            f"{PREFIX}{name}: {text!r} is a list, and there is one host:port; [::]:8080 is every "
            "address, of IPv4 and IPv6"
        )
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif host == _ALL:
        host = _EVERY_ADDRESS
    if not _is_host(host) or not _PORT.fullmatch(port) or int(port) >= 1 << 16:
        raise SettingsWrong(f"{PREFIX}{name}: {text!r} is not host:port, such as 127.0.0.1:8080")
    return Address(host, int(port))


def _is_host(text: str) -> bool:
    try:
        if ":" in text:
            ipaddress.IPv6Address(text)
        else:
            text.encode("idna")  # as whoever looks it up does
    except ValueError:
        return False
    return ":" in text or _HOST.fullmatch(text) is not None


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
