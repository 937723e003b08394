"""What vault and gate say to each other: u32 length, then msgpack ``[kind, ...]`` of at most 80 KiB.

Both ends are the same build, so there are no versions. ``link`` is a number never reused in a run; ``seq`` counts per
link and direction from 1. SENT and TOOK are cumulative. PEER and WANT are state: the last one wins.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from p2pchat import limits
from p2pchat.errors import BadFormat
from p2pchat.wire import codec
from p2pchat.wire.shape import U8, U16, U32, U64, Struct, up_to
from p2pchat.wire.structs import Bytes32, Device16, DeviceSetBytes, KeyLogBytes, UserQ

LENGTH_BYTES: Final = 4
FOREVER_MS: Final = 2**63 - 1
Body = Annotated[bytes, up_to(limits.FRAME_BODY_BYTES)]
Text = Annotated[str, up_to(512)]
Record = Annotated[bytes, up_to(limits.ADDRESS_RECORD_BYTES)]  # an encoded Signed(AddressRecord)


class Role(IntEnum):
    """What a peer may do on a link; GONE withdraws the entry."""

    GONE = 0
    CONTACT = 1
    MEMBER = 2
    TRACKER = 3
    STRANGER = 4


class Reason(IntEnum):
    """Why a link ended, or should end."""

    CLOSED = 0  # the peer closed it, authenticated
    LOST = 1  # the stream ended without a close
    REPLACED = 2  # a second link of the same pair won
    DAMAGED = 3  # a record, frame or handshake that cannot be
    SILENT = 4  # no heartbeat answer
    UNWANTED = 5  # peer removed or blocked
    SHUTDOWN = 6  # this node ends
    IDLE = 7
    RATE_LIMITED = 8  # a stranger, and too many of late


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultHello(Struct):
    """First word of the vault: who I am. The gate refuses another build."""

    build: Bytes32
    user: UserQ
    device: Device16
    key_log: KeyLogBytes
    device_set: DeviceSetBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer(Struct):
    """An identity the gate may link with. The gate checks chain and records itself before it uses an address."""

    user: UserQ
    role: U8
    key_log: KeyLogBytes = b""  # as pinned; empty = not known yet
    device_set: DeviceSetBytes = b""
    records: Annotated[tuple[Record, ...], up_to(8)] = ()
    lan: bool = False  # the user imported these addresses himself, so LAN and loopback are allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Want(Struct):
    """Keep a link to this peer until then (Unix ms; 0 = no longer; FOREVER_MS)."""

    user: UserQ
    until_ms: U64


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Struct):
    link: U32
    seq: U64
    kind: U16  # frames.FrameType; its class follows from it
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Took(Struct):
    """Committed up to ``seq``: the gate may read on."""

    link: U32
    seq: U64


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Struct):
    link: U32
    reason: U8


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome(Struct):
    """First word of the gate. ``share`` is its half of the store's key."""

    build: Bytes32
    share: Bytes32
    link_x25519: Bytes32  # public
    listen: Annotated[tuple[Text, ...], up_to(16)]  # HOST:PORT as bound
    reachable: Annotated[tuple[Text, ...], up_to(8)]  # what a card should say: advertise, else the host's addresses
    carriers: Annotated[tuple[Annotated[str, up_to(8)], ...], up_to(8)]  # that the gate serves
    wall: Annotated[str, up_to(8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Up(Struct):
    """A link is authenticated. Objects are empty where they equal what PEER gave."""

    link: U32
    user: UserQ
    device: Device16
    role: U8
    initiator: bool  # we dialled
    path: Text  # direct
    carrier: Text  # ws | raw
    address: Text  # HOST:PORT of the other end
    handshake_hash: Bytes32
    key_log: KeyLogBytes
    device_set: DeviceSetBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Down(Struct):
    link: U32
    reason: U8


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived(Struct):
    """A frame from the peer (FRAME of the design)."""

    link: U32
    seq: U64
    kind: U16
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Struct):
    """Written to the carrier up to ``seq`` (state ``sent``)."""

    link: U32
    seq: U64


@dataclass(frozen=True, slots=True, kw_only=True)
class Cannot(Struct):
    """A wanted link could not be made; the gate goes on by itself."""

    user: UserQ
    reason: Text
    retry_ms: U64  # Unix ms of the next try; 0 = waits for news


@dataclass(frozen=True, slots=True, kw_only=True)
class Addrs(Struct):
    """The node's reachable addresses changed."""

    reachable: Annotated[tuple[Text, ...], up_to(8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Warn(Struct):
    code: Text
    text: Text
    user: Annotated[bytes, up_to(32)] = b""


BoundaryMessage = (
    VaultHello | Peer | Want | Send | Took | Cut | Welcome | Up | Down | Arrived | Sent | Cannot | Addrs | Warn
)
KINDS: Final[dict[int, type[Struct]]] = {
    1: VaultHello, 2: Peer, 3: Want, 4: Send, 5: Took, 6: Cut,
    33: Welcome, 34: Up, 35: Down, 36: Arrived, 37: Sent, 38: Cannot, 39: Addrs, 40: Warn,
}  # fmt: skip
_NUMBER: Final = {cls: number for number, cls in KINDS.items()}


def encode(message: Struct) -> bytes:
    """Length-prefixed, ready for the stream."""
    body = codec.pack([_NUMBER[type(message)], *message.as_list()])
    if len(body) > limits.BOUNDARY_FRAME_BYTES:
        raise BadFormat("a boundary frame is too long")
    return len(body).to_bytes(LENGTH_BYTES) + body


def decode(body: bytes) -> Struct:
    """The message of one frame body (without its length). Raises BadFormat."""
    value = codec.unpack(body)
    if not isinstance(value, list) or not value or type(value[0]) is not int or value[0] not in KINDS:
        raise BadFormat("an unknown boundary message")
    return KINDS[value[0]].from_value(value[1:])


class BoundaryReader:
    """Messages from stream bytes; holds at most one incomplete frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Struct]:
        self._buffer += data
        messages: list[Struct] = []
        at = 0
        while len(self._buffer) - at >= LENGTH_BYTES:
            length = int.from_bytes(self._buffer[at : at + LENGTH_BYTES])
            if length > limits.BOUNDARY_FRAME_BYTES:
                raise BadFormat(f"a boundary frame claims {length} bytes")
            if len(self._buffer) - at - LENGTH_BYTES < length:
                break
            at += LENGTH_BYTES
            messages.append(decode(bytes(self._buffer[at : at + length])))
            at += length
        del self._buffer[:at]
        return messages
