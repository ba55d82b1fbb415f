"""Fingerprints: requests with the same fingerprint share a pool of pictures."""

import hashlib
from typing import Any

import msgspec

from falgate.models.spec import ModelSpec

VERSION = 2
"""Raise it when the construction changes; old pools can then no longer be reached."""


def fingerprint(
    spec: ModelSpec, arguments: Any, *, upstream: str, scope: str, variation: str = ""
) -> str:
    """Return the SHA-256 (hex) over everything that may change a picture or who may share it.

    Every argument is included unless the model says that it does not change pictures, so a new
    field separates pools by default. Defaults are filled in before, so it does not matter whether a
    caller spells them out.

    Args:
        spec: The model; its endpoint and schema version are included.
        arguments: An instance of `spec.input`.
        upstream: Name of the upstream: the sandbox's placeholders must never pass for fal's
            pictures.
        scope: Name of those who may share them.
        variation: A caller's label for a separate pool.
    """
    parts = (
        str(VERSION).encode(),
        str(spec.schema_version).encode(),
        spec.endpoint.encode(),
        upstream.encode(),
        scope.encode(),
        variation.encode(),
        msgspec.json.encode(spec.keyed(arguments), order="sorted"),
    )
    # The length before each part distinguishes ("a", "bc") from ("ab", "c").
    whole = b"".join([len(part).to_bytes(8, "big") + part for part in parts])
    return hashlib.sha256(whole).hexdigest()


def version(spec: ModelSpec) -> str:
    """Return the version of a model's fingerprints; pools of other versions are never reached."""
    return f"{VERSION}.{spec.schema_version}"


def prompt_digest(prompt: str) -> str:
    """Return the SHA-256 (hex) of a prompt, which finds its pools if the prompt is not kept."""
    return hashlib.sha256(b"prompt\0" + prompt.encode()).hexdigest()
