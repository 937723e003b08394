"""Proof of work of a stranger's letter: dearer the fuller the store, and the more wait for the same person. Pure."""

from hashlib import sha256
from typing import Final

HOUR_S: Final = 3600
BITS: Final = 20  # about a second of one core
_EVERY_LETTERS: Final = 5  # of the slot: one bit more
_EVERY_SHARE: Final = 0.05  # of the store, above half: one bit more


def bits_demanded(stored: int, most: int, waiting: int) -> int:
    """Leading zero bits. ``stored`` of ``most`` letters are there, ``waiting`` of them in this slot."""
    above = max(0.0, stored / most - 0.5) if most else 0.0
    return BITS + int(above / _EVERY_SHARE + 1e-9) + waiting // _EVERY_LETTERS


def bits_of(slot: bytes, hour: int, letter: bytes, counter: bytes) -> int:
    """How much work a letter shows."""
    digest = sha256(slot + hour.to_bytes(4) + letter + counter).digest()
    return 256 - int.from_bytes(digest).bit_length()


def find_counter(slot: bytes, hour: int, letter: bytes, bits: int, *, start: int = 0, tries: int) -> bytes | None:
    """The first counter from ``start`` that shows ``bits``, or None after so many ``tries``: call it again."""
    prefix = sha256(slot + hour.to_bytes(4) + letter)
    limit = 1 << (256 - bits)
    for number in range(start, start + tries):
        counter = number.to_bytes(8)
        one = prefix.copy()
        one.update(counter)
        if int.from_bytes(one.digest()) < limit:
            return counter
    return None
