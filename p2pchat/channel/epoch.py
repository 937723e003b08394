"""The key schedule of an epoch: X25519, ML-KEM-768 and two RSA legs into one set of keys (protocol.md 9.2).

    th  = SHA-256("p2pchat/1/epoch" | length-prefixed[suite, mode, n+1, Q_lo, Q_hi, dev_lo, dev_hi, head_lo, head_hi,
          set_lo, set_hi, link handshake hash, OFFER, ACCEPT without its MAC])                 prefixes are u32
    prk = HKDF-Extract(salt = k_next or 32 zeros, ikm = x25519 | mlkem | r_lo | r_hi)
    key = HKDF-Expand(prk, "p2pchat/1/" + label | th, 32)
    MAC = HMAC-SHA-256(confirm key, th)

To read an epoch one must break all three kinds of secret. prk is a local variable here and nowhere stored.
"""

import hmac
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from p2pchat.channel.parties import Parties, Party
from p2pchat.errors import BadFormat
from p2pchat.ids import EpochId

LABEL: Final = b"p2pchat/1/"
SUITE: Final = b"\x01"  # X25519 + ML-KEM-768 + RSA-8192-OAEP both ways, XChaCha20-Poly1305, SHA-256
R_BYTES: Final = 32
SECRET_BYTES: Final = 32
NO_SALT: Final = bytes(32)
_X25519: Final = slice(0, 32)
_MLKEM: Final = slice(32, 96)
_R: Final = slice(96, 128)
FRESH_BYTES: Final = 128  # what one offer or accept uses up


class Mode(IntEnum):
    RESET = 0  # salt zeros: first contact, restore, loss, rollback, damage
    NEXT = 1  # salt k_next of the epoch before


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """One side's fresh secrets for one epoch. In memory only; dies with the link."""

    fresh: bytes = field(repr=False)  # x25519 private 32 | ML-KEM seed 64 (offerer only) | r 32

    @property
    def r(self) -> bytes:
        return self.fresh[_R]

    def x25519_public(self) -> bytes:
        return X25519PrivateKey.from_private_bytes(self.fresh[_X25519]).public_key().public_bytes_raw()

    def mlkem_public(self) -> bytes:
        return MLKEM768PrivateKey.from_seed_bytes(self.fresh[_MLKEM]).public_key().public_bytes_raw()

    def exchange(self, x25519: bytes) -> bytes:
        """The X25519 secret with the peer's key. Raises BadFormat on a low-order point."""
        own = X25519PrivateKey.from_private_bytes(self.fresh[_X25519])
        try:
            return own.exchange(X25519PublicKey.from_public_bytes(x25519))
        except ValueError as error:
            raise BadFormat("an epoch key is no valid X25519 point") from error

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """The ML-KEM secret; a forged ciphertext gives an unrelated one, by design of ML-KEM."""
        return MLKEM768PrivateKey.from_seed_bytes(self.fresh[_MLKEM]).decapsulate(ciphertext)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Secrets:
    """What goes into an epoch; each 32 bytes."""

    x25519: bytes
    mlkem: bytes
    r_lo: bytes
    r_hi: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Schedule:
    """What comes out; keys and MACs have 32 bytes. A direction is named lo to hi or hi to lo."""

    id: EpochId
    chain_lohi: bytes
    chain_hilo: bytes
    ctl_lohi: bytes
    ctl_hilo: bytes
    mac_offer: bytes
    mac_accept: bytes
    next_salt: bytes  # k_next


def leg_label(*, sender: Party, recipient: Party, mode: Mode, number: int, x25519: bytes, mlkem: bytes) -> bytes:
    """OAEP label of an RSA leg. ``x25519`` and ``mlkem`` (ek or ct) are the sender's of the same frame."""
    context = (
        sender.user,
        recipient.user,
        recipient.spki_hash,
        bytes([mode]),
        number.to_bytes(8),
        x25519,
        mlkem,
    )
    return LABEL + b"rsa-leg" + sha256(b"".join(context)).digest()


def rejected_leg(local_secret: bytes, ciphertext: bytes) -> bytes:
    """What stands for r where a leg did not open: HKDF(local secret, ciphertext), so that only a MAC fails, later."""
    prk = hmac.digest(NO_SALT, local_secret, "sha256")
    return _expand(prk, LABEL + b"rejected-leg" + sha256(ciphertext).digest())


def transcript(parties: Parties, mode: Mode, number: int, link_hash: bytes, offer: bytes, accept_core: bytes) -> bytes:
    """th, 32 bytes. ``offer`` and ``accept_core`` are the encoded structures as sent."""
    lo, hi = parties.lo, parties.hi
    items = (
        SUITE,
        bytes([mode]),
        number.to_bytes(8),
        lo.user,
        hi.user,
        lo.device,
        hi.device,
        lo.head,
        hi.head,
        lo.set_hash,
        hi.set_hash,
        link_hash,
        offer,
        accept_core,
    )
    return sha256(LABEL + b"epoch" + b"".join(len(item).to_bytes(4) + item for item in items)).digest()


def schedule(salt: bytes, secrets: Secrets, th: bytes) -> Schedule:
    """All keys of an epoch. ``salt``: k_next of the epoch before in mode NEXT, else NO_SALT."""
    ikm = secrets.x25519 + secrets.mlkem + secrets.r_lo + secrets.r_hi
    prk = hmac.digest(salt, ikm, "sha256")

    def key(label: bytes) -> bytes:
        return _expand(prk, LABEL + label + th)

    return Schedule(
        id=EpochId(key(b"epoch-id")[:8]),
        chain_lohi=key(b"chain-lohi"),
        chain_hilo=key(b"chain-hilo"),
        ctl_lohi=key(b"ctl-lohi"),
        ctl_hilo=key(b"ctl-hilo"),
        mac_offer=hmac.digest(key(b"confirm-offer"), th, "sha256"),
        mac_accept=hmac.digest(key(b"confirm-accept"), th, "sha256"),
        next_salt=key(b"next"),
    )


def _expand(prk: bytes, info: bytes) -> bytes:
    """The first block of HKDF-Expand (RFC 5869): 32 bytes."""
    return hmac.digest(prk, info + b"\x01", "sha256")
