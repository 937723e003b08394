"""The envelope: one message sealed under one message key (PROTOCOL 3).

    envelope  = header | nonce 24 | XChaCha20-Poly1305(plaintext) | md5_ct 16
    header    = version 1 | epoch id 8 | index 4 | flags 1
    plaintext = u32 length | body | md5_pt 16 | zeros, so that the frame fills a record (padding.py)
    AAD       = header | Q_from | Q_to | device from | device to        (``route``: parties.Parties)

md5_ct = MD5(header | nonce | ciphertext) and md5_pt = MD5(body) only tell damage from attack; the AEAD decides.
"""

import struct
from dataclasses import dataclass
from typing import Final

import nacl.exceptions
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)

from p2pchat import limits
from p2pchat.channel import padding
from p2pchat.errors import BadFormat, CryptoError
from p2pchat.ids import EpochId
from p2pchat.wire.checksum import MD5_BYTES, md5

VERSION: Final = 1
NONCE_BYTES: Final = 24
TAG_BYTES: Final = 16
RSA_EVERY: Final = 0x01  # flag, reserved: an OAEP key in each message
_HEADER: Final = struct.Struct(">B8sIB")
HEADER_BYTES: Final = _HEADER.size
_AROUND: Final = HEADER_BYTES + NONCE_BYTES + TAG_BYTES + MD5_BYTES
_LEAST: Final = _AROUND + padding.LENGTH_BYTES + MD5_BYTES


class DamagedEnvelope(CryptoError):
    """md5_ct is wrong: the bytes changed by accident somewhere between the two vaults."""


class UnopenableEnvelope(CryptoError):
    """Intact bytes that do not open: the two sides disagree about the key."""


class WrongBodyCheck(CryptoError):
    """It opened, yet md5_pt is wrong: the sender sealed a body that was damaged already."""


@dataclass(frozen=True, slots=True)
class Header:
    epoch: EpochId
    index: int

    def encode(self) -> bytes:
        return _HEADER.pack(VERSION, self.epoch, self.index, 0)


def parse_header(envelope: bytes) -> Header:
    """The header of an envelope that passed ``check_damage``. Raises BadFormat."""
    version, epoch, index, flags = _HEADER.unpack_from(envelope)
    if version != VERSION or flags != 0:
        raise BadFormat("this envelope needs a newer version of p2pchat")
    return Header(EpochId(epoch), index)


def named_epoch(envelope: bytes) -> EpochId:
    """The epoch that the bytes would name if they were an envelope; nothing is checked."""
    return EpochId(envelope[1:9])


def check_damage(envelope: bytes) -> None:
    """Raises BadFormat on an impossible size, DamagedEnvelope if md5_ct is wrong. Call it before anything else."""
    if not _LEAST <= len(envelope) <= limits.FRAME_BODY_BYTES:
        raise BadFormat(f"no envelope has {len(envelope)} bytes")
    if md5(envelope[:-MD5_BYTES]) != envelope[-MD5_BYTES:]:
        raise DamagedEnvelope("an envelope was damaged on its way")


def seal(header: Header, message_key: bytes, route: bytes, body: bytes, nonce: bytes) -> bytes:
    """The body of an ENVELOPE frame. ``nonce``: 24 random bytes, so that a rolled-back store cannot repeat one."""
    size = padding.frame_room(_LEAST + len(body))
    plaintext = padding.pad(body, size - _AROUND, md5(body))
    head = header.encode()
    ciphertext = crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, head + route, nonce, message_key)
    sealed = head + nonce + ciphertext
    return sealed + md5(sealed)


def open_with(message_key: bytes, route: bytes, envelope: bytes) -> bytes:
    """The body. Raises UnopenableEnvelope, WrongBodyCheck, or BadFormat where the opened plaintext has no shape."""
    head, rest = envelope[:HEADER_BYTES], envelope[HEADER_BYTES:-MD5_BYTES]
    nonce, ciphertext = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
    try:
        plaintext = crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, head + route, nonce, message_key)
    except nacl.exceptions.CryptoError as error:
        raise UnopenableEnvelope("an envelope does not open") from error
    body, check = padding.unpad(plaintext, MD5_BYTES)
    if md5(body) != check:
        raise WrongBodyCheck("a message was damaged before it was sealed")
    return body
