"""An RSA key in each message, where the user sets ``rsa`` to ``every`` (protocol.md 10.1).

    leg = RSA-OAEP(s, to the recipient's root, label "p2pchat/1/rsa-message" | SHA-256(header | route | SPKI hash))
    mk' = HKDF(salt = mk, ikm = s, info = "p2pchat/1/rsa-every")

The label binds a leg to its place: moved to another envelope, epoch, direction or pair it does not open. It costs its
recipient a private operation of some 25 ms, so both sides pace them (legs.EVERY).
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from p2pchat.channel.envelope import Header
from p2pchat.channel.exchange import Draws
from p2pchat.channel.parties import Party
from p2pchat.keys.kdf import hkdf

_LABEL: Final = b"p2pchat/1/rsa-message"
_INFO: Final = b"p2pchat/1/rsa-every"


@dataclass(frozen=True, slots=True)
class OwnLeg:
    """What one envelope's leg is made of. ``secret``: 32 fresh random bytes."""

    secret: bytes = field(repr=False)
    to: Party
    draws: Draws

    def seal(self, header: Header, route: bytes) -> bytes:
        """LEG_BYTES that only the recipient's root opens."""
        return self.draws.oaep_encrypt(self.to.modulus, self.secret, label(header, route, self.to.spki_hash))


def label(header: Header, route: bytes, spki_hash: bytes) -> bytes:
    """OAEP label. ``spki_hash``: of the recipient's root."""
    return _LABEL + sha256(header.encode() + route + spki_hash).digest()


def mix(message_key: bytes, secret: bytes) -> bytes:
    """The key that the envelope is sealed under: neither the ratchet nor RSA alone gives it."""
    return hkdf(secret, _INFO, salt=message_key)
