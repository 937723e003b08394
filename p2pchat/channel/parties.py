"""The two ends of a pair channel, as both sides must see them alike: unit is (own device, peer device)."""

from dataclasses import dataclass, field
from functools import cached_property

from p2pchat.ids import DeviceId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One end: its identity, and the objects that the link's handshake proved. Hashes are SHA-256, 32 bytes."""

    user: UserId
    device: DeviceId
    head: bytes  # hash of the key log's last body
    set_hash: bytes  # hash of the device set's body
    modulus: bytes = field(repr=False)  # the root's, 1024 bytes
    spki_hash: bytes  # of the root's SubjectPublicKeyInfo


@dataclass(frozen=True, kw_only=True)
class Parties:
    """Own end and peer's end. ``lo`` is the one with the bytewise smaller ID: it alone offers epochs."""

    own: Party
    peer: Party

    def __post_init__(self) -> None:
        if self.own.user == self.peer.user:
            raise ValueError("a pair channel joins two different identities")

    @property
    def own_is_lo(self) -> bool:
        return self.own.user < self.peer.user

    @property
    def lo(self) -> Party:
        return self.own if self.own_is_lo else self.peer

    @property
    def hi(self) -> Party:
        return self.peer if self.own_is_lo else self.own

    @cached_property
    def outbound(self) -> bytes:
        """Q_from, Q_to, device from, device to of what I send: part of every envelope's associated data."""
        return self.own.user + self.peer.user + self.own.device + self.peer.device

    @cached_property
    def inbound(self) -> bytes:
        return self.peer.user + self.own.user + self.peer.device + self.own.device
