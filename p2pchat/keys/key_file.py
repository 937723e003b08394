"""Files sealed under a key: ``vault.key`` and ``gate.key``, each under its own key derived from the KEK.

Layout: magic ``P2PK`` ‖ version 1 ‖ nonce 24 ‖ XChaCha20-Poly1305(plaintext); associated data = label ‖ the header.
"""

from typing import Final, Literal

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as _open
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as _seal
from nacl.exceptions import CryptoError as SodiumError

from p2pchat.errors import Corrupt, Failed
from p2pchat.keys.kdf import hkdf
from p2pchat.limits import KEY_FILE_BYTES

MAGIC: Final = b"P2PK"
VERSION: Final = 1
NONCE_BYTES: Final = 24
KEY_BYTES: Final = 32
_TAG_BYTES: Final = 16
_START: Final = MAGIC + bytes([VERSION])
_HEADER_BYTES: Final = len(_START) + NONCE_BYTES

Purpose = Literal["vault", "gate"]


def derive(kek: bytes, purpose: Purpose) -> bytes:
    """The 32-byte key of one process's file: HKDF-SHA-256, no salt, info ``p2pchat/1/kek/<purpose>``."""
    return hkdf(kek, b"p2pchat/1/kek/" + purpose.encode())


def seal_with_key(key: bytes, plaintext: bytes, label: bytes, nonce: bytes) -> bytes:
    """The file's bytes. ``nonce`` is 24 random bytes, used once under ``key`` (32)."""
    header = _START + nonce
    return header + _seal(plaintext, label + header, nonce, key)


def open_with_key(key: bytes, data: bytes, label: bytes) -> bytes:
    """The plaintext. Raises Corrupt (damage, another key or another label), Failed for a newer version."""
    name = label.decode()
    if len(data) > KEY_FILE_BYTES or len(data) < _HEADER_BYTES + _TAG_BYTES or data[: len(MAGIC)] != MAGIC:
        raise Corrupt(
            f"the {name} key file is damaged: it does not have the form of one",
            hint="restore it from a copy of the home",
        )
    if data[len(MAGIC)] > VERSION:
        raise Failed(f"the {name} key file was made by a newer p2pchat", hint="update p2pchat")
    header, ciphertext = data[:_HEADER_BYTES], data[_HEADER_BYTES:]
    try:
        return _open(ciphertext, label + header, header[len(_START) :], key)
    except SodiumError as error:
        raise Corrupt(
            f"the {name} key file is damaged, or belongs to another unlock.key",
            hint="restore it from a copy of the home",
        ) from error
