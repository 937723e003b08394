"""What a tracker and its clients say over UDP: fixed packets, of one size for each type (protocol.md 18.2).

An answer is never longer than its question, so that nobody can aim a tracker at somebody else. The first byte holds the
version and the type; integers are big-endian. Whatever has another length, or another first byte, is no packet.
"""

import struct
from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag
from typing import ClassVar, Final, Self

from p2pchat.errors import BadFormat

VERSION: Final = 1
ANSWER: Final = 0x80  # top bit of the first byte
COOKIE_BYTES: Final = 8
SLOT_BYTES: Final = 16
HANDLE_BYTES: Final = 8  # the first bytes of a slot, which name it where its owner speaks
MAC_BYTES: Final = 8
SHORT_MAC_BYTES: Final = 6  # of answers
RECORD_BYTES: Final = 162  # sealed
MAIL_BYTES: Final = 475  # sealed
QUESTION_BYTES: Final = 600  # sealed
KEY_BYTES: Final = 16
REFRESH_SPREAD: Final = (0.5, 1.5)  # of what ``refresh_s`` says, drawn evenly: a crowd that came at once must spread
SEALED_KEY_BYTES: Final = KEY_BYTES + 18 + 16  # with the address that the tracker saw, and a tag


class Type(IntEnum):
    REGISTER = 1  # prove a slot's key once a day: an Ed25519 signature, for a MAC key
    ANNOUNCE = 2  # write a slot's record
    REFRESH = 3  # keep it
    LEAVE = 4  # take it away
    QUERY = 5  # read a slot's record
    MAIL = 6  # put a letter into a slot's mailbox
    FETCH = 7  # take letters out
    ASK = 8  # read a slot's question
    QUESTION = 9  # write it
    PROBLEM = 14  # an answer only
    COOKIE = 15  # an answer only: come again with this


class Flags(IntFlag):
    """What an answer tells beside."""

    NONE = 0
    MAIL = 1  # letters wait
    UNKNOWN = 2  # the slot has no record: announce it
    REGISTER = 4  # the MAC key ends soon: register again
    FULL = 8  # no room; the demanded work has risen
    TAKEN = 16  # the letter is stored


class Problem(IntEnum):
    DAY = 1  # the slot's day is neither today nor a neighbour, by the tracker's clock
    SIGNATURE = 2
    BUSY = 3  # too many from this neighbourhood
    FULL = 4


