"""What is known of a pool beside its pictures: for operators, and to buy a picture again."""

from typing import Any

import msgspec


class PoolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool is for.

    Attributes:
        endpoint: The model.
        upstream: Who makes its pictures.
        scope: Who shares them, by name.
        variation: Its label.
        version: Of the fingerprint; another one than today's is reached by nobody any more.
        prompt_sha256: Hex digest of the prompt.
        recorded: The arguments that the ledger keeps too.
        arguments: All of them with the prompt, where its app lets it be kept.
    """

    endpoint: str
    upstream: str
    scope: str
    variation: str
    version: str
    prompt_sha256: str
    recorded: dict[str, str]
    arguments: dict[str, Any] | None = None

    def __repr__(self) -> str:
        """Without the prompt."""
        return f"About({self.endpoint}, {self.scope})"
