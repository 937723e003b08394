"""Bytes as the text of a QR code: a prefix, then base 32 of the bytes and their CRC-32. Every reader gives it back."""

import base64
import binascii
import zlib
from typing import Final

_SUM_BYTES: Final = 4


def to_code(prefix: str, body: bytes) -> str:
    """In the alphanumeric characters of QR codes (ISO/IEC 18004), without padding."""
    raw = body + zlib.crc32(body).to_bytes(_SUM_BYTES)
    return prefix + base64.b32encode(raw).decode().rstrip("=")


def from_code(prefix: str, text: str) -> bytes | None:
    """None for what does not begin with ``prefix``, or is damaged."""
    if not text.startswith(prefix):
        return None
    encoded = text[len(prefix) :]
    try:
        raw = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
    except (binascii.Error, ValueError):  # ValueError: characters that no code of ours has
        return None
    body, checksum = raw[:-_SUM_BYTES], raw[-_SUM_BYTES:]
    return body if zlib.crc32(body).to_bytes(_SUM_BYTES) == checksum else None
