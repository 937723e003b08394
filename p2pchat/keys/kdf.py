"""HKDF-SHA-256 (RFC 5869), as every derivation in ``keys`` uses it."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def hkdf(secret: bytes, info: bytes, *, salt: bytes = b"", length: int = 32) -> bytes:
    """``length`` bytes from ``secret`` for the purpose ``info``, which begins ``p2pchat/1/``."""
    return HKDF(SHA256(), length, salt or None, info).derive(secret)
