"""What a model refuses although its schema allows it: combinations, and URLs in texts."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

_URL = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://|data:)", re.IGNORECASE)


class Refused(msgspec.Struct, frozen=True):
    """Arguments that a model refuses together, although its schema allows each of them.

    Attributes:
        when: Their values, by name.
        why: What a caller is told.
        given: Another argument, whatever its value; "" for none.
    """

    when: Mapping[str, Any]
    why: str
    given: str = ""

    def has(self, arguments: Any) -> bool:
        """Return whether arguments are such."""
        if self.given and getattr(arguments, self.given) is UNSET:
            return False
        return has(arguments, self.when)


class Problem(msgspec.Struct, frozen=True):
    """Why a request is refused.

    Attributes:
        argument: Name of the argument that is wrong.
        why: What is wrong with it.
    """

    argument: str
    why: str


def has(arguments: Any, values: Mapping[str, Any]) -> bool:
    """Return whether arguments have all of these values."""
    return all(getattr(arguments, name) == value for name, value in values.items())


def has_url(value: Any) -> bool:
    """Return whether a URL is anywhere in a value; iterative, because it may be nested deeply."""
    rest = [value]
    while rest:
        each = rest.pop()
        if isinstance(each, str):
            if _URL.match(each):
                return True
        elif isinstance(each, dict):
            rest += each.values()
        elif isinstance(each, list):
            rest += each
    return False
