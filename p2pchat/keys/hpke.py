"""HPKE (RFC 9180, base mode) to a device's box keys: KEM MLKEM768-X25519, HKDF-SHA256, ChaCha20-Poly1305.

The KEM is X-Wing (draft-connolly-cfrg-xwing-kem; HPKE KEM id 0x647a): public key = ML-KEM-768 1184 ‖ X25519 32,
enc = ML-KEM ciphertext 1088 ‖ ephemeral X25519 32, shared secret = SHA3-256(ss_mlkem ‖ ss_x25519 ‖ ephemeral ‖
X25519 public ‖ ``\\.//^\\``). A test opens a sealed box with the bare primitives to keep this paragraph true.
The single-shot form has no associated data: the whole context goes into ``info``.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from p2pchat.errors import CryptoError
from p2pchat.keys.devices import DeviceKeys

ENC_BYTES: Final = 1088 + 32
OVERHEAD_BYTES: Final = ENC_BYTES + 16
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def seal(kem_public: bytes, x_public: bytes, plaintext: bytes, info: bytes) -> bytes:
    """enc ‖ ciphertext. Draws randomness: cores are handed ``env.crypto.hpke_seal`` instead of this.

    Raises CryptoError on public keys that cannot be.
    """
    try:
        public = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(kem_public), X25519PublicKey.from_public_bytes(x_public)
        )
        return _SUITE.encrypt(plaintext, public, info)
    except ValueError as error:
        raise CryptoError("the recipient's box keys are unusable") from error


def open_box(sealed: bytes, keys: DeviceKeys, info: bytes) -> bytes:
    """The plaintext of ``seal``. Raises CryptoError on anything else than that, always the same one."""
    try:
        private = MLKEM768X25519PrivateKey(keys.box_mlkem, keys.box_x25519)
        return _SUITE.decrypt(sealed, private, info)
    except (InvalidTag, ValueError) as error:
        raise CryptoError("this was not sealed to our device") from error
