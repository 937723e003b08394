"""One hash ratchet a direction: every message key is used once, and no old one can be computed back (protocol.md 10.1).

mk = HMAC-SHA-256(ck, 01), ck' = HMAC-SHA-256(ck, 02). Forward only: on an ordered link nothing comes late.
"""

import hmac
from dataclasses import dataclass, field

from p2pchat.errors import CryptoError
from p2pchat.limits import EPOCH_MESSAGES_HARD, RATCHET_JUMP
from p2pchat.wire.shape import U32, Struct
from p2pchat.wire.structs import Bytes32


@dataclass(frozen=True, slots=True)
class Chain(Struct):
    """A chain key, 32 bytes, and the index of the message key that it gives next."""

    key: Bytes32 = field(repr=False)
    index: U32 = 0

    def advance(self) -> tuple[bytes, "Chain"]:
        """(message key of ``index``, the chain after it). Raises CryptoError at the epoch's hard stop."""
        if self.index >= EPOCH_MESSAGES_HARD:
            raise CryptoError("this epoch has sealed all the messages it may", hint="p2pchat contact retry PEER")
        return hmac.digest(self.key, b"\x01", "sha256"), Chain(self._next_key(), self.index + 1)

    def advance_to(self, index: int) -> tuple[bytes, "Chain"]:
        """(message key of ``index``, the chain after it); the keys between are lost.

        Raises CryptoError on a step back or too far ahead: a jump costs two microseconds an index.
        """
        if index < self.index:
            raise CryptoError("an envelope is sealed under a key that was used before")
        if index - self.index > RATCHET_JUMP:
            raise CryptoError(f"an envelope is more than {RATCHET_JUMP} keys ahead")
        chain = self
        while chain.index < index:
            chain = Chain(chain._next_key(), chain.index + 1)
        return chain.advance()

    def _next_key(self) -> bytes:
        return hmac.digest(self.key, b"\x02", "sha256")
