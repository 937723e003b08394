"""TCP connections out of a capture file: what each side sent, in order. It shares no code with p2pchat."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

End = tuple[bytes, int]  # address, port
_ETHERNET: Final = 1
_IP_V4, _IP_V6 = 0x0800, 0x86DD
_TCP: Final = 6
_SYN, _ACK = 0x02, 0x10
_HEAD_END: Final = b"\r\n\r\n"
_BINARY: Final = 2
_MAGIC: Final = {0xA1B2C3D4: "little or big, microseconds", 0xA1B23C4D: "the same, nanoseconds"}


@dataclass
class _Side:
    begin: int | None = None  # sequence number of the first byte
    pieces: dict[int, bytes] = field(default_factory=dict)  # by offset

    def joined(self) -> bytes:
        """Without what was sent again. What was not captured ends it."""
        whole = bytearray()
        for offset in sorted(self.pieces):
            piece = self.pieces[offset]
            if offset > len(whole):
                raise AssertionError("the capture has a hole")
            whole += piece[len(whole) - offset :]
        return bytes(whole)


@dataclass(frozen=True, slots=True)
class Connection:
    client: bytes  # all that the side that dialled sent
    server: bytes


@dataclass(frozen=True, slots=True)
class Talk:
    """What an upgraded connection carried: the payloads of its binary messages, unmasked and joined."""

    client: bytes
    server: bytes


def talks(found: list[Connection]) -> list[Talk]:
    """Those connections that became WebSockets."""
    return [
        Talk(_payloads(each.client.partition(_HEAD_END)[2]), _payloads(each.server.partition(_HEAD_END)[2]))
        for each in found
        if each.server.startswith(b"HTTP/1.1 101 ")
    ]


def _payloads(frames: bytes) -> bytes:
    """RFC 6455, section 5.2: of a stream of whole frames those with binary data."""
    joined, at = bytearray(), 0
    while at < len(frames):
        opcode, length = frames[at] & 15, frames[at + 1] & 127
        masked, at = frames[at + 1] & 128, at + 2
        wide = {126: 2, 127: 8}.get(length, 0)
        length, at = int.from_bytes(frames[at : at + wide]) if wide else length, at + wide
        key, at = (frames[at : at + 4], at + 4) if masked else (bytes(4), at)
        payload = frames[at : at + length]
        if opcode == _BINARY:
            many = key * (len(payload) // 4 + 1)
            joined += (int.from_bytes(payload) ^ int.from_bytes(many[: len(payload)])).to_bytes(len(payload))
        at += length
    return bytes(joined)


def connections(path: Path) -> list[Connection]:
    """Every connection of the capture whose beginning it holds, in order of their first packets."""
    sides: dict[tuple[End, End], _Side] = {}
    dialled: list[tuple[End, End]] = []
    for source, target, sequence, flags, payload in _segments(path):
        if flags & _SYN:
            sides[source, target] = _Side(begin=sequence + 1)
            if not flags & _ACK:
                dialled.append((source, target))
            continue
        side = sides.get((source, target))
        if side is not None and side.begin is not None and payload:
            offset = (sequence - side.begin) % 2**32
            if len(payload) > len(side.pieces.get(offset, b"")):
                side.pieces[offset] = payload
    return [Connection(sides[end, far].joined(), sides.get((far, end), _Side()).joined()) for end, far in dialled]


def listening(path: Path) -> set[int]:
    """The ports that somebody dialled."""
    return {target[1] for _, target, _, flags, _ in _segments(path) if flags & _SYN and not flags & _ACK}


def _segments(path: Path) -> Iterator[tuple[End, End, int, int, bytes]]:
    for frame in _frames(path):
        kind, packet = int.from_bytes(frame[12:14]), frame[14:]
        if kind == _IP_V4 and packet[9] == _TCP:
            segment = packet[4 * (packet[0] & 15) : int.from_bytes(packet[2:4]) or None]
            source, target = packet[12:16], packet[16:20]
        elif kind == _IP_V6 and packet[6] == _TCP:
            segment, source, target = packet[40:], packet[8:24], packet[24:40]
        else:
            continue
        from_port, to_port, sequence = struct.unpack_from(">HHI", segment)
        payload = segment[4 * (segment[12] >> 4) :]
        yield (source, from_port), (target, to_port), sequence, segment[13], payload


def _frames(path: Path) -> Iterator[bytes]:
    raw = path.read_bytes()
    order = "<" if int.from_bytes(raw[:4], "little") in _MAGIC else ">"
    link_type = struct.unpack_from(order + "I", raw, 20)[0]
    assert struct.unpack_from(order + "I", raw)[0] in _MAGIC and link_type == _ETHERNET, "no pcap of Ethernet frames"
    at = 24
    while at < len(raw):
        captured, length = struct.unpack_from(order + "II", raw, at + 8)
        assert captured == length, "the capture cut packets short"
        yield raw[at + 16 : at + 16 + captured]
        at += 16 + captured
