"""CPace: two who share a password agree on a key, and each guess at the password costs somebody one exchange.

After draft-irtf-cfrg-cpace: a generator that only who knows the password can compute, one point each way, and a hash
over both. The group is Ed25519's prime-order group, points are found by libsodium's Elligator map, the hash is SHA-512.
Both confirm before anything is sealed under the key (protocol.md 18.3). Pure.
"""

import hmac
from dataclasses import dataclass, field
from hashlib import sha512
from typing import Final, Self

from nacl.bindings import (
    crypto_core_ed25519_from_uniform,
    crypto_core_ed25519_is_valid_point,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_noclamp,
)
from nacl.exceptions import CryptoError as SodiumError

from p2pchat.errors import AuthFailed, BadFormat
from p2pchat.keys.kdf import hkdf

POINT_BYTES: Final = 32
TAG_BYTES: Final = 32
FRESH_BYTES: Final = 64
_LABEL: Final = b"p2pchat/1/cpace"
_CONFIRM: Final = b"p2pchat/1/cpace/confirm"
_KEY: Final = b"p2pchat/1/cpace/key"
_BLOCK_BYTES: Final = 128  # of SHA-512


@dataclass(frozen=True, slots=True, repr=False)
class Agreed:
    """What one exchange came to. ``key`` is good once the other side's tag was checked."""

    own_tag: bytes  # to be sent
    key: bytes  # 32
    _peer_tag: bytes = field(repr=False)

    def check(self, tag: bytes) -> None:
        """Raises AuthFailed where the other side has another password, or talks about something else."""
        if not hmac.compare_digest(tag, self._peer_tag):
            raise AuthFailed("the other side gave another password or answer", hint="agree on it once more")


@dataclass(frozen=True, slots=True, repr=False)
class Exchange:
    """One try of one side: ``point`` goes to the other, ``finish`` takes theirs."""

    point: bytes
    _scalar: bytes
    _about: bytes
    _context: bytes

    @classmethod
    def begin(cls, password: bytes, channel: bytes, *, about: bytes = b"", fresh: bytes) -> Self:
        """``channel`` names the exchange and is the same on both sides: both IDs sorted, and the link's hash.

        ``about``: what this side says beside, and both confirm (it need not be secret). ``fresh``: 64 random bytes.
        """
        assert len(fresh) == FRESH_BYTES
        scalar = crypto_core_ed25519_scalar_reduce(fresh)
        point = crypto_scalarmult_ed25519_noclamp(scalar, _generator(password, channel))
        return cls(point, scalar, about, channel)

    def finish(self, point: bytes, about: bytes = b"") -> Agreed:
        """Raises BadFormat for what is no point of the group, or one's own."""
        if len(point) != POINT_BYTES or not crypto_core_ed25519_is_valid_point(point):
            raise BadFormat("this is no point of the group")
        if hmac.compare_digest(point, self.point):
            raise BadFormat("the other side sent one's own point back")
        try:
            shared = crypto_scalarmult_ed25519_noclamp(self._scalar, point)
        except SodiumError as error:
            raise BadFormat("this is no point of the group") from error
        mine, theirs = _prefixed(self.point, self._about), _prefixed(point, about)
        secret = sha512(_prefixed(_LABEL, self._context, shared) + b"".join(sorted((mine, theirs)))).digest()
        confirm = hkdf(secret, _CONFIRM)
        return Agreed(
            own_tag=hmac.digest(confirm, mine, "sha256"),
            key=hkdf(secret, _KEY),
            _peer_tag=hmac.digest(confirm, theirs, "sha256"),
        )


def _generator(password: bytes, channel: bytes) -> bytes:
    """The password fills the hash's first block alone, as the draft pads it: how long it takes tells nothing of it."""
    zeros = bytes(max(0, _BLOCK_BYTES - 1 - len(_prefixed(password)) - len(_prefixed(_LABEL))))
    seed = sha512(_prefixed(_LABEL, password, zeros, channel)).digest()
    return crypto_core_ed25519_from_uniform(seed[:POINT_BYTES])


def _prefixed(*parts: bytes) -> bytes:
    """Each behind its length in 4 bytes."""
    return b"".join(len(part).to_bytes(4) + part for part in parts)
