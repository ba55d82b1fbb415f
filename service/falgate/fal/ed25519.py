"""ED25519 signatures (RFC 8032). Loaded when there is something to sign or verify: it is large."""

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Verify = Callable[[bytes, bytes], bool]
"""Tells whether a signature (64 bytes) is that of a message."""


class SigningKey:
    """A private key.

    Attributes:
        public: Its public key, 32 bytes.
    """

    def __init__(self, seed: bytes) -> None:
        """Make the key from 32 bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, 64 bytes."""
        return self._key.sign(message)


def verifying(public: bytes) -> Verify:
    """Return what verifies signatures of a public key; raises `ValueError` if it is none."""
    key = Ed25519PublicKey.from_public_bytes(public)

    def verify(signature: bytes, message: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verify
