"""Records: what travels once the handshake is done. Sealed, numbered, padded, their lengths masked (protocol.md 6).

    record     = masked size (2) | ChaCha20-Poly1305(plaintext)        size = the whole record, one of BUCKETS
    plaintext  = flags (1) | used (2) | ``used`` bytes of frames | zeros

The frames of consecutive records form one stream: several share a record, a long one spans records. Each direction has
its own keys, from its key of the Noise split: (next secret, record key, length key) = HKDF(secret, label). The nonce is
the record's number under that key; the two size bytes are XORed with the ChaCha20 stream of the length key and are the
associated data. A record whose REKEY flag is set is the last under its keys; at most 1000 are, and none after an hour.
Any error is final: the link is cut, and the peer learns nothing but that.
"""

import struct
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from p2pchat.errors import BadFormat, CryptoError
from p2pchat.limits import RECORD_PLAINTEXT_BYTES, REKEY_RECORDS, REKEY_S
from p2pchat.link.noise import TAG_BYTES, hkdf
from p2pchat.wire.frames import Frame, FrameReader

LABEL: Final = b"p2pchat/1/record"
BUCKETS: Final[tuple[int, ...]] = (
    256,
    512,
    1024,
    2048,
    *range(4096, RECORD_PLAINTEXT_BYTES + 1, 4096),
)  # every size a record can have
SIZE_BYTES: Final = 2
REKEY: Final = 0x01  # flag: the last record under these keys
_HEADER: Final = struct.Struct(">BH")  # flags, used
_OVERHEAD: Final = SIZE_BYTES + _HEADER.size + TAG_BYTES
CONTENT_BYTES: Final = BUCKETS[-1] - _OVERHEAD  # frame bytes that fit into the largest record


def record_size(used: int) -> int:
    """The smallest bucket that holds ``used`` bytes of frames."""
    for size in BUCKETS:
        if size - _OVERHEAD >= used:
            return size
    raise ValueError(f"no record holds {used} bytes")


class _KeySchedule:
    """Keys of one direction, and how many records they have served."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.advance()

    def advance(self) -> None:
        self._secret, record_key, length_key = hkdf(self._secret, LABEL, 3)
        self.aead = ChaCha20Poly1305(record_key)
        self._mask = Cipher(algorithms.ChaCha20(length_key, bytes(16)), mode=None).encryptor()
        self.records = 0

    def mask(self, size: bytes) -> bytes:
        """Mask or unmask the next record's size; call once a record."""
        return self._mask.update(size)

    def next_nonce(self) -> bytes:
        nonce = struct.pack("<4xQ", self.records)
        self.records += 1
        return nonce


class Sealer:
    """Frames to records, in one direction."""

    def __init__(self, secret: bytes, *, now_s: float) -> None:
        self._keys = _KeySchedule(secret)
        self._keyed_s = now_s

    def seal(self, frames: Sequence[Frame], *, now_s: float) -> bytes:
        """The records that carry ``frames`` (at least one), ready for the carrier. ``now_s`` is monotonic."""
        content = b"".join([frame.encode() for frame in frames])
        return b"".join(
            [self._seal_record(content[at : at + CONTENT_BYTES], now_s) for at in range(0, len(content), CONTENT_BYTES)]
        )

    def _seal_record(self, content: bytes, now_s: float) -> bytes:
        size = record_size(len(content))
        last = self._keys.records + 1 == REKEY_RECORDS or now_s - self._keyed_s >= REKEY_S
        plaintext = (_HEADER.pack(REKEY if last else 0, len(content)) + content).ljust(
            size - SIZE_BYTES - TAG_BYTES, b"\0"
        )
        masked = self._keys.mask(size.to_bytes(SIZE_BYTES))
        record = masked + self._keys.aead.encrypt(self._keys.next_nonce(), plaintext, masked)
        if last:
            self._keys.advance()
            self._keyed_s = now_s
        return record


class Opener:
    """Carrier bytes to frames, in one direction. Holds at most one incomplete record and one incomplete frame."""

    def __init__(self, secret: bytes) -> None:
        self._keys = _KeySchedule(secret)
        self._buffer = bytearray()
        self._masked = b""
        self._size = 0  # of the record that is arriving; 0 = not known yet
        self._frames = FrameReader()
        self._failed = False
        self.opened = 0  # records so far

    @property
    def incomplete(self) -> bool:
        """Whether a record has begun to arrive whose end is missing."""
        return bool(self._buffer) or self._size != 0

    def feed(self, data: bytes) -> list[Frame]:
        """Add bytes, take out whole frames. Raises CryptoError or BadFormat, once and for all."""
        if self._failed:
            raise CryptoError("this link has ended with a damaged record")
        self._failed = True
        self._buffer += data
        frames: list[Frame] = []
        while (record := self._next_record()) is not None:
            frames += self._frames.feed(self._open(record))
        self._failed = False
        return frames

    def _next_record(self) -> bytes | None:
        """The ciphertext of the next whole record."""
        if not self._size:
            if len(self._buffer) < SIZE_BYTES:
                return None
            self._masked = bytes(self._buffer[:SIZE_BYTES])
            self._size = int.from_bytes(self._keys.mask(self._masked))
            if self._size not in BUCKETS:
                raise CryptoError("a record is damaged")
        if len(self._buffer) < self._size:
            return None
        record = bytes(self._buffer[SIZE_BYTES : self._size])
        del self._buffer[: self._size]
        self._size = 0
        return record

    def _open(self, record: bytes) -> bytes:
        try:
            plaintext = self._keys.aead.decrypt(self._keys.next_nonce(), record, self._masked)
        except InvalidTag as error:
            raise CryptoError("a record is damaged") from error
        self.opened += 1
        flags, used = _HEADER.unpack_from(plaintext)
        end = _HEADER.size + used
        if flags & ~REKEY or not used or end > len(plaintext) or plaintext[end:].strip(b"\0"):
            raise BadFormat("a record's plaintext is malformed")
        if flags & REKEY:
            self._keys.advance()
        elif self._keys.records == REKEY_RECORDS:
            raise BadFormat("the peer did not change its keys in time")
        return plaintext[_HEADER.size : end]
