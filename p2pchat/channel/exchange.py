"""One exchange of secrets: OFFER -> ACCEPT -> CONFIRM, apart from when and whether it happens (agreement.py).

The offerer's ephemerals live in ``Offering``, in memory; the accepter keeps none: it answers with the finished epoch.
"""

import hmac
from dataclasses import dataclass, field
from typing import Protocol

from p2pchat.channel import epoch as schedule
from p2pchat.channel.epoch import Ephemeral, Mode, Schedule, Secrets
from p2pchat.channel.parties import Parties
from p2pchat.channel.state import Epoch, Pending
from p2pchat.errors import BadFormat
from p2pchat.wire.structs import Accept, AcceptCore, Offer


class Draws(Protocol):
    """The calls that draw randomness inside the library (a part of ``env.CryptoDraws``)."""

    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]: ...

    def oaep_encrypt(self, modulus: bytes, plaintext: bytes, label: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Channel:
    """What an exchange is bound to: both ends and the link that it runs over."""

    parties: Parties
    link_hash: bytes  # the link's handshake hash, 32 bytes


@dataclass(frozen=True, slots=True)
class Offering:
    """The offerer's side until ACCEPT is verified."""

    mode: Mode
    number: int
    ephemeral: Ephemeral = field(repr=False)
    frame: bytes  # the encoded Offer, as sent


@dataclass(frozen=True, slots=True)
class Leg:
    """An RSA leg to open with the own root: OAEP ciphertext of 1024 bytes and its label."""

    ciphertext: bytes
    label: bytes


@dataclass(frozen=True, slots=True)
class OpenedLeg:
    """What the RSA worker made of a leg; ``secret`` None = it did not open."""

    leg: Leg
    secret: bytes | None = field(repr=False)

    def value(self, local_secret: bytes) -> bytes:
        """32 bytes in any case: implicit rejection, so that a leg that does not open shows only as a wrong tag later.

        ``local_secret``: 32 bytes that never leave this vault.
        """
        if self.secret is not None and len(self.secret) == schedule.SECRET_BYTES:
            return self.secret
        return schedule.rejected_leg(local_secret, self.leg.ciphertext)


def offer(channel: Channel, mode: Mode, number: int, fresh: bytes, draws: Draws) -> Offering:
    """Begin epoch ``number``. ``fresh``: epoch.FRESH_BYTES random bytes."""
    parties, own = channel.parties, Ephemeral(fresh)
    x25519, mlkem = own.x25519_public(), own.mlkem_public()
    label = schedule.leg_label(
        sender=parties.own, recipient=parties.peer, mode=mode, number=number, x25519=x25519, mlkem=mlkem
    )
    leg = draws.oaep_encrypt(parties.peer.modulus, own.r, label)
    frame = Offer(mode=mode, number=number, x25519=x25519, mlkem=mlkem, leg=leg).encode()
    return Offering(mode, number, own, frame)


def leg_of_offer(channel: Channel, offered: Offer) -> Leg:
    """The accepter's RSA work."""
    parties = channel.parties
    label = schedule.leg_label(
        sender=parties.peer,
        recipient=parties.own,
        mode=Mode(offered.mode),
        number=offered.number,
        x25519=offered.x25519,
        mlkem=offered.mlkem,
    )
    return Leg(offered.leg, label)


def accept(
    channel: Channel, frame: bytes, *, salt: bytes, r_lo: bytes, fresh: bytes, draws: Draws
) -> tuple[Pending, bytes]:
    """(the epoch to store as pending, the ACCEPT frame's body). ``frame``: the OFFER as received. Raises BadFormat."""
    parties, own, offered = channel.parties, Ephemeral(fresh), Offer.decode(frame)
    shared = own.exchange(offered.x25519)
    try:
        mlkem_secret, mlkem = draws.kem_encapsulate(offered.mlkem)
    except ValueError as error:
        raise BadFormat("an offer holds no valid ML-KEM key") from error
    x25519, mode = own.x25519_public(), Mode(offered.mode)
    label = schedule.leg_label(
        sender=parties.own, recipient=parties.peer, mode=mode, number=offered.number, x25519=x25519, mlkem=mlkem
    )
    leg = draws.oaep_encrypt(parties.peer.modulus, own.r, label)
    core = AcceptCore(number=offered.number, x25519=x25519, mlkem=mlkem, leg=leg).encode()
    secrets = Secrets(x25519=shared, mlkem=mlkem_secret, r_lo=r_lo, r_hi=own.r)
    keys = _keys(channel, mode, offered.number, frame, core, salt, secrets)
    pending = Pending(Epoch.of(keys, number=offered.number, own_is_lo=parties.own_is_lo), keys.mac_offer)
    return pending, Accept(core=core, mac=keys.mac_accept).encode()


def leg_of_accept(channel: Channel, offering: Offering, core: AcceptCore) -> Leg:
    """The offerer's RSA work."""
    parties = channel.parties
    label = schedule.leg_label(
        sender=parties.peer,
        recipient=parties.own,
        mode=offering.mode,
        number=offering.number,
        x25519=core.x25519,
        mlkem=core.mlkem,
    )
    return Leg(core.leg, label)


def verify(
    channel: Channel, offering: Offering, accepted: Accept, *, salt: bytes, r_hi: bytes
) -> tuple[Epoch, bytes] | None:
    """(the new epoch, MAC_offer for CONFIRM), or None where MAC_accept is wrong. Raises BadFormat."""
    core = AcceptCore.decode(accepted.core)
    own = offering.ephemeral
    secrets = Secrets(x25519=own.exchange(core.x25519), mlkem=own.decapsulate(core.mlkem), r_lo=own.r, r_hi=r_hi)
    keys = _keys(channel, offering.mode, offering.number, offering.frame, accepted.core, salt, secrets)
    if not hmac.compare_digest(keys.mac_accept, accepted.mac):
        return None
    return Epoch.of(keys, number=offering.number, own_is_lo=channel.parties.own_is_lo), keys.mac_offer


def _keys(
    channel: Channel, mode: Mode, number: int, offered: bytes, core: bytes, salt: bytes, secrets: Secrets
) -> Schedule:
    th = schedule.transcript(channel.parties, mode, number, channel.link_hash, offered, core)
    return schedule.schedule(salt, secrets, th)
