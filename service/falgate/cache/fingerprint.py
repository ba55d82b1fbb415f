"""The fingerprint of a request: what must be equal for two requests to share pictures."""

import hashlib
from typing import Any

import msgspec

from falgate.models.spec import ModelSpec

VERSION = 2
"""Raise it when the construction changes: old pools then can no longer be reached."""


def fingerprint(
    spec: ModelSpec, arguments: Any, *, upstream: str, scope: str, variation: str = ""
) -> str:
    """SHA-256 (hex) over everything that may change or may not share a picture.

    Every argument is part of it unless the model says that it does not change a picture, so a new
    field separates pools by default. Defaults are filled in before, so their spelling is not.

    Args:
        spec: The model; its endpoint and schema version take part.
        arguments: An instance of `spec.input`.
        upstream: Who makes the pictures: a placeholder of the sandbox is never fal's picture.
        scope: Who may share them.
        variation: A caller's label for a pool of its own.
    """
    keyed = msgspec.to_builtins(arguments)
    for name in spec.unkeyed:
        del keyed[name]
    parts = (
        str(VERSION).encode(),
        str(spec.schema_version).encode(),
        spec.endpoint.encode(),
        upstream.encode(),
        scope.encode(),
        variation.encode(),
        msgspec.json.encode(keyed, order="sorted"),
    )
    digest = hashlib.sha256()
    for part in parts:
        # A length before each part keeps ("a", "bc") apart from ("ab", "c").
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def version(spec: ModelSpec) -> str:
    """What a pool must have been made under to be reached still."""
    return f"{VERSION}.{spec.schema_version}"


def prompt_digest(prompt: str) -> str:
    """SHA-256 (hex) of a prompt: by it pools are found where the prompt itself is not kept."""
    return hashlib.sha256(b"prompt\0" + prompt.encode()).hexdigest()