def first_byte(kind: int, *, answer: bool = False) -> int:
    return (ANSWER if answer else 0) | VERSION << 4 | kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """Base: fields in the order of ``FORM`` behind the first byte; ``PADDING`` zeros follow."""

    KIND: ClassVar[Type]
    IS_ANSWER: ClassVar[bool] = False
    FORM: ClassVar[struct.Struct]
    PADDING: ClassVar[int] = 0

    @classmethod
    def size(cls) -> int:
        """Bytes of every packet of this type."""
        return 1 + cls.FORM.size + cls.PADDING

    def encode(self) -> bytes:
        values = [getattr(self, field.name) for field in fields(self)]
        return bytes([first_byte(self.KIND, answer=self.IS_ANSWER)]) + self.FORM.pack(*values) + bytes(self.PADDING)

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Raises BadFormat."""
        if len(raw) != cls.size() or raw[0] != first_byte(cls.KIND, answer=cls.IS_ANSWER):
            raise BadFormat(f"this is no {cls.__name__} packet")
        return cls(**{f.name: value for f, value in zip(fields(cls), cls.FORM.unpack_from(raw, 1), strict=True)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(Packet):
    """``key`` is the slot's own for this day; ``signature``, by it, covers ``signed_part`` (keys/blinding.py)."""

    KIND = Type.REGISTER
    FORM = struct.Struct(">8sI32s32s64s")
    cookie: bytes
    day: int
    key: bytes
    ephemeral: bytes  # X25519
    signature: bytes

    @staticmethod
    def signed_part(tracker: bytes, ephemeral: bytes) -> bytes:
        """``tracker``: its public key, so that a registration counts at one tracker alone."""
        return tracker + ephemeral


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Packet):
    KIND = Type.REGISTER
    IS_ANSWER = True
    FORM = struct.Struct(f">BB{SEALED_KEY_BYTES}s")
    flags: int
    refresh: int  # see ``refresh_s``
    sealed: bytes  # MAC key 16, observed address 16, port 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce(Packet):
    KIND = Type.ANNOUNCE
    FORM = struct.Struct(f">8s16sI{RECORD_BYTES}s8s")
    cookie: bytes
    slot: bytes
    sequence: int
    record: bytes
    mac: bytes  # over everything before


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced(Packet):
    KIND = Type.ANNOUNCE
    IS_ANSWER = True
    FORM = struct.Struct(">IBB6s")
    sequence: int
    flags: int
    refresh: int
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh(Packet):
    KIND = Type.REFRESH
    FORM = struct.Struct(">8sI8s")
    handle: bytes
    sequence: int
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed(Packet):
    KIND = Type.REFRESH
    IS_ANSWER = True
    FORM = struct.Struct(">BB6s")
    flags: int
    refresh: int
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Packet):
    """Is not answered."""

    KIND = Type.LEAVE
    FORM = struct.Struct(">8sI8s")
    handle: bytes
    sequence: int
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Packet):
    KIND = Type.QUERY
    FORM = struct.Struct(">8s16s")
    PADDING = RECORD_BYTES - SLOT_BYTES
    number: bytes  # random: the answer bears it
    slot: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Packet):
    """A miss looks like a hit: only who has the slot's key can tell."""

    KIND = Type.QUERY
    IS_ANSWER = True
    FORM = struct.Struct(f">8s{RECORD_BYTES}s")
    number: bytes
    record: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail(Packet):
    """``counter``: so that SHA-256(slot, hour, letter, counter) begins with as many zero bits as are demanded."""

    KIND = Type.MAIL
    FORM = struct.Struct(f">8s16sI8s{MAIL_BYTES}s")
    cookie: bytes
    slot: bytes
    hour: int
    counter: bytes
    letter: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailed(Packet):
    KIND = Type.MAIL
    IS_ANSWER = True
    FORM = struct.Struct(">BB8s")
    flags: int
    bits: int  # of work that the slot demands now
    letter: bytes  # the first 8 bytes of its SHA-256


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch(Packet):
    KIND = Type.FETCH
    FORM = struct.Struct(">8sI8s8s")
    PADDING = MAIL_BYTES - 12
    handle: bytes
    sequence: int
    done: bytes  # the letter that was read and may go, by the first 8 bytes of its SHA-256; zeros: none
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched(Packet):
    KIND = Type.FETCH
    IS_ANSWER = True
    FORM = struct.Struct(f">BB{MAIL_BYTES}s8s")
    count: int  # of letters that wait, this one included
    refresh: int
    letter: bytes
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Packet):
    """Writes it. Answered by Questioned."""

    KIND = Type.QUESTION
    FORM = struct.Struct(f">8s16sI{QUESTION_BYTES}s8s")
    cookie: bytes
    slot: bytes
    sequence: int
    record: bytes
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Questioned(Announced):
    KIND = Type.QUESTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Packet):
    KIND = Type.ASK
    FORM = struct.Struct(">8s16s")
    PADDING = QUESTION_BYTES - SLOT_BYTES
    number: bytes
    slot: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Packet):
    KIND = Type.ASK
    IS_ANSWER = True
    FORM = struct.Struct(f">8s{QUESTION_BYTES}s")
    number: bytes
    record: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble(Packet):
    """Why a request came to nothing. Nobody signed it: a hint, no proof."""

    KIND = Type.PROBLEM
    IS_ANSWER = True
    FORM = struct.Struct(">BBI")
    about: int  # the type of the request
    problem: int
    now_s: int  # the tracker's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie(Packet):
    KIND = Type.COOKIE
    IS_ANSWER = True
    FORM = struct.Struct(">8s")
    cookie: bytes


REQUESTS: Final[tuple[type[Packet], ...]] = (
    Register, Announce, Refresh, Leave, Query, Mail, Fetch, Ask, Question
)  # fmt: skip
ANSWERS: Final[tuple[type[Packet], ...]] = (
    Registered, Announced, Refreshed, Found, Mailed, Fetched, Asked, Questioned, Trouble, Cookie
)  # fmt: skip
_BY_FIRST_BYTE: Final = {first_byte(cls.KIND, answer=cls.IS_ANSWER): cls for cls in (*REQUESTS, *ANSWERS)}


def decode(raw: bytes) -> Packet:
    """Whatever packet that is. Raises BadFormat."""
    kind = _BY_FIRST_BYTE.get(raw[0]) if raw else None
    if kind is None:
        raise BadFormat("this is no packet of a tracker")
    return kind.decode(raw)


def refresh_s(code: int) -> int:
    """How long an answer's ``refresh`` byte asks to wait: 2^(code/4) minutes, at most a day."""
    return min(int(60 * 2 ** (code / 4)), 24 * 3600)
