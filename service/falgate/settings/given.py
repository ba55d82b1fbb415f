"""What an environment gives: names of settings, slips in such names, and what Kubernetes adds.

Kubernetes tells every pod where each Service is by variables that begin with the Service's name
(service links, as Docker's links had them): one named `falgate` or `falgate-redis` brings
FALGATE_PORT=tcp://10.0.0.7:8080 and a dozen more, which nobody has set.
"""

import difflib
import ipaddress
import re
from collections.abc import Collection, Mapping

from falgate.settings.fields import PREFIX

_ADDRESS = re.compile(r"_SERVICE_HOST$|_PORT_\d{1,5}_(?:TCP|UDP|SCTP)_ADDR$")
_NUMBER = re.compile(r"_SERVICE_PORT(?:_[A-Z0-9_]+)?$|_PORT_\d{1,5}_(?:TCP|UDP|SCTP)_PORT$")
_PROTOCOL = re.compile(r"_PORT_\d{1,5}_(?:TCP|UDP|SCTP)_PROTO$")
_URL = re.compile(r"_PORT(?:_\d{1,5}_(?:TCP|UDP|SCTP))?$")
_URL_VALUE = re.compile(r"(?:tcp|udp|sctp)://\S+:\d{1,5}", re.ASCII)
_ALIKE = 0.6


def given(env: Mapping[str, str]) -> dict[str, str]:
    """Everything that an environment says under our prefix and means; empty is not set."""
    return {
        name: value
        for name, value in env.items()
        if name.startswith(PREFIX) and value != "" and not _is_service_link(name, value)
    }


def service_links(env: Mapping[str, str]) -> list[str]:
    """The names under our prefix that Kubernetes has set."""
    return sorted(
        name
        for name, value in env.items()
        if name.startswith(PREFIX) and _is_service_link(name, value)
    )


def slips(unknown: Collection[str], known: Collection[str]) -> str:
    """Names that are no settings, each with the one that was perhaps meant."""
    # Without the prefix, by which all of them are alike.
    words = [name.removeprefix(PREFIX) for name in known]
    return ", ".join(
        f"{name} ({PREFIX}{meant[0]}?)" if meant else name
        for name in sorted(unknown)
        for meant in [
            difflib.get_close_matches(name.removeprefix(PREFIX).upper(), words, 1, _ALIKE)
        ]
    )


def _is_service_link(name: str, value: str) -> bool:
    """By name and value: FALGATE_PORT=8080 was written by somebody who means FALGATE_LISTEN."""
    if _ADDRESS.search(name):
        return _is_address(value)
    if _NUMBER.search(name):
        return value.isascii() and value.isdigit()
    if _PROTOCOL.search(name):
        return value in {"tcp", "udp", "sctp"}
    return bool(_URL.search(name) and _URL_VALUE.fullmatch(value))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
