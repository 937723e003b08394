"""The recovery key: 32 bytes on paper, which outrank a stolen root. The genesis commits to its two public halves.

It signs with Ed25519 and with ML-DSA-65 (FIPS 204), so that it stands as long as either of them does: it may lie in a
drawer for decades.
"""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from p2pchat.keys.kdf import hkdf
from p2pchat.keys.signatures import verify_ed25519, verify_mldsa65
from p2pchat.wire.structs import Genesis, Recover


@dataclass(frozen=True, slots=True, repr=False)
class RecoveryKey:
    """Made from its 32 random bytes each time that it is needed; nothing keeps it."""

    ed25519: Ed25519PrivateKey
    mldsa65: MLDSA65PrivateKey

    @classmethod
    def from_seed(cls, seed: bytes) -> "RecoveryKey":
        """``seed``: 32 bytes."""
        return cls(
            Ed25519PrivateKey.from_private_bytes(hkdf(seed, b"p2pchat/1/recovery/ed25519")),
            MLDSA65PrivateKey.from_seed_bytes(hkdf(seed, b"p2pchat/1/recovery/mldsa65")),
        )

    @property
    def public(self) -> tuple[bytes, bytes]:
        """Ed25519 (32 bytes), ML-DSA-65 (1952)."""
        return self.ed25519.public_key().public_bytes_raw(), self.mldsa65.public_key().public_bytes_raw()

    @property
    def commitment(self) -> bytes:
        """What a genesis names, 32 bytes."""
        return sha256(b"".join(self.public)).digest()


def fits(entry: Recover, genesis: Genesis) -> bool:
    """Whether the genesis commits to the keys that signed an entry."""
    return compare_digest(sha256(entry.ed25519 + entry.mldsa65).digest(), genesis.recovery_commitment)


def verify(entry: Recover, body: bytes, by_ed25519: bytes) -> None:
    """Ed25519 signs the whole entry, ML-DSA-65 the statement in it. Raises BadSignature."""
    verify_ed25519(entry.ed25519, by_ed25519, body, "recovery entry")
    verify_mldsa65(entry.mldsa65, entry.by_mldsa65, entry.statement)
