"""Sixty digits that two people compare to know that nobody stands between them.

Each half is a slow hash of one side's ID and current root (5200 rounds, as Signal's numeric fingerprint version 1).
"""

from hashlib import sha512
from typing import Final

from p2pchat.ids import UserId

_LABEL: Final = b"p2pchat/1/sn"
_ROUNDS: Final = 5200
_GROUPS: Final = 6  # of five digits, each from five bytes: 30 digits a side, about 99 bits


def safety_number(one: tuple[UserId, bytes], other: tuple[UserId, bytes]) -> str:
    """60 digits in twelve groups of five, the same for both sides. Each side is (ID, SHA-256 of its root's SPKI)."""
    return " ".join(_half(user, spki_hash) for user, spki_hash in sorted((one, other)))


def _half(user: UserId, spki_hash: bytes) -> str:
    seed = user + spki_hash
    digest = _LABEL + seed
    for _ in range(_ROUNDS):
        digest = sha512(digest + seed).digest()
    groups = (int.from_bytes(digest[5 * i : 5 * i + 5]) % 100_000 for i in range(_GROUPS))
    return " ".join(f"{group:05}" for group in groups)
