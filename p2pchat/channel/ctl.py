"""Control frames: cursors, receipts, addresses, profile, sealed under the epoch's ctl key (protocol.md 10.2).

frame     = epoch id 8 | nonce 24 | XChaCha20-Poly1305(plaintext)
plaintext = u32 length | encoded Ctl | zeros, so that all small signals fill the same record of 256 bytes
AAD       = link handshake hash: a control frame of another link does not open
"""

from typing import Final

import nacl.exceptions
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)

from p2pchat.channel import padding
from p2pchat.errors import BadFormat, CryptoError
from p2pchat.ids import EpochId
from p2pchat.limits import FRAME_BODY_BYTES
from p2pchat.wire.structs import Ctl

EPOCH_BYTES: Final = 8
NONCE_BYTES: Final = 24
TAG_BYTES: Final = 16
_AROUND: Final = EPOCH_BYTES + NONCE_BYTES + TAG_BYTES
_LEAST: Final = _AROUND + padding.LENGTH_BYTES


class UnopenableCtl(CryptoError):
    """A control frame that does not open under its epoch's key on this link."""


def seal(epoch: EpochId, key: bytes, link_hash: bytes, content: Ctl, nonce: bytes) -> bytes:
    """The body of a CTL frame. ``nonce``: 24 random bytes."""
    encoded = content.encode()
    size = padding.frame_room(_LEAST + len(encoded))
    plaintext = padding.pad(encoded, size - _AROUND)
    return epoch + nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, link_hash, nonce, key)


def parse_epoch(frame: bytes) -> EpochId:
    """The epoch that a CTL frame names. Raises BadFormat on an impossible size."""
    if not _LEAST <= len(frame) <= FRAME_BODY_BYTES:
        raise BadFormat(f"no control frame has {len(frame)} bytes")
    return EpochId(frame[:EPOCH_BYTES])


def open_with(key: bytes, link_hash: bytes, frame: bytes) -> Ctl:
    """What the frame says. Raises UnopenableCtl, or BadFormat where the opened plaintext has no shape."""
    nonce, ciphertext = frame[EPOCH_BYTES : EPOCH_BYTES + NONCE_BYTES], frame[EPOCH_BYTES + NONCE_BYTES :]
    try:
        plaintext = crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, link_hash, nonce, key)
    except nacl.exceptions.CryptoError as error:
        raise UnopenableCtl("a control frame does not open") from error
    content, _ = padding.unpad(plaintext)
    return Ctl.decode(content)
