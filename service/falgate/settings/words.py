"""Parsers for settings with an inner structure: addresses, amounts and lists."""

import ipaddress
import re

import msgspec

from falgate.core.money import Micros, usd
from falgate.egress import target
from falgate.egress.target import Rules
from falgate.settings.fields import PREFIX, Settings

_PORT = re.compile(r"[1-9][0-9]{0,4}")
_HOST = re.compile(r"[\w.-]+")
_ALL, _EVERY_ADDRESS = "*", "::"


class SettingsWrong(Exception):
    """A setting is unknown, missing or invalid; the message is one line that says what to do."""


class Address(msgspec.Struct, frozen=True):
    """A host and port to listen on."""

    host: str
    port: int

    @property
    def reachable(self) -> str:
        """host:port for a client on this machine; the wildcard addresses become localhost."""
        host = "localhost" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def address(text: str, name: str) -> Address:
    """Parse host:port; both * and :: mean every address.

    Raises:
        SettingsWrong: It is not host:port.
    """
    if "," in text:
        raise SettingsWrong(
            f"{PREFIX}{name}: {text!r} is a list, but only one host:port is allowed; [::]:8080 "
            "means every address, IPv4 and IPv6"
        )
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif host == _ALL:
        host = _EVERY_ADDRESS
    if not _is_host(host) or not _PORT.fullmatch(port) or int(port) >= 1 << 16:
        raise SettingsWrong(f"{PREFIX}{name}: {text!r} is not host:port; example: 127.0.0.1:8080")
    return Address(host, int(port))


def _is_host(text: str) -> bool:
    try:
        if ":" in text:
            ipaddress.IPv6Address(text)
        else:
            text.encode("idna")  # as the resolver does
    except ValueError:
        return False
    return ":" in text or _HOST.fullmatch(text) is not None


def amount(text: str, name: str) -> Micros | None:
    """Parse an amount in US dollars; None if the setting is empty.

    Raises:
        SettingsWrong: It is not a valid amount.
    """
    try:
        return usd(text) if text else None
    except ValueError as error:
        raise SettingsWrong(f"{PREFIX}{name}: {error}") from None


def names(text: str) -> tuple[str, ...]:
    """Split a comma-separated list into lower-case names."""
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def input_rules(settings: Settings) -> Rules | None:
    """Return the hosts that input pictures are fetched from; None for none.

    Raises:
        SettingsWrong: The list has an entry that is neither a host name nor a network.
    """
    entries = names(settings.input_hosts)
    if not entries:
        return None
    try:
        return target.rules(() if entries == (_ALL,) else entries, allow_http=False)
    except ValueError as error:
        raise SettingsWrong(f"{PREFIX}INPUT_HOSTS: {error}") from None


def webhook_rules(settings: Settings) -> Rules:
    """Return the allowed webhook targets.

    Raises:
        SettingsWrong: The list has an entry that is neither a host name nor a network.
    """
    try:
        return target.rules(names(settings.webhook_targets), allow_http=settings.webhook_allow_http)
    except ValueError as error:
        raise SettingsWrong(f"{PREFIX}WEBHOOK_TARGETS: {error}") from None
