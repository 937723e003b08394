"""WebSocket frames (RFC 6455, section 5): bytes in, events out, and back. Pure, and bounded whatever comes.

    frame = FIN, RSV, opcode (1) | MASK, length (1) | length (0, 2 or 8) | masking key (0 or 4) | payload

Payload is handed on as it comes, unmasked, so nothing is held but an incomplete header or control frame. The first
violation is final: it is told as a ``Fault`` behind the events that came before it, and nothing is read after it.
"""

import codecs
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

FIN: Final = 0x80
MASKED: Final = 0x80
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
CONTROL_BYTES: Final = 125
FRAGMENTS: Final = 256  # frames that one message may be cut into
MESSAGE_BYTES: Final = 1024 * 1024

# Close codes (RFC 6455, section 7.4.1)
NORMAL, GOING_AWAY, PROTOCOL_ERROR, UNSUPPORTED, INVALID, POLICY, TOO_BIG = 1000, 1001, 1002, 1003, 1007, 1008, 1009
_TOLD: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})  # may stand in a close frame
Mask: TypeAlias = Callable[[bytes | memoryview, bytes], bytes]
_XOR: Final = tuple(bytes(byte ^ key for byte in range(256)) for key in range(256))


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of a message; ``ends`` with the message's last byte."""

    payload: bytes
    text: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class Ping:
    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    payload: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """The other side says that it sends nothing more; None: it gave no code."""

    code: int | None


@dataclass(frozen=True, slots=True)
class Fault:
    """What came is no WebSocket; ``code`` is what a close frame says of it."""

    code: int
    why: str


Event: TypeAlias = Data | Ping | Pong | Closed | Fault


class _Violation(Exception):
    """Carries a fault from where it is seen to ``feed``."""

    def __init__(self, why: str, code: int = PROTOCOL_ERROR) -> None:
        super().__init__(why)
        self.fault = Fault(code, why)


def mask_by_tables(data: bytes | memoryview, key: bytes) -> bytes:
    """``mask`` without compiled code: each of four lanes goes through one table of 256."""
    masked = bytearray(data)
    for lane in range(4):
        masked[lane::4] = masked[lane::4].translate(_XOR[key[lane]])
    return bytes(masked)


def _compiled() -> Mask | None:
    try:
        from websockets.speedups import apply_mask
    except ImportError:  # no wheel with compiled code for this platform: 25 times slower, the same bytes
        return None
    return cast(Mask, apply_mask)


mask: Final = _compiled() or mask_by_tables
"""``data`` XOR the repeated 4 bytes of ``key``; masking again unmasks. Three quarters of the carrier's cost without
compiled code (docs/decisions.md, 24)."""


def encode(opcode: int, payload: bytes | memoryview, key: bytes = b"") -> bytes:
    """One whole, final frame; ``key`` (4 random bytes) masks it, as a client must."""
    length, flag = len(payload), MASKED if key else 0
    if length <= CONTROL_BYTES:
        head = struct.pack(">BB", FIN | opcode, flag | length)
    elif length < 1 << 16:
        head = struct.pack(">BBH", FIN | opcode, flag | 126, length)
    else:
        head = struct.pack(">BBQ", FIN | opcode, flag | 127, length)
    return b"".join((head, key, mask(payload, key) if key else payload))


def close_payload(code: int) -> bytes:
    return code.to_bytes(2)


