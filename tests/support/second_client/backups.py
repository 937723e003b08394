"""Sections 15 and 17: containers under any factors, and the identity in a backup."""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass

import shamir_mnemonic  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tests.support.second_client.identity import times_base, tweak
from tests.support.second_client.primitives import hkdf, md5, pack, sha256, unpack, xopen

PASSWORD, DONGLE, SHARES = 1, 2, 4


@dataclass(frozen=True)
class Opened:
    user: bytes
    p: int
    q: int
    log_length: int
    head: bytes
    key_log: bytes


def open_container(file: bytes, password: str = "", dongle: bytes = b"") -> bytes:
    """The secret, of ``unlock.key`` or of a backup."""
    assert file[:4] in {b"P2PU", b"P2PB"} and (file[4], file[6]) == (1, 1)
    factors, memory, passes, lanes = file[5], int.from_bytes(file[7:11]), int.from_bytes(file[11:15]), file[15]
    salt, nonce, commitment = file[16:32], file[32:56], file[56:88]
    assert sha256(file[:-8])[:8] == file[-8:]
    typed = unicodedata.normalize("NFKC", password).encode() if factors != DONGLE else b""
    answer = dongle if factors & DONGLE else None
    keys = Argon2id(salt=salt, length=64, iterations=passes, lanes=lanes, memory_cost=memory, secret=answer).derive(
        typed
    )
    assert keys[32:] == commitment
    return xopen(keys[:32], nonce, file[90:-8], file[:90])


def read_backup(secret: bytes) -> Opened:
    raw, checksum = secret[:-16], secret[-16:]
    assert md5(raw) == checksum
    fields = unpack(raw, label="p2pchat/1/backup", fields=9)
    big, small, scalar, commitment, day, random, log_length, head, key_log = fields
    p, q = int.from_bytes(big), int.from_bytes(small)
    if log_length == 1:
        d0 = sodium_reduce(hkdf(big + small, b"p2pchat/1/discovery", 64))
        genesis = pack("p2pchat/1/genesis", (p * q).to_bytes(1024), times_base(d0), commitment, day, random)
        assert sha256(genesis) == head
        assert tweak(times_base(d0), genesis)
    return Opened(times_base(scalar), p, q, log_length, head, key_log)


def sodium_reduce(data: bytes) -> bytes:
    return (int.from_bytes(data, "little") % (2**252 + 27742317777372353535851937790883648493)).to_bytes(32, "little")


def answer_of_key_file(file: bytes) -> bytes:
    assert file[:5] == b"P2PD\1" and len(file) == 77 and sha256(file[:-8])[:8] == file[-8:]
    return hmac.digest(file[5:69], hashlib.sha256(b"p2pchat/1/dongle").digest(), "sha256")


def combine(mnemonics: list[str]) -> bytes:
    key: bytes = shamir_mnemonic.combine_mnemonics(mnemonics)
    return key
