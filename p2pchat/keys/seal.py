"""A secret sealed under a password, a dongle, or both: ``unlock.key`` and every backup, told apart by the magic.

Layout, big-endian:
  header: magic ``P2PU`` or ``P2PB`` ‖ version 1 ‖ factors 1 ‖ KDF id 1 ‖ memory KiB u32 ‖ passes u32 ‖ lanes 1
          ‖ salt 16 ‖ nonce 24 ‖ commitment 32 ‖ plaintext length u16
  then XChaCha20-Poly1305(plaintext) with the whole header as associated data, then SHA-256[:8] of all before.

Argon2id (RFC 9106) gives 64 bytes: encryption key ‖ commitment. What a dongle answered is its secret input (K), so that
a wrong dongle and a wrong password look and cost the same; a container without one of the two has it empty. The
commitment is compared first and in constant time, so that one container cannot open under two passwords (partitioning
oracles, Len et al. 2021). The checksum outside tells damage from a wrong password. Costs are bounded before they are
paid: a forged header is no denial of service.
"""

import struct
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as _open
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as _seal
from nacl.exceptions import CryptoError as SodiumError

from p2pchat.errors import Corrupt, DongleMissing, Failed, Usage, WrongPassword
from p2pchat.limits import PASSWORD_BYTES