class FrameReader:
    """Frames of one direction. ``masked``: whether the sender is a client, and so has to mask."""

    def __init__(self, *, masked: bool) -> None:
        self._masked = masked
        self._held = b""  # an incomplete header, or an incomplete control frame
        self._left = 0  # payload bytes of the present data frame that are still to come
        self._key = b""  # of the present data frame, turned to its next byte
        self._final = True  # whether the present data frame ends its message
        self._text: codecs.IncrementalDecoder | None = None
        self._open = False  # a message has begun
        self._frames = self._bytes = 0  # of the present message
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """What the next bytes of the stream bring. Behind a ``Closed`` or a ``Fault`` nothing more is read."""
        events: list[Event] = []
        if self._over:
            return events
        buffer, at = (self._held + data, 0) if self._held else (data, 0)
        self._held = b""
        try:
            while not self._over:
                if self._left and at < len(buffer):
                    end = min(len(buffer), at + self._left)
                    events.append(self._piece(memoryview(buffer)[at:end]))
                    at = end
                elif self._left or (taken := self._frame(buffer, at, events)) == 0:
                    self._held = buffer[at:]
                    return events
                else:
                    at += taken
        except _Violation as violation:
            self._over = True
            events.append(violation.fault)
        return events

    def _frame(self, buffer: bytes, at: int, events: list[Event]) -> int:
        """Read a header, and a control frame whole; how many bytes that took, 0 where some are missing."""
        if len(buffer) - at < 2:
            return 0
        first, second = buffer[at], buffer[at + 1]
        opcode = first & 0x0F
        self._check_head(first, second)
        wide = {126: 2, 127: 8}.get(second & 0x7F, 0)
        head = 2 + wide + (4 if self._masked else 0)
        if len(buffer) - at < head:
            return 0
        length = int.from_bytes(buffer[at + 2 : at + 2 + wide]) if wide else second & 0x7F
        key = buffer[at + 2 + wide : at + head]
        if opcode >= CLOSE:
            if len(buffer) - at < head + length:
                return 0
            payload = buffer[at + head : at + head + length]
            events.append(self._control(opcode, mask(payload, key) if key else payload))
            return head + length
        self._begin(first, opcode, length, wide)
        self._left, self._key = length, key
        if not length:
            events.append(self._piece(memoryview(b"")))
        return head

    def _check_head(self, first: int, second: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            raise _Violation("a reserved bit is set")
        if opcode not in {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}:
            raise _Violation("an unknown opcode")
        if bool(second & MASKED) is not self._masked:
            raise _Violation("a client's frame is not masked" if self._masked else "a server's frame is masked")
        if opcode >= CLOSE and (not first & FIN or second & 0x7F > CONTROL_BYTES):
            raise _Violation("a control frame is fragmented or too long")

    def _begin(self, first: int, opcode: int, length: int, wide: int) -> None:
        """A data frame's header is whole."""
        if (wide == 2 and length <= CONTROL_BYTES) or (wide == 8 and not 1 << 16 <= length < 1 << 63):
            raise _Violation("a length is not in its shortest form")
        if (opcode == CONTINUATION) is not self._open:
            raise _Violation("a message begins or goes on out of turn")
        if not self._open:
            self._frames = self._bytes = 0
            self._text = codecs.getincrementaldecoder("utf-8")() if opcode == TEXT else None
        self._frames += 1
        self._bytes += length
        if self._bytes > MESSAGE_BYTES or self._frames > FRAGMENTS:
            raise _Violation("a message is too long, or cut into too many frames", TOO_BIG)
        self._final = bool(first & FIN)
        self._open = not self._final

    def _piece(self, payload: memoryview) -> Data:
        if self._key:
            plain = mask(payload, self._key)
            turn = len(payload) % 4
            self._key = self._key[turn:] + self._key[:turn]
        else:
            plain = bytes(payload)
        self._left -= len(payload)
        ends = self._final and not self._left
        if self._text is not None:
            try:
                self._text.decode(plain, ends)
            except UnicodeDecodeError as error:
                raise _Violation("a text is not UTF-8", INVALID) from error
        return Data(plain, self._text is not None, ends)

    def _control(self, opcode: int, payload: bytes) -> Event:
        if opcode == PING:
            return Ping(payload)
        if opcode == PONG:
            return Pong(payload)
        self._over = True
        if not payload:
            return Closed(None)
        code = int.from_bytes(payload[:2])
        if len(payload) < 2 or code not in _TOLD:
            raise _Violation("a close frame says what none may say")
        try:
            payload[2:].decode()
        except UnicodeDecodeError as error:
            raise _Violation("a close frame's reason is not UTF-8", INVALID) from error
        return Closed(code)
