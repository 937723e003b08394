"""Every structure that p2pchat shows to others, on a wire or under a signature, in one file to be read as the format.

Each class is a msgpack array in field order; ``LABEL`` is its first element where set. Sizes are bytes. Signed
structures travel as ``Signed(body, signature)``: ``body`` is the received encoding, and the signature covers
``body`` (whose label and Q name its meaning). docs/protocol.md explains the use of each.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from p2pchat import limits
from p2pchat.ids import DeviceId, EpochId, Incarnation, MessageId, UserId
from p2pchat.wire.shape import U8, U16, U32, U64, Size, Struct, exactly, up_to

Bytes8 = Annotated[bytes, exactly(8)]
Bytes16 = Annotated[bytes, exactly(16)]
Bytes32 = Annotated[bytes, exactly(32)]
Signature64 = Annotated[bytes, exactly(64)]  # Ed25519
Rsa1024 = Annotated[bytes, exactly(limits.RSA_BYTES)]  # an RSA-8192 number: modulus, signature or OAEP ciphertext
UserQ = Annotated[UserId, exactly(32)]
Device16 = Annotated[DeviceId, exactly(16)]
Message16 = Annotated[MessageId, exactly(16)]
Life8 = Annotated[Incarnation, exactly(8)]
Epoch8 = Annotated[EpochId, exactly(8)]
MaybeEpoch = Annotated[EpochId, up_to(8)]  # empty = none
Nickname = Annotated[str, up_to(limits.NICKNAME_BYTES)]
KeyLogBytes = Annotated[bytes, up_to(limits.KEY_LOG_BYTES)]  # an encoded KeyLog, or empty = not sent
DeviceSetBytes = Annotated[bytes, up_to(limits.DEVICE_SET_BYTES)]  # an encoded Signed(DeviceSet), or empty
SuccessionBytes = Annotated[bytes, up_to(limits.SUCCESSION_BYTES)]  # an encoded Succession, or empty
Capabilities = Annotated[tuple[Annotated[str, Size(1, 32)], ...], up_to(32)]

CAPABILITIES: Final[tuple[str, ...]] = ("text", "receipts", "withdraw")  # what this build understands


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Struct):
    """A structure's received bytes and the signature over them (Ed25519: 64, root RSA-PSS: 1024)."""

    body: Annotated[bytes, up_to(limits.CARD_BYTES)]
    signature: Annotated[bytes, Size(64, limits.RSA_BYTES)]


