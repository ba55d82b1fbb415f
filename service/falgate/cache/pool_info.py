"""Metadata of a pool, for operators and to buy a picture again."""

from typing import Any

import msgspec


class PoolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The request that a pool serves.

    Attributes:
        endpoint: The model.
        upstream: Name of the upstream that sold its pictures.
        scope: Name of those who share them.
        variation: Its label.
        version: Version of the fingerprint; a pool of another version than today's is never
            reached.
        prompt_sha256: Hex digest of the prompt.
        recorded: The arguments that the ledger keeps too.
        arguments: All arguments including the prompt, if the app's policy keeps prompts.
    """

    endpoint: str
    upstream: str
    scope: str
    variation: str
    version: str
    prompt_sha256: str
    recorded: dict[str, str]
    arguments: dict[str, Any] | None = None

    @property
    def prompt(self) -> str | None:
        """The prompt, if it is stored."""
        prompt: str | None = (self.arguments or {}).get("prompt")
        return prompt

    def __repr__(self) -> str:
        """Leave out the prompt."""
        return f"About({self.endpoint}, {self.scope})"
