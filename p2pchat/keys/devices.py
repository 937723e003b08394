"""Devices of an identity: their private keys, their public records, and the root-signed set of records.

Freshness of a set is its rising sequence, not a clock: ``expired`` reports, and callers decide (protocol.md 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat.errors import BadFormat, BadSignature, Untrusted
from p2pchat.ids import DeviceId, UserId
from p2pchat.keys.own_log import OwnLog
from p2pchat.keys.root import RootKey
from p2pchat.keys.standing import Standing
from p2pchat.limits import DEVICE_SET_BYTES, DEVICE_SET_DAYS
from p2pchat.wire.structs import CAPABILITIES, DeviceRecord, DeviceSet, Signed

FIRST_SEQUENCE: Final = 1
NO_SET: Final = bytes(32)  # ``prev`` of a first set
DEVICE_SET_MS: Final = DEVICE_SET_DAYS * 24 * 3600 * 1000
RENEWED_AFTER_MS: Final = DEVICE_SET_MS // 2  # a successor is signed when half of a set's life has passed


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class DeviceKeys:
    """The vault's private keys of one device. The link key is not here: it never leaves the gate."""

    device: DeviceId
    sign: Ed25519PrivateKey
    box_x25519: X25519PrivateKey
    box_mlkem: MLKEM768PrivateKey

    @classmethod
    def from_seeds(cls, device: DeviceId, sign_seed: bytes, box_x25519: bytes, box_mlkem_seed: bytes) -> Self:
        """From 32, 32 and 64 bytes (FIPS 203: d ‖ z)."""
        return cls(
            device=device,
            sign=Ed25519PrivateKey.from_private_bytes(sign_seed),
            box_x25519=X25519PrivateKey.from_private_bytes(box_x25519),
            box_mlkem=MLKEM768PrivateKey.from_seed_bytes(box_mlkem_seed),
        )


def make_device_record(keys: DeviceKeys, user: UserId, link_public: bytes) -> DeviceRecord:
    """The public side of ``keys`` and of the gate's link key (X25519, 32 bytes)."""
    return DeviceRecord(
        user=user,
        device=keys.device,
        link_x25519=link_public,
        box_x25519=keys.box_x25519.public_key().public_bytes_raw(),
        box_mlkem768=keys.box_mlkem.public_key().public_bytes_raw(),
        sign_ed25519=keys.sign.public_key().public_bytes_raw(),
        capabilities=CAPABILITIES,
    )


def make_device_set(
    root: RootKey,
    user: UserId,
    records: Sequence[DeviceRecord],
    *,
    sequence: int = FIRST_SEQUENCE,
    prev: bytes = NO_SET,
    not_after_ms: int,
) -> bytes:
    """An encoded Signed(DeviceSet). ``prev`` is the ``set_hash`` of the set it replaces. One RSA signature: 30 ms."""
    body = DeviceSet(
        user=user,
        sequence=sequence,
        prev=prev,
        not_after_ms=not_after_ms,
        records=tuple(record.encode() for record in records),
    ).encode()
    return Signed(body=body, signature=root.sign(body)).encode()


@dataclass(frozen=True, slots=True)
class VerifiedSet:
    """A device set whose root signature and every record have been checked."""

    user: UserId
    sequence: int
    prev: bytes  # 32: set_hash of the set before, or zeros
    set_hash: bytes  # 32: SHA-256 of the signed body
    not_after_ms: int
    records: tuple[DeviceRecord, ...]
    raw: bytes = field(repr=False)  # the encoded Signed as received

    def expired(self, now_ms: int) -> bool:
        """Whether the wall clock is past ``not_after_ms``. Pinned contacts still get a link then; newcomers do not."""
        return now_ms > self.not_after_ms

    def device(self, device: DeviceId) -> DeviceRecord | None:
        return next((record for record in self.records if record.device == device), None)

    def by_link_key(self, link_public: bytes) -> DeviceRecord | None:
        """The device whose gate holds the private half of ``link_public``."""
        return next((record for record in self.records if record.link_x25519 == link_public), None)

    def standing(self, known: "VerifiedSet") -> Standing:
        """How this set stands to ``known``, the newest one that was met."""
        if self.sequence != known.sequence:
            return Standing.NEWER if self.sequence > known.sequence else Standing.OLDER
        return Standing.SAME if self.set_hash == known.set_hash else Standing.FORKED

    def renews(self, known: "VerifiedSet") -> bool:
        """Whether this newer set does no more than prolong ``known``: the same devices, signed when it was due.

        Anything else is a replacement, which contacts are told of: a node signs one when it learns that a newer set
        than its own is about.
        """
        if set(self.records) != set(known.records) or (
            self.sequence == known.sequence + 1 and self.prev != known.set_hash
        ):
            return False
        apart_ms = self.not_after_ms - known.not_after_ms
        return apart_ms >= (self.sequence - known.sequence) * RENEWED_AFTER_MS


def make_successor(root: RootKey, known: VerifiedSet, records: Sequence[DeviceRecord], now_ms: int) -> bytes:
    """The set that follows ``known``, naming it, with the full life from now. One RSA signature: 30 ms."""
    return make_device_set(
        root,
        known.user,
        records,
        sequence=known.sequence + 1,
        prev=known.set_hash,
        not_after_ms=now_ms + DEVICE_SET_MS,
    )


def verify_device_set(raw: bytes, chain: OwnLog) -> VerifiedSet:
    """Check an encoded Signed(DeviceSet) against the identity that it claims.

    Raises BadFormat for a shape that is off or a device listed twice, Untrusted where any ID inside is not the
    chain's, BadSignature where the chain's current root did not sign it. Never looks at a clock.
    """
    if len(raw) > DEVICE_SET_BYTES:
        raise BadFormat(f"a device set has at most {DEVICE_SET_BYTES} bytes")
    signed = Signed.decode(raw)
    found = DeviceSet.decode(signed.body)
    if found.user != chain.user:
        raise Untrusted("the device set belongs to another ID")
    try:
        chain.root.verify(signed.signature, signed.body)
    except BadSignature as error:
        raise BadSignature("the device set is not signed by the ID's root key") from error
    records = tuple(DeviceRecord.decode(record) for record in found.records)
    if any(record.user != chain.user for record in records):
        raise Untrusted("the device set holds a device of another ID")
    _check_distinct(records)
    return VerifiedSet(
        user=chain.user,
        sequence=found.sequence,
        prev=found.prev,
        set_hash=sha256(signed.body).digest(),
        not_after_ms=found.not_after_ms,
        records=records,
        raw=raw,
    )


def _check_distinct(records: tuple[DeviceRecord, ...]) -> None:
    if len({record.device for record in records}) != len(records):
        raise BadFormat("the device set lists a device twice")
    if len({record.link_x25519 for record in records}) != len(records):
        raise BadFormat("two devices of the set share a link key")
