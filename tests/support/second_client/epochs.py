"""Section 9: agreeing an epoch in either role, and what it holds."""

import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.support.second_client.identity import Me, Shown, oaep
from tests.support.second_client.link import Link
from tests.support.second_client.primitives import hmac, pack, sha256, unpack

End = tuple[bytes, bytes, bytes, bytes]


@dataclass
class Chain:
    key: bytes
    index: int = 0

    def take(self, index: int) -> bytes:
        """The message key of ``index``; all before are gone."""
        assert index >= self.index
        while True:
            message_key, self.key = hmac(self.key, b"\1"), hmac(self.key, b"\2")
            self.index += 1
            if self.index > index:
                return message_key


@dataclass
class Epoch:
    number: int
    id: bytes
    send: Chain
    receive: Chain
    ctl_send: bytes
    ctl_receive: bytes
    next: bytes
    mac_offer: bytes
    mac_accept: bytes


@dataclass
class Exchange:
    """One OFFER, ACCEPT and CONFIRM over a link."""

    me: Me
    link: Link
    x25519: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    mlkem: MLKEM768PrivateKey = field(default_factory=MLKEM768PrivateKey.generate)
    r: bytes = field(default_factory=lambda: os.urandom(32))
    offered: bytes = b""

    @property
    def is_lo(self) -> bool:
        return self.me.shown.user < self.link.peer.user

    def offer(self, mode: int, number: int) -> bytes:
        own = (self.x25519.public_key().public_bytes_raw(), self.mlkem.public_key().public_bytes_raw())
        self.offered = pack(mode, number, *own, self._leg(mode, number, own))
        return self.offered

    def accept(self, offered: bytes, salt: bytes) -> tuple[Epoch, bytes]:
        """hi: (the epoch to hold as pending, body of ACCEPT). ``salt``: k_next of the epoch before."""
        self.offered = offered
        mode, number, x25519, mlkem, leg = unpack(offered, fields=5)
        r_lo = self._open_leg(mode, number, (x25519, mlkem), leg)
        shared, ciphertext = MLKEM768PublicKey.from_public_bytes(mlkem).encapsulate()
        own = (self.x25519.public_key().public_bytes_raw(), ciphertext)
        core = pack(number, *own, self._leg(mode, number, own))
        ikm = self.x25519.exchange(X25519PublicKey.from_public_bytes(x25519)) + shared + r_lo + self.r
        epoch = self._epoch(mode, number, salt, ikm, core)
        return epoch, pack(core, epoch.mac_accept)

    def verify(self, accepted: bytes, salt: bytes) -> Epoch:
        """lo: the new epoch."""
        mode, number, *_ = unpack(self.offered, fields=5)
        core, mac = unpack(accepted, fields=2)
        number_again, x25519, mlkem, leg = unpack(core, fields=4)
        assert number == number_again
        r_hi = self._open_leg(mode, number, (x25519, mlkem), leg)
        shared = self.x25519.exchange(X25519PublicKey.from_public_bytes(x25519)) + self.mlkem.decapsulate(mlkem)
        epoch = self._epoch(mode, number, salt, shared + self.r + r_hi, core)
        assert epoch.mac_accept == mac
        return epoch

    def _leg(self, mode: int, number: int, own: tuple[bytes, bytes]) -> bytes:
        to = self.link.peer
        label = leg_label(self.me.shown.user, to.user, to.spki_hash, mode, number, [*own])
        return to.root.encrypt(self.r, oaep(label))

    def _open_leg(self, mode: int, number: int, theirs: tuple[bytes, bytes], leg: bytes) -> bytes:
        own = self.me.shown
        label = leg_label(self.link.peer.user, own.user, own.spki_hash, mode, number, [*theirs])
        return self.me.root.decrypt(leg, oaep(label))

    def _epoch(self, mode: int, number: int, salt: bytes, ikm: bytes, core: bytes) -> Epoch:
        lo, hi = ((side.user, device, side.head, side.set_hash) for side, device in self._ends())
        th = transcript(mode, number, lo, hi, self.link.hash, self.offered, core)
        keys = schedule(th, salt if mode == 1 else bytes(32), ikm)
        out, into = ("lohi", "hilo") if self.is_lo else ("hilo", "lohi")
        return Epoch(
            number=number,
            id=keys["epoch-id"][:8],
            send=Chain(keys[f"chain-{out}"]),
            receive=Chain(keys[f"chain-{into}"]),
            ctl_send=keys[f"ctl-{out}"],
            ctl_receive=keys[f"ctl-{into}"],
            next=keys["next"],
            mac_offer=hmac(keys["confirm-offer"], th),
            mac_accept=hmac(keys["confirm-accept"], th),
        )

    def _ends(self) -> list[tuple[Shown, bytes]]:
        """lo, hi."""
        ends = [(self.me.shown, self.me.device), (self.link.peer, self.link.device)]
        return ends if self.is_lo else ends[::-1]


def transcript(mode: int, number: int, lo: End, hi: End, link_hash: bytes, offered: bytes, core: bytes) -> bytes:
    """th. An end is its Q, device, head and set hash."""
    items = [b"\1", bytes([mode]), number.to_bytes(8)]
    items += [item for pair in zip(lo, hi, strict=True) for item in pair]
    items += [link_hash, offered, core]
    return sha256(b"p2pchat/1/epoch", *(len(item).to_bytes(4) + item for item in items))


def schedule(th: bytes, salt: bytes, ikm: bytes) -> dict[str, bytes]:
    """All keys by their names."""
    prk = hmac(salt, ikm)
    names = ("epoch-id", "chain-lohi", "chain-hilo", "ctl-lohi", "ctl-hilo", "confirm-offer", "confirm-accept", "next")
    return {name: hmac(prk, b"p2pchat/1/" + name.encode(), th, b"\1") for name in names}


def leg_label(sender: bytes, recipient: bytes, spki_hash: bytes, mode: int, number: int, keys: list[bytes]) -> bytes:
    """``keys``: x25519 and mlkem of the same frame."""
    context = [sender, recipient, spki_hash, bytes([mode]), number.to_bytes(8), *keys]
    return b"p2pchat/1/rsa-leg" + sha256(*context)
