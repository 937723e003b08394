"""Sizes on the wire: every sealed frame fills a record of the link as exactly as it may (protocol.md 6).

padded plaintext = u32 length | content | check | zeros
"""

from typing import Final

from p2pchat.errors import BadFormat
from p2pchat.limits import RECORD_PLAINTEXT_BYTES
from p2pchat.wire.frames import HEADER_BYTES

LENGTH_BYTES: Final = 4
_STEP: Final = 4096
_SMALL: Final = (256, 512, 1024, 2048)
# What a record adds to the frames inside it: 21 bytes now, with room for a little more without a larger bucket.
_RECORD_ROOM: Final = 32


def frame_room(least: int) -> int:
    """Body bytes, at least ``least``, of a frame that fills the smallest records that hold it."""
    for size in _SMALL:
        if _body_bytes(size) >= least:
            return _body_bytes(size)
    size = _STEP
    while _body_bytes(size) < least:
        size += _STEP
    return _body_bytes(size)


def pad(content: bytes, length: int, check: bytes = b"") -> bytes:
    """``content`` with its length before and ``check`` behind it, zeros up to ``length`` bytes."""
    return (len(content).to_bytes(LENGTH_BYTES) + content + check).ljust(length, b"\0")


def unpad(padded: bytes, check_bytes: int = 0) -> tuple[bytes, bytes]:
    """(content, check). Raises BadFormat where the length is a lie or the padding is not zeros."""
    end = LENGTH_BYTES + int.from_bytes(padded[:LENGTH_BYTES])
    if len(padded) < LENGTH_BYTES or end + check_bytes > len(padded):
        raise BadFormat("a sealed plaintext claims to be longer than it is")
    if padded.count(0, end + check_bytes) != len(padded) - end - check_bytes:
        raise BadFormat("a sealed plaintext is padded with something else than zeros")
    return padded[LENGTH_BYTES:end], padded[end : end + check_bytes]


def _body_bytes(size: int) -> int:
    """Frame body bytes that ``size`` bytes of records carry."""
    records = -(-size // RECORD_PLAINTEXT_BYTES)
    return size - HEADER_BYTES - records * _RECORD_ROOM
