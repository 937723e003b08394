"""An ID as trackers see it: another key for each day, which only who knows the ID can link (protocol.md 18.1).

Q_T = b·Q with b from Q and the day T, after Tor's rendezvous specification (v3, appendix A); Q_T verifies like any
Ed25519 key (RFC 8032). Each ID's day begins at another second, so that the whole world does not register at once.
"""

from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import Final, Self

from nacl.bindings import (
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_noclamp,
)
from nacl.exceptions import CryptoError as SodiumError

from p2pchat.errors import CryptoError
from p2pchat.ids import UserId
from p2pchat.keys.kdf import hkdf
from p2pchat.keys.signatures import verify_ed25519
from p2pchat.keys.user_id import public_point

DAY_S: Final = 24 * 3600
FRESH_BYTES: Final = 32
_BLIND: Final = b"p2pchat/1/blind"
_SHIFT: Final = b"p2pchat/1/shift"
_PREFIX: Final = b"p2pchat/1/blind-prefix"
_SIGNED: Final = b"p2pchat/1/blind-sig"


def day_of(user: UserId, now_s: int) -> int:
    """T, the number of the ID's present day. ``now_s``: Unix seconds."""
    return (now_s + _shift_s(user)) // DAY_S


def days_to_ask(user: UserId, now_s: int) -> tuple[int, int]:
    """The present day, and the neighbour that is nearer: what was written there still counts, or does already."""
    day, since_s = divmod(now_s + _shift_s(user), DAY_S)
    return day, day - 1 if since_s < DAY_S // 2 else day + 1


def blinded_id(user: UserId, day: int) -> bytes:
    """Q_T, 32 bytes. Raises CryptoError for what is no point."""
    try:
        return crypto_scalarmult_ed25519_noclamp(_factor(user, day), user)
    except SodiumError as error:
        raise CryptoError("this ID is no point that could be blinded") from error


@dataclass(frozen=True, slots=True, repr=False)
class BlindedKey:
    """The private half for one day. Stays in the vault: with Q it would give s away."""

    day: int
    public: bytes  # Q_T
    scalar: bytes  # s_T = b·s
    prefix: bytes  # of the nonce

    @classmethod
    def of(cls, scalar: bytes, day: int) -> Self:
        """``scalar``: s, the private half of the ID."""
        user = UserId(public_point(scalar))
        blinded = crypto_core_ed25519_scalar_mul(_factor(user, day), scalar)
        public = public_point(blinded)
        return cls(day, public, blinded, hkdf(scalar, _PREFIX + _day_bytes(day) + public))

    def sign(self, message: bytes, fresh: bytes) -> bytes:
        """An Ed25519 signature over the day and ``message``. ``fresh``: 32 random bytes.

        The nonce hangs on the day's own prefix, on the random bytes and on the message: a repeated one would give the
        scalar away, and that happens only where all three repeat.
        """
        assert len(fresh) == FRESH_BYTES
        signed = _signed(self.day, message)
        nonce = _reduce(self.prefix + fresh + signed)
        commitment = public_point(nonce)
        challenge = _reduce(commitment + self.public + signed)
        return commitment + crypto_core_ed25519_scalar_add(
            nonce, crypto_core_ed25519_scalar_mul(challenge, self.scalar)
        )


def verify(public: bytes, day: int, message: bytes, signature: bytes) -> None:
    """Raises BadSignature unless the owner of ``public`` (Q_T of that day) signed ``message``."""
    verify_ed25519(public, signature, _signed(day, message), "message for a tracker")


def _signed(day: int, message: bytes) -> bytes:
    return _SIGNED + _day_bytes(day) + message


def _factor(user: UserId, day: int) -> bytes:
    """b, 32 bytes."""
    return _reduce(_BLIND + user + _day_bytes(day))


def _reduce(data: bytes) -> bytes:
    return crypto_core_ed25519_scalar_reduce(sha512(data).digest())


def _shift_s(user: UserId) -> int:
    return int.from_bytes(sha256(_SHIFT + user).digest()[:4]) % DAY_S


def _day_bytes(day: int) -> bytes:
    return day.to_bytes(4)
