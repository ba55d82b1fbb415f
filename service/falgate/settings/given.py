"""Finds settings in the environment: their names, likely typos, and Kubernetes's own variables.

For every Service, Kubernetes sets variables in each pod that begin with the Service's name
("service links"). A Service named `falgate` or `falgate-redis` therefore adds
FALGATE_PORT=tcp://10.0.0.7:8080 and a dozen others, which the operator never set.
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
_OF_COMMANDS = frozenset({f"{PREFIX}URL"})
"""What commands read and the gateway ignores: which gateway to ask."""


def given(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with falgate's prefix that an operator set; empty ones are unset."""
    return {
        name: value
        for name, value in env.items()
        if name.startswith(PREFIX)
        and value != ""
        and name not in _OF_COMMANDS
        and not _is_service_link(name, value)
    }


def service_links(env: Mapping[str, str]) -> list[str]:
    """Return the names with falgate's prefix that Kubernetes set."""
    return sorted(
        name
        for name, value in env.items()
        if name.startswith(PREFIX) and _is_service_link(name, value)
    )


def slips(unknown: Collection[str], known: Collection[str]) -> str:
    """Return the unknown names, each with the setting that was probably meant."""
    # Compare without the prefix, which would make all names similar.
    words = {name.removeprefix(PREFIX).upper(): name for name in known}
    return ", ".join(
        f"{name} ({words[meant[0]]}?)" if meant else name
        for name in sorted(unknown)
        for meant in [
            difflib.get_close_matches(name.removeprefix(PREFIX).upper(), words, 1, _ALIKE)
        ]
    )


def _is_service_link(name: str, value: str) -> bool:
    """Return whether Kubernetes set a variable, by its name and value.

    The value counts because an operator who writes FALGATE_PORT=8080 means FALGATE_LISTEN and
    should get an error.
    """
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
