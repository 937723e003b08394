"""Frames on a link: the 12-byte header inside every record, and the table of types (protocol.md 7).

Header, big-endian: magic ``SCHT`` | u16 version | u32 body length | u16 type. A type with the top bit set is critical:
whoever does not know it cuts the link; any other unknown type is ignored.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from p2pchat.errors import BadFormat
from p2pchat.limits import FRAME_BODY_BYTES

MAGIC: Final = 0x53434854
VERSION: Final = 1
CRITICAL: Final = 0x8000
_HEADER: Final = struct.Struct(">IHIH")
HEADER_BYTES: Final = _HEADER.size


class FrameType(IntEnum):
    HELLO = 1
    OBJECTS = 2
    REKEY = 3
    OFFER = 4
    ACCEPT = 5
    CONFIRM = 6
    ENVELOPE = 7
    CTL = 8
    REQUEST = 9
    ANSWER = 10
    ERROR = 11
    PING = 12
    PONG = 13
    CLOSE = 14
    CREDIT = 15
    STALE_SET = 16
    STALE_LOG = 17
    LOG_WANTED = 18


class FrameClass(IntEnum):
    """The family of a type: what the boundary sorts, counts and permits by."""

    LINK = 1
    CHAIN = 2
    EPOCH = 3
    PAIR = 4
    CONTACT = 5
    GROUP = 6


CLASS_OF: Final = {
    FrameType.HELLO: FrameClass.EPOCH,
    FrameType.OBJECTS: FrameClass.CHAIN,
    FrameType.REKEY: FrameClass.EPOCH,
    FrameType.OFFER: FrameClass.EPOCH,
    FrameType.ACCEPT: FrameClass.EPOCH,
    FrameType.CONFIRM: FrameClass.EPOCH,
    FrameType.ENVELOPE: FrameClass.PAIR,
    FrameType.CTL: FrameClass.PAIR,
    FrameType.REQUEST: FrameClass.CONTACT,
    FrameType.ANSWER: FrameClass.CONTACT,
    FrameType.ERROR: FrameClass.LINK,
    FrameType.PING: FrameClass.LINK,
    FrameType.PONG: FrameClass.LINK,
    FrameType.CLOSE: FrameClass.LINK,
    FrameType.CREDIT: FrameClass.LINK,
    FrameType.STALE_SET: FrameClass.CHAIN,
    FrameType.STALE_LOG: FrameClass.CHAIN,
    FrameType.LOG_WANTED: FrameClass.CHAIN,
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. ``kind`` is the bare type number, without the critical bit."""

    kind: int
    body: bytes
    critical: bool = False

    def encode(self) -> bytes:
        if len(self.body) > FRAME_BODY_BYTES:
            raise BadFormat(f"a frame body has at most {FRAME_BODY_BYTES} bytes")
        number = self.kind | (CRITICAL if self.critical else 0)
        return _HEADER.pack(MAGIC, VERSION, len(self.body), number) + self.body


def parse_header(header: bytes) -> tuple[int, int, bool]:
    """(body length, type, critical). Raises BadFormat on a foreign magic, version or length."""
    magic, version, length, number = _HEADER.unpack(header)
    if magic != MAGIC:
        raise BadFormat("a frame does not begin with its magic")
    if version != VERSION:
        raise BadFormat(f"frame version {version} is unknown")
    if length > FRAME_BODY_BYTES:
        raise BadFormat(f"a frame claims {length} bytes, at most {FRAME_BODY_BYTES} are allowed")
    return length, number & ~CRITICAL, bool(number & CRITICAL)


class FrameReader:
    """Frames from a stream of record plaintexts. Holds at most one incomplete frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, plaintext: bytes) -> list[Frame]:
        """Add bytes, take out whole frames. Raises BadFormat; the link must then be cut."""
        self._buffer += plaintext
        frames: list[Frame] = []
        at = 0
        while len(self._buffer) - at >= HEADER_BYTES:
            length, kind, critical = parse_header(bytes(self._buffer[at : at + HEADER_BYTES]))
            if len(self._buffer) - at - HEADER_BYTES < length:
                break
            at += HEADER_BYTES
            frames.append(Frame(kind, bytes(self._buffer[at : at + length]), critical))
            at += length
        del self._buffer[:at]
        return frames
