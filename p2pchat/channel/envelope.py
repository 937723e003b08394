"""The envelope: one message sealed under one message key (protocol.md 10.1).

    envelope  = header | nonce 24 | leg | XChaCha20-Poly1305(plaintext) | md5_ct 16
    header    = version 1 | epoch id 8 | index 4 | flags 1
    leg       = nothing, or with flag 01 the OAEP ciphertext of a key for this message alone (message_leg.py)
    plaintext = u32 length | body | md5_pt 16 | zeros, so that the frame fills a record (padding.py)
    AAD       = header | Q_from | Q_to | device from | device to | leg        (``route``: parties.Parties)

md5_ct = MD5(all before it) and md5_pt = MD5(body) only tell damage from attack; the AEAD decides.
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
RSA_EVERY: Final = 0x01  # flag: a leg follows the nonce
LEG_BYTES: Final = limits.RSA_BYTES
_HEADER: Final = struct.Struct(">B8sIB")
HEADER_BYTES: Final = _HEADER.size
_BEFORE_LEG: Final = HEADER_BYTES + NONCE_BYTES
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
    has_leg: bool = False

    def encode(self) -> bytes:
        return _HEADER.pack(VERSION, self.epoch, self.index, RSA_EVERY if self.has_leg else 0)


def parse_header(envelope: bytes) -> Header:
    """The header of an envelope that passed ``check_damage``. Raises BadFormat."""
    version, epoch, index, flags = _HEADER.unpack_from(envelope)
    if version != VERSION or flags & ~RSA_EVERY:
        raise BadFormat("this envelope needs a newer version of p2pchat")
    if flags and len(envelope) < _LEAST + LEG_BYTES:
        raise BadFormat("this envelope is too short for the key that it says it holds")
    return Header(EpochId(epoch), index, bool(flags))


def named_epoch(envelope: bytes) -> EpochId:
    """The epoch that the bytes would name if they were an envelope; nothing is checked."""
    return EpochId(envelope[1:9])


def check_damage(envelope: bytes) -> None:
    """Raises BadFormat on an impossible size, DamagedEnvelope if md5_ct is wrong. Call it before anything else."""
    if not _LEAST <= len(envelope) <= limits.FRAME_BODY_BYTES:
        raise BadFormat(f"no envelope has {len(envelope)} bytes")
    if md5(envelope[:-MD5_BYTES]) != envelope[-MD5_BYTES:]:
        raise DamagedEnvelope("an envelope was damaged on its way")


def sealed_bytes(body_bytes: int, leg_bytes: int = 0) -> int:
    """How long the envelope of a body is."""
    return padding.frame_room(_LEAST + leg_bytes + body_bytes)


def seal(header: Header, message_key: bytes, route: bytes, body: bytes, nonce: bytes, leg: bytes = b"") -> bytes:
    """The body of an ENVELOPE frame. ``nonce``: 24 random bytes, so that a rolled-back store cannot repeat one.

    ``leg``: LEG_BYTES where the header says so; its key is part of ``message_key`` already.
    """
    size = sealed_bytes(len(body), len(leg))
    plaintext = padding.pad(body, size - _AROUND - len(leg), md5(body))
    head = header.encode()
    ciphertext = crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, head + route + leg, nonce, message_key)
    sealed = head + nonce + leg + ciphertext
    return sealed + md5(sealed)


def leg_of(envelope: bytes) -> bytes:
    """The leg of an envelope whose header says that it has one."""
    return envelope[_BEFORE_LEG : _BEFORE_LEG + LEG_BYTES]


def open_with(message_key: bytes, route: bytes, envelope: bytes, leg: bytes = b"") -> bytes:
    """The body. Raises UnopenableEnvelope, WrongBodyCheck, or BadFormat where the opened plaintext has no shape."""
    head, nonce = envelope[:HEADER_BYTES], envelope[HEADER_BYTES:_BEFORE_LEG]
    ciphertext = envelope[_BEFORE_LEG + len(leg) : -MD5_BYTES]
    try:
        plaintext = crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, head + route + leg, nonce, message_key)
    except nacl.exceptions.CryptoError as error:
        raise UnopenableEnvelope("an envelope does not open") from error
    body, check = padding.unpad(plaintext, MD5_BYTES)
    if md5(body) != check:
        raise WrongBodyCheck("a message was damaged before it was sealed")
    return body