# --- identity (protocol.md 2, 3, 4) ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis(Struct):
    """What the ID commits to. Root-signed (PSS-SHA-512); gfp and Q cover this encoding without the signature."""

    LABEL = "p2pchat/1/genesis"
    modulus: Rsa1024
    discovery: Bytes32  # D0, an Ed25519 point
    recovery_commitment: Bytes32  # zeros: no recovery key
    day: U32  # days since 1970
    random: Bytes16


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLog(Struct):
    """Genesis, then later entries; each entry is the encoding of a Signed. Head = SHA-256 of the last entry's body."""

    LABEL = "p2pchat/1/key-log"
    entries: Annotated[tuple[Annotated[bytes, up_to(8192)], ...], Size(1, limits.KEY_LOG_ENTRIES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRoot(Struct):
    """What a later entry says: the same ID has another root from now on. The new root signs this statement."""

    LABEL = "p2pchat/1/new-root"
    user: UserQ
    prev: Bytes32  # SHA-256 of the body of the entry before
    recovers: bool  # by the recovery key, which outranks the old root
    modulus: Rsa1024
    discovery: Bytes32  # D0 of the new root
    day: U32  # days since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate(Struct):
    """A later entry, root-signed (PSS-SHA-512) by the root before."""

    LABEL = "p2pchat/1/rotate"
    statement: Annotated[bytes, up_to(2048)]  # an encoded NewRoot
    by_new: Rsa1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover(Struct):
    """A later entry, signed (Ed25519) by the recovery key to whose two halves the genesis commits."""

    LABEL = "p2pchat/1/recover"
    statement: Annotated[bytes, up_to(2048)]  # an encoded NewRoot
    by_new: Rsa1024
    ed25519: Bytes32
    mldsa65: Annotated[bytes, exactly(1952)]
    by_mldsa65: Annotated[bytes, exactly(3309)]  # over the statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor(Struct):
    """An ID is given up because its key was stolen; its owner goes by another. Root-signed, by the ID given up."""

    LABEL = "p2pchat/1/successor"
    user: UserQ
    successor: UserQ
    day: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession(Struct):
    """How the successor shows it to those who knew the ID before (keys/succession.py)."""

    LABEL = "p2pchat/1/succession"
    statement: Annotated[bytes, up_to(2048)]  # an encoded Signed(Successor)
    key_log: Annotated[bytes, up_to(6 * 1024)]  # of the ID given up; empty where there is no room for it
    earlier: Annotated[bytes, up_to(limits.SUCCESSION_BYTES)]  # how that ID had followed another, or empty


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord(Struct):
    LABEL = "p2pchat/1/device"
    user: UserQ
    device: Device16
    link_x25519: Bytes32  # private half only in the gate
    box_x25519: Bytes32  # these three private halves only in the vault
    box_mlkem768: Annotated[bytes, exactly(1184)]
    sign_ed25519: Bytes32
    capabilities: Capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSet(Struct):
    """All devices of an identity under one root signature. ``prev`` = SHA-256 of the set body before it, or zeros."""

    LABEL = "p2pchat/1/device-set"
    user: UserQ
    sequence: U64
    prev: Bytes32
    not_after_ms: U64
    records: Annotated[tuple[Annotated[bytes, up_to(1600)], ...], Size(1, limits.DEVICES)]  # encoded DeviceRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Struct):
    host: Annotated[str, Size(1, limits.HOST_BYTES)]  # IPv4, IPv6 without brackets, or a name
    port: U16
    carrier: Annotated[str, Size(1, 8)]  # ws | poll | tls | raw


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRecord(Struct):
    """Where a device can be reached; signed by that device's ``sign_ed25519``. The higher sequence wins."""

    LABEL = "p2pchat/1/addresses"
    user: UserQ
    device: Device16
    sequence: U64  # milliseconds at signing, raised by one where the clock stands still
    not_after_ms: U64
    addresses: Annotated[tuple[Address, ...], up_to(limits.ADDRESSES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(Struct):
    """What ``contact card`` writes, signed by the device; the file adds armour and a checksum (contacts/card.py)."""

    LABEL = "p2pchat/1/card"
    user: UserQ
    device: Device16
    key_log: KeyLogBytes
    device_set: DeviceSetBytes
    addresses: Annotated[bytes, up_to(limits.ADDRESS_RECORD_BYTES)]  # an encoded Signed(AddressRecord)
    nickname: Nickname
    created_ms: U64
    not_after_ms: U64


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCode(Struct):
    """The QR code of a card: whom to look for and where; what is shown there must fit (wire/card_code.py)."""

    LABEL = "p2pchat/1/card-code"
    user: UserQ
    head16: Bytes16  # first bytes of the key log's head
    set_sequence: U64
    set_hash16: Bytes16  # first bytes of that device set's hash; a newer one may be shown
    not_after_ms: U64
    addresses: Annotated[tuple[Address, ...], up_to(limits.ADDRESSES)]


# --- link handshake (protocol.md 5) ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload1(Struct):
    """Initiator to responder, readable by whoever knows the responder's ID: nothing about the initiator."""

    version: U16  # the highest protocol version spoken
    set_hash8: Bytes8  # first bytes of SHA-256 of the responder's device set that I hold; zeros = none


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload2(Struct):
    """Responder to initiator. The objects are empty where ``set_hash8`` told that the initiator holds them."""

    version: U16
    user: UserQ
    device: Device16
    head: Bytes32  # SHA-256 of the key log's last body
    set_hash: Bytes32  # SHA-256 of the device set's body
    key_log: KeyLogBytes
    device_set: DeviceSetBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload3(Struct):
    """Initiator to responder; the objects follow in an ``Objects`` frame if the responder asks."""

    user: UserQ
    device: Device16
    head: Bytes32
    set_hash: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects(Struct):
    """First frames after the handshake. ``step``: 0 = I hold your objects, the link stands; 1 = send them; 2 = here."""

    step: U8
    key_log: KeyLogBytes = b""
    device_set: DeviceSetBytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping(Struct):
    """Body of PING and, repeated, of PONG."""

    nonce: Bytes8


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Struct):
    """Authenticated end of a link, so that a cut is told from a close."""

    reason: U8  # wire.boundary.Reason
    text: Annotated[str, up_to(128)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireError(Struct):
    number: U16  # errors.py
    reference_id: Bytes16  # what it speaks of (a message id, or zeros)
    text: Annotated[str, up_to(256)]


# --- pair channel (protocol.md 9, 10) -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Struct):
    """First frame of each vault on a link: which epoch I am in. Cursors follow, sealed, once the epochs agree."""

    epoch: MaybeEpoch
    pending: MaybeEpoch
    capabilities: Capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekey(Struct):
    reason: U8  # 0 = asked, 1 = messages, 2 = time, 3 = lost, 4 = damaged, 5 = stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Struct):
    mode: U8  # 0 = reset, 1 = next
    number: U64  # n+1
    x25519: Bytes32
    mlkem: Annotated[bytes, exactly(1184)]
    leg: Rsa1024  # OAEP(r_lo) under the accepter's root


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptCore(Struct):
    """ACCEPT without its MAC: what the transcript covers."""

    number: U64
    x25519: Bytes32
    mlkem: Annotated[bytes, exactly(1088)]
    leg: Rsa1024  # OAEP(r_hi) under the offerer's root


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Struct):
    core: Annotated[bytes, up_to(2300)]  # an encoded AcceptCore
    mac: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(Struct):
    mac: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageBody(Struct):
    """The plaintext of an envelope, before md5_pt and padding (channel/envelope.py)."""

    LABEL = "p2pchat/1/body"
    message: Message16
    conversation: Bytes16
    clock: U64  # hybrid: milliseconds << 16 | counter
    sent_ms: U64  # the sender's wall clock
    device: Device16
    sequence: U64  # number in the sender's queue
    previous: Bytes16  # first 16 bytes of SHA-256 of the sender's previous body here; zeros = first
    kind: U8  # BodyKind
    content_type: Annotated[str, up_to(64)]
    content: Annotated[bytes, up_to(limits.TEXT_BYTES)]
    reply_to: Annotated[bytes, up_to(16)]  # reserved: empty
    thread_id: Annotated[bytes, up_to(16)]  # reserved: empty
    expires_at_ms: U64  # 0 = never
    attachments: Annotated[tuple[Annotated[bytes, up_to(64)], ...], up_to(16)]  # reserved: empty


BODY_TEXT: Final = 1
BODY_VOID: Final = 2  # fills the number of a message that was cancelled or expired; tombstone if it had arrived
BODY_WITHDRAW: Final = 3  # content = message id of an earlier message of the same sender

CTL_RESUME: Final = 1
CTL_RECEIPT: Final = 2
CTL_ADDRESSES: Final = 3
CTL_PROFILE: Final = 4
CTL_HELD_ADDRESSES: Final = 5
CTL_COPIED: Final = 6
CTL_COMPARE: Final = 7
CTL_HEADS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CtlItem(Struct):
    """One control statement; an unknown kind is ignored."""

    kind: U8
    body: Annotated[bytes, up_to(8192)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ctl(Struct):
    """Plaintext of a CTL frame (sealed under the epoch's ctl key, link hash as associated data)."""

    items: Annotated[tuple[CtlItem, ...], Size(1, 16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Struct):
    """Said by both as soon as the epochs agree on a link."""

    incarnation: Life8  # of my outgoing queue
    first: U64  # lowest number that I still hold (or tail + 1)
    tail: U64  # highest number given out
    have_incarnation: Annotated[Incarnation, up_to(8)]  # of your queue as I know it; empty = nothing yet
    have: U64  # I have yours up to here, committed
    have_message: Annotated[bytes, up_to(16)] = b""  # the message that bears this number, if it is still known


@dataclass(frozen=True, slots=True, kw_only=True)
class Head(Struct):
    """Which key I hold of somebody whom you may know, too."""

    mark: Bytes16  # first bytes of HMAC-SHA-256(ctl key of this direction, that ID)
    head: Bytes32  # of the key log


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads(Struct):
    """Said once a link, unless it is switched off."""

    heads: Annotated[tuple[Head, ...], up_to(64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Struct):
    """Cumulative, the maximum wins; only what is opened and committed."""

    incarnation: Life8
    delivered: U64
    read: U64  # 0 where receipts are off


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(Struct):
    nickname: Nickname
    avatar: Annotated[bytes, up_to(6144)]  # empty: unchanged or none; larger ones follow as envelopes
    avatar_md5: Annotated[bytes, up_to(16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(Struct):
    """Comparing keys live: all that the sender has said in it so far (contacts/compare.py)."""

    commitment: Bytes32  # the sender's; it names this comparison for it
    seen: Annotated[bytes, up_to(32)]  # the recipient's commitment; empty: none yet
    value: Annotated[bytes, up_to(32)]  # what ``commitment`` binds; empty while nothing is seen
    verdict: U8  # 0 = none yet, 1 = the pictures are the same, 2 = they differ, 3 = broken off


# --- contact request (protocol.md 8, before the first epoch) --------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRequest(Struct):
    """Sealed by HPKE to the recipient's box keys, signed over both Q and the link hash (contacts/request.py)."""

    LABEL = "p2pchat/1/request"
    ADDED = 1
    nickname: Nickname
    note: Annotated[str, up_to(limits.NOTE_BYTES)]
    addresses: Annotated[bytes, up_to(limits.ADDRESS_RECORD_BYTES)]  # an encoded Signed(AddressRecord), or empty
    sent_ms: U64
    succession: SuccessionBytes = b""  # for who knew the sender by an ID that was given up


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAnswer(Struct):
    """``accepted`` and the friend ticket. The requester answers with its own ticket (``reply`` true).

    ``held`` is the ticket that the recipient once gave: a recipient who lost its list knows the friend by it again.
    """

    LABEL = "p2pchat/1/answer"
    accepted: bool
    reply: bool
    ticket: Annotated[bytes, up_to(32)]
    nickname: Nickname
    addresses: Annotated[bytes, up_to(limits.ADDRESS_RECORD_BYTES)]
    held: Annotated[bytes, up_to(32)] = b""
