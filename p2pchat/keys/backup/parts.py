"""A backup's container as three QR codes, in characters that every reader gives back as they are (protocol.md 17.2).

A part is the text ``P2PB`` and base 32 of:

    version 1 | kind 1 (bit 7: parity; else the part, 1 to 3) | length of the container 2 | its SHA-256[:8] | piece
    | CRC-32 of all before

Without parity the pieces are thirds. With parity the first two are halves and the third is their XOR, so that any two
suffice. The hash names the set: parts of another backup never mix in unnoticed, and what was joined is checked.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from p2pchat.errors import Corrupt, Failed
from p2pchat.limits import BACKUP_BYTES, QR_CHARS
from p2pchat.wire.code_text import from_code, to_code

PREFIX: Final = "P2PB"
VERSION: Final = 1
PARTS: Final = 3
MOST_CODES: Final = 64
_PARITY: Final = 0x80
_HEAD: Final = struct.Struct(">BBH8s")
_AGAIN: Final = "take the picture again, nearer and in even light"


@dataclass(frozen=True, slots=True)
class _Part:
    set: tuple[bytes, int, bool]  # hash, length, parity: the same in all parts of one backup
    number: int
    piece: bytes


def split(container: bytes, *, parity: bool = False) -> tuple[str, str, str]:
    """The texts of the three codes. ``container`` has 1 to 33 KiB, of which a code holds about 2.6."""
    assert 0 < len(container) <= BACKUP_BYTES
    digest, size = _digest(container), _piece_bytes(len(container), parity)
    pieces = [container[at : at + size].ljust(size, b"\0") for at in range(0, size * (2 if parity else 3), size)]
    if parity:
        pieces.append(_xor(*pieces))
    first, second, third = (_text(container, digest, number, piece, parity) for number, piece in enumerate(pieces, 1))
    return first, second, third


def join(codes: Iterable[str]) -> bytes:
    """The container, from the texts of codes in any order, some twice, other people's among them.

    Raises Corrupt, which says what is missing, foreign or damaged; Failed for a set of a newer version.
    """
    texts = list(dict.fromkeys(codes))[:MOST_CODES]
    ours = [text for text in texts if text.startswith(PREFIX)]
    if not ours:
        raise Corrupt("there is no p2pchat code among these QR codes", hint="p2pchat key inspect --help")
    parts = [part for text in ours if (part := _read(text)) is not None]
    if not parts:
        raise Corrupt("the code was read, and is damaged", hint=_AGAIN)
    sets = {part.set for part in parts}
    if len(sets) > 1:
        raise Corrupt(f"parts of different backups: {_listed(parts)}", hint="name the pictures of one set alone")
    (_, length, parity), *_ = sets
    found = {part.number: part.piece for part in parts}
    if missing := _missing(found, parity):
        damaged = " (one code was read, and is damaged)" if len(parts) < len(ours) else ""
        raise Corrupt(f"{missing}{damaged}", hint=_AGAIN)
    container = _joined(found, parity)[:length]
    if _digest(container) != parts[0].set[0]:
        raise Corrupt("the parts do not make up the backup that they name", hint="use another copy of it")
    return container


def _text(container: bytes, digest: bytes, number: int, piece: bytes, parity: bool) -> str:
    return to_code(PREFIX, _HEAD.pack(VERSION, number | (_PARITY if parity else 0), len(container), digest) + piece)


def _read(text: str) -> _Part | None:
    """None where it is damaged. Raises Failed for a newer version."""
    body = from_code(PREFIX, text) if len(text) <= QR_CHARS else None
    if body is None or len(body) <= _HEAD.size:
        return None
    version, kind, length, digest = _HEAD.unpack_from(body)
    if version != VERSION:
        raise Failed("this code was made by a newer p2pchat", hint="update p2pchat")
    parity, number, piece = bool(kind & _PARITY), kind & ~_PARITY, body[_HEAD.size :]
    if not 1 <= number <= PARTS or not length or len(piece) != _piece_bytes(length, parity):
        return None
    return _Part((digest, length, parity), number, piece)


def _missing(found: dict[int, bytes], parity: bool) -> str:
    lacking = [number for number in range(1, PARTS + 1) if number not in found]
    if parity:
        return "any two of the three parts will do, and only one is here" if len(found) < 2 else ""
    if len(lacking) == 1:
        return f"part {lacking[0]} of 3 is missing"
    return f"parts {lacking[0]} and {lacking[1]} of 3 are missing" if lacking else ""


def _joined(found: dict[int, bytes], parity: bool) -> bytes:
    if not parity:
        return found[1] + found[2] + found[3]
    first = found[1] if 1 in found else _xor(found[2], found[3])
    return first + (found[2] if 2 in found else _xor(first, found[3]))


def _listed(parts: list[_Part]) -> str:
    """``1, 2 of set 01bd015f and 3 of set 77aa21c0``."""
    names: dict[str, list[int]] = {}
    for part in sorted(parts, key=lambda part: part.number):
        names.setdefault(part.set[0].hex()[:8], []).append(part.number)
    return " and ".join(f"{', '.join(map(str, numbers))} of set {name}" for name, numbers in names.items())


def _piece_bytes(length: int, parity: bool) -> int:
    return -(-length // (2 if parity else 3))


def _digest(container: bytes) -> bytes:
    return sha256(container).digest()[:8]


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(len(one))
