"""MD5, in its only place: a damage check that decides nothing about safety.

The AEAD beside it does. A lint test keeps md5 out of every other file.
"""

import hashlib
from typing import Final

MD5_BYTES: Final = 16


def md5(*parts: bytes) -> bytes:
    """16 bytes over the joined parts, to notice accidental damage."""
    digest = hashlib.md5(usedforsecurity=False)
    for part in parts:
        digest.update(part)
    return digest.digest()
