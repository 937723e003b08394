"""Cutting handshake messages out of a carrier's byte stream, without a length that an observer could read.

    unit = first 32 bytes of the message | masked length (2) | rest of the message

The mask is HMAC(link psk, label | direction | those 32 bytes): each message begins with fresh random-looking bytes (an
ephemeral key, or a sealed static key), so nothing in a unit is constant, and only who knows the responder's ID finds
where it ends. The length is no secret to protect, so it needs no tag of its own: a wrong one makes the message fail.
"""

import hmac
from typing import Final

from p2pchat.errors import BadFormat

HEAD_BYTES: Final = 32
LENGTH_BYTES: Final = 2
_LABEL: Final = b"p2pchat/1/unit-length"


def wrap(message: bytes, psk: bytes, number: int) -> bytes:
    """The unit that carries handshake message ``number`` (1, 2 or 3)."""
    head = message[:HEAD_BYTES]
    length = int.from_bytes(_mask(psk, number, head)) ^ len(message)
    return head + length.to_bytes(LENGTH_BYTES) + message[HEAD_BYTES:]


class UnitReader:
    """Takes one unit from a stream; ``rest`` is what followed it."""

    def __init__(self, psk: bytes, number: int, *, limit: int) -> None:
        self._psk = psk
        self._number = number
        self._limit = limit
        self._buffer = bytearray()
        self._length = 0

    def feed(self, data: bytes) -> bytes | None:
        """The message once it is whole, else None. Raises BadFormat where the length cannot be."""
        self._buffer += data
        if not self._length and len(self._buffer) >= HEAD_BYTES + LENGTH_BYTES:
            mask = _mask(self._psk, self._number, bytes(self._buffer[:HEAD_BYTES]))
            masked = self._buffer[HEAD_BYTES : HEAD_BYTES + LENGTH_BYTES]
            self._length = int.from_bytes(mask) ^ int.from_bytes(masked)
            if not HEAD_BYTES < self._length <= self._limit:
                raise BadFormat("a handshake message claims a length that cannot be")
        if not self._length or len(self._buffer) < self._length + LENGTH_BYTES:
            return None
        return bytes(self._buffer[:HEAD_BYTES] + self._buffer[HEAD_BYTES + LENGTH_BYTES : self._length + LENGTH_BYTES])

    @property
    def rest(self) -> bytes:
        """Bytes behind the whole unit; they belong to what comes next."""
        return bytes(self._buffer[self._length + LENGTH_BYTES :])


def _mask(psk: bytes, number: int, head: bytes) -> bytes:
    return hmac.digest(psk, _LABEL + bytes([number]) + head, "sha256")[:LENGTH_BYTES]