VERSION: Final = 1
PASSWORD: Final = 1  # factors: bit 0 = a password, bit 1 = a dongle; bit 2 alone = a key that was split in shares
DONGLE: Final = 2
SHARES: Final = 4
FACTORS: Final = frozenset({PASSWORD, DONGLE, PASSWORD | DONGLE, SHARES})
ARGON2ID: Final = 1
FRESH_BYTES: Final = 16 + 24  # salt ‖ nonce
SECRET_BYTES: Final = 4096
_HEADER: Final = struct.Struct(">4sBBBIIB16s24s32sH")
_TAG_BYTES: Final = 16
_SUM_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess at the password costs."""

    memory_kib: int
    passes: int
    lanes: int

    def bounded(self) -> bool:
        """Whether a reader will pay it: 64 MiB to 2 GiB, 1 to 10 passes, 1 to 16 lanes (security F1)."""
        return 64 * 1024 <= self.memory_kib <= 2 * 1024 * 1024 and 1 <= self.passes <= 10 and 1 <= self.lanes <= 16


class Header(NamedTuple):
    """What stands in front of the ciphertext, once its checksum and bounds are right."""

    factors: int
    cost: Cost
    salt: bytes
    nonce: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """What a container is for, and what its user reads and does where it does not open."""

    magic: bytes  # 4
    most: int  # bytes of the secret
    name: str
    restore: str  # hint where it is damaged


UNLOCK: Final = Form(b"P2PU", SECRET_BYTES, "key file", "restore it from a copy of the home")
STANDARD: Final = Cost(memory_kib=256 * 1024, passes=3, lanes=4)  # 0.7 s on two cores of 2024
LIGHT: Final = Cost(memory_kib=64 * 1024, passes=1, lanes=1)  # 0.07 s: tests, the demo, very slow machines
COSTS: Final = {"standard": STANDARD, "light": LIGHT}  # as --kdf names them


def seal(
    secret: bytes,
    password: bytes,
    *,
    fresh: bytes,
    cost: Cost = STANDARD,
    form: Form = UNLOCK,
    dongle: bytes = b"",
    split: bool = False,
) -> bytes:
    """The container. ``fresh`` is 40 random bytes; ``password`` is UTF-8. Slow on purpose: run it in a worker.

    ``dongle``: the 32 bytes that one answered; the password may then be empty. ``split``: the password is no word of
    anybody's, but a key in hexadecimal that is split in shares.

    Raises Usage for an overlong, non-UTF-8 or, without a dongle, empty password.
    """
    factors = SHARES if split else (PASSWORD if password or not dongle else 0) | (DONGLE if dongle else 0)
    assert len(fresh) == FRESH_BYTES
    assert len(secret) <= form.most
    assert cost.bounded()
    salt, nonce = fresh[:16], fresh[16:]
    typed = normalise_password(password) if factors != DONGLE else b""
    key, commitment = _stretch(typed, dongle, salt, cost)
    header = _HEADER.pack(
        form.magic, VERSION, factors, ARGON2ID, cost.memory_kib, cost.passes, cost.lanes,
        salt, nonce, commitment, len(secret),
    )  # fmt: skip
    body = header + _seal(secret, header, nonce, key)
    return body + _checksum(body)


def open_sealed(data: bytes, password: bytes, form: Form = UNLOCK, *, dongle: bytes = b"") -> bytes:
    """The secret. Checks in this order: form, checksum, version, bounds, factors, password and dongle.

    What the container does not ask for is not looked at.

    Raises Corrupt (damage, or no such container), WrongPassword, DongleMissing, Failed (newer version, no memory).
    """
    head = parse(data, form)
    if head.factors & DONGLE and not dongle:
        raise DongleMissing(f"this {form.name} opens with a dongle", hint="name it with --dongle SPEC")
    try:
        typed = normalise_password(password) if head.factors != DONGLE else b""
        key, expected = _stretch(typed, dongle if head.factors & DONGLE else b"", head.salt, head.cost)
    except Usage as error:
        raise WrongPassword(error.message, hint=error.hint) from error
    if not compare_digest(head.commitment, expected):
        raise _wrong(head.factors)
    header, ciphertext = data[: _HEADER.size], data[_HEADER.size : -_SUM_BYTES]
    try:
        return _open(ciphertext, header, head.nonce, key)
    except SodiumError as error:
        raise _damaged(form, "its content was altered") from error


def normalise_password(password: bytes) -> bytes:
    """NFKC of the UTF-8 text, so that one password typed on two systems is one password. Raises Usage."""
    if not password:
        raise Usage("the password is empty", hint="p2pchat init")
    if len(password) > PASSWORD_BYTES:
        raise Usage(f"the password is longer than {PASSWORD_BYTES} bytes", hint="choose a shorter one")
    try:
        return unicodedata.normalize("NFKC", password.decode()).encode()
    except UnicodeDecodeError as error:
        raise Usage("the password is not UTF-8 text", hint="check the terminal's or the file's encoding") from error


def parse(data: bytes, form: Form) -> Header:
    """The header of a container whose checksum and bounds are right; no password is tried.

    Raises Corrupt, Failed as ``open_sealed``.
    """
    if len(data) < _HEADER.size + _TAG_BYTES + _SUM_BYTES or data[: len(form.magic)] != form.magic:
        raise _damaged(form, "it does not begin as one")
    if len(data) > _HEADER.size + form.most + _TAG_BYTES + _SUM_BYTES:
        raise _damaged(form, "it is too long")
    if not compare_digest(_checksum(data[:-_SUM_BYTES]), data[-_SUM_BYTES:]):
        raise _damaged(form, "its checksum is wrong")
    _, version, factors, kdf, memory, passes, lanes, salt, nonce, commitment, length = _HEADER.unpack_from(data)
    if version != VERSION or kdf != ARGON2ID:
        raise Failed(f"the {form.name} was made by a newer p2pchat", hint="update p2pchat")
    if len(data) != _HEADER.size + length + _TAG_BYTES + _SUM_BYTES:
        raise _damaged(form, "its length is wrong")
    cost = Cost(memory, passes, lanes)
    if not cost.bounded():
        raise _damaged(form, "it asks for a password cost out of bounds")
    if factors not in FACTORS:
        raise Failed(f"this {form.name} opens in a way that a newer p2pchat knows", hint="update p2pchat")
    return Header(factors, cost, salt, nonce, commitment)


def _stretch(password: bytes, dongle: bytes, salt: bytes, cost: Cost) -> tuple[bytes, bytes]:
    """(encryption key, commitment), 32 bytes each."""
    try:
        out = Argon2id(
            salt=salt,
            length=64,
            iterations=cost.passes,
            lanes=cost.lanes,
            memory_cost=cost.memory_kib,
            secret=dongle or None,
        ).derive(password)
    except MemoryError as error:
        needed = cost.memory_kib // 1024
        raise Failed(f"checking the password needs {needed} MiB of free memory", hint="close a program") from error
    return out[:32], out[32:]


def _wrong(factors: int) -> WrongPassword:
    if factors == SHARES:
        return WrongPassword("these shares are of another key", hint="p2pchat key inspect SHARE...")
    if factors == DONGLE:
        return WrongPassword("this is another dongle than the one that opens it", hint="try the other one")
    if factors & DONGLE:
        return WrongPassword("the password or the dongle is wrong", hint="try again; is it the right dongle?")
    return WrongPassword("the password is wrong", hint="try again; capital letters and keyboard layout count")


def _checksum(body: bytes) -> bytes:
    return sha256(body).digest()[:_SUM_BYTES]


def _damaged(form: Form, why: str) -> Corrupt:
    return Corrupt(f"the {form.name} is damaged: {why}", hint=form.restore)
