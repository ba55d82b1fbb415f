"""A family of Redis keys: how they are named, what they hold, and how long."""

import re
from typing import Literal

from falgate.core.account import Account

_TAG = "{fg}:"
_SLOT = re.compile(r"(?:fg|\{fg\w*\}):")
_PART = re.compile(r"<(\w+)>")


class Key:
    """A family of keys. Calling it with the values of its parts returns a key.

    Attributes:
        family: The first word of the names, by which a key's family is recognised.
        parts: Names of the parts that tell its keys apart, in order.
        kind: Redis's type.
        lives: Whether keys expire by themselves; "either" if only some do.
        kept: How long, in words.
    """

    def __init__(
        self,
        form: str,
        kind: Literal["hash", "set", "stream", "string", "zset"],
        holds: str,
        kept: str = "for ever",
        *,
        lives: Literal["stays", "expires", "either"] = "stays",
    ) -> None:
        """Name keys by `form`, such as "usage:<upstream>:<day>"; `holds` is for readers.

        A form that names no slot is in the slot of money.
        """
        form = form if _SLOT.match(form) else _TAG + form
        self.family = _SLOT.sub("", form, count=1).partition(":")[0]
        self.parts = tuple(_PART.findall(form))
        self.kind, self.holds, self.kept, self.lives = kind, holds, kept, lives
        self._template = _PART.sub("%s", form.replace("%", "%%"))

    def __call__(self, *parts: str | int | Account) -> str:
        """Return the key with these parts, of which an account stands for its name.

        Raises:
            TypeError: There are more or fewer parts than the form has.
        """
        return self._template % parts
