"""Sections 2 to 4, 15 and 16: roots, IDs, devices, cards, own files."""

import base64
import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicKey,
    RSAPublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, SHA512_256, Hash
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl import bindings as sodium

from tests.support.second_client.primitives import DAY_MS, hkdf, pack, sha256, unpack, xopen

_PSS = PSS(MGF1(SHA512()), 64)
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def oaep(label: bytes) -> OAEP:
    return OAEP(MGF1(SHA256()), SHA256(), label)


def tweak(discovery: bytes, genesis: bytes) -> bytes:
    digest = Hash(SHA512_256())
    digest.update(b"p2pchat/1/gfp" + genesis)
    seed = b"p2pchat/1/id-tweak" + discovery + digest.finalize()
    return sodium.crypto_core_ed25519_scalar_reduce(hashlib.sha512(seed).digest())


def times_base(scalar: bytes) -> bytes:
    return sodium.crypto_scalarmult_ed25519_base_noclamp(scalar)


def id_text(user: bytes) -> str:
    return bech32m("pc", user)


def bech32m(human: str, payload: bytes) -> str:
    """Of 32 bytes."""
    data = [(int.from_bytes(payload) << 4 >> shift) & 31 for shift in range(255, -1, -5)]
    part = [*(ord(char) >> 5 for char in human), 0, *(ord(char) & 31 for char in human)]
    check = _polymod([*part, *data, *[0] * 6]) ^ 0x2BC830A3
    data += [(check >> shift) & 31 for shift in range(25, -1, -5)]
    return f"{human}1" + "".join(_ALPHABET[value] for value in data)


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if (top >> i) & 1 else 0
    return check


@dataclass(frozen=True)
class Shown:
    """Somebody's public objects, checked."""

    user: bytes
    root: RSAPublicKey
    head: bytes
    set_hash: bytes
    devices: dict[bytes, list[Any]]  # fields of a DeviceRecord by device
    key_log: bytes
    device_set: bytes

    @property
    def spki_hash(self) -> bytes:
        return sha256(self.root.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def check(key_log: bytes, device_set: bytes) -> Shown:
    (entries,) = unpack(key_log, label="p2pchat/1/key-log", fields=1)
    (entry,) = entries
    genesis, signature = unpack(entry, fields=2)
    modulus, discovery, *_ = unpack(genesis, label="p2pchat/1/genesis", fields=5)
    assert int.from_bytes(modulus).bit_length() == 8192
    root = RSAPublicNumbers(65537, int.from_bytes(modulus)).public_key()
    root.verify(signature, genesis, _PSS, SHA512())
    user = sodium.crypto_core_ed25519_add(discovery, times_base(tweak(discovery, genesis)))
    assert sodium.crypto_core_ed25519_is_valid_point(discovery) and sodium.crypto_core_ed25519_is_valid_point(user)
    body, signature = unpack(device_set, fields=2)
    root.verify(signature, body, _PSS, SHA512())
    owner, _, _, _, raw = unpack(body, label="p2pchat/1/device-set", fields=5)
    records = [unpack(record, label="p2pchat/1/device", fields=7) for record in raw]
    assert {owner, *(record[0] for record in records)} == {user}
    return Shown(user, root, sha256(genesis), sha256(body), {r[1]: r for r in records}, key_log, device_set)


def begin(p: int, q: int, fresh: bytes, now_ms: int) -> tuple[bytes, bytes]:
    """(genesis, ID) of the identity that ``Me.make`` makes of the same arguments."""
    big, small = max(p, q), min(p, q)
    seed = hkdf(big.to_bytes(512) + small.to_bytes(512), b"p2pchat/1/discovery", 64)
    d0 = sodium.crypto_core_ed25519_scalar_reduce(seed)
    modulus, discovery = (big * small).to_bytes(1024), times_base(d0)
    genesis = pack("p2pchat/1/genesis", modulus, discovery, bytes(32), now_ms // DAY_MS, fresh[:16])
    return genesis, times_base(sodium.crypto_core_ed25519_scalar_add(d0, tweak(discovery, genesis)))


@dataclass(frozen=True)
class Me:
    """An own identity of one device."""

    shown: Shown
    root: RSAPrivateKey
    secret: bytes  # p, then q
    device: bytes
    link: X25519PrivateKey
    sign: Ed25519PrivateKey
    box_x25519: X25519PrivateKey
    box_mlkem: MLKEM768PrivateKey

    @classmethod
    def make(cls, p: int, q: int, fresh: bytes, now_ms: int) -> "Me":
        """``fresh``: 224 random bytes."""
        big, small = max(p, q), min(p, q)
        d = pow(65537, -1, (big - 1) * (small - 1))
        public = RSAPublicNumbers(65537, big * small)
        numbers = RSAPrivateNumbers(big, small, d, d % (big - 1), d % (small - 1), pow(small, -1, big), public)
        root = numbers.private_key(unsafe_skip_rsa_key_validation=True)
        secret = big.to_bytes(512) + small.to_bytes(512)
        genesis, user = begin(p, q, fresh, now_ms)
        key_log = pack("p2pchat/1/key-log", [pack(genesis, root.sign(genesis, _PSS, SHA512()))])
        link, box = (X25519PrivateKey.from_private_bytes(fresh[at : at + 32]) for at in (32, 64))
        sign = Ed25519PrivateKey.from_private_bytes(fresh[96:128])
        mlkem = MLKEM768PrivateKey.from_seed_bytes(fresh[128:192])
        publics = [key.public_key().public_bytes_raw() for key in (link, box, mlkem, sign)]
        record = pack("p2pchat/1/device", user, fresh[16:32], *publics, ["text"])
        body = pack("p2pchat/1/device-set", user, 1, bytes(32), now_ms + 90 * DAY_MS, [record])
        device_set = pack(body, root.sign(body, _PSS, SHA512()))
        return cls(check(key_log, device_set), root, secret, fresh[16:32], link, sign, box, mlkem)


def read_card(file: str) -> tuple[Shown, bytes, list[Any], str]:
    """(who, the device that signed, its addresses, nickname)."""
    lines = file.split("\n")
    begin, end = (lines.index(f"-----{word} P2PCHAT CARD-----") for word in ("BEGIN", "END"))
    raw = base64.b64decode("".join(lines[begin + 1 : end - 1]), validate=True)
    assert lines[end - 1] == "=" + base64.b64encode(sha256(raw)[:12]).decode()
    body, signature = unpack(raw, fields=2)
    user, device, key_log, device_set, signed, nickname, *_ = unpack(body, label="p2pchat/1/card", fields=8)
    shown = check(key_log, device_set)
    assert shown.user == user
    verify_by_device(shown, device, signature, body)
    return shown, device, read_addresses(shown, signed), nickname


def read_addresses(shown: Shown, signed: bytes) -> list[Any]:
    """[host, port, carrier] each, of a Signed(AddressRecord)."""
    body, signature = unpack(signed, fields=2)
    user, device, _, _, addresses = unpack(body, label="p2pchat/1/addresses", fields=5)
    assert user == shown.user
    verify_by_device(shown, device, signature, body)
    return list(addresses)


def verify_by_device(shown: Shown, device: bytes, signature: bytes, message: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(shown.devices[device][5]).verify(signature, message)


def safety_number(one: Shown, other: Shown) -> str:
    return " ".join(_half(seed) for seed in sorted(side.user + side.spki_hash for side in (one, other)))


def _half(seed: bytes) -> str:
    x = b"p2pchat/1/sn" + seed
    for _ in range(5200):
        x = hashlib.sha512(x + seed).digest()
    return " ".join(f"{int.from_bytes(x[at : at + 5]) % 100_000:05}" for at in range(0, 30, 5))


def open_unlock_file(file: bytes, password: str) -> bytes:
    """The secret of a password container."""
    fields = iter(_cut(file, 4, 1, 1, 1, 4, 4, 1, 16, 24, 32, 2))
    assert [next(fields) for _ in range(4)] == [b"P2PU", b"\1", b"\1", b"\1"]
    memory, passes, lanes = (int.from_bytes(next(fields)) for _ in range(3))
    salt, nonce, commitment, _ = fields
    assert sha256(file[:-8])[:8] == file[-8:]
    stretch = Argon2id(salt=salt, length=64, iterations=passes, lanes=lanes, memory_cost=memory)
    keys = stretch.derive(unicodedata.normalize("NFKC", password).encode())
    assert keys[32:] == commitment
    return xopen(keys[:32], nonce, file[90:-8], file[:90])


def open_key_file(file: bytes, key: bytes, name: str) -> bytes:
    """The structure inside ``vault.key`` or ``gate.key``."""
    assert file[:5] == b"P2PK\1"
    return xopen(key, file[5:29], file[29:], name.encode() + file[:29])


def _cut(data: bytes, *widths: int) -> Iterator[bytes]:
    at = 0
    for width in widths:
        yield data[at : at + width]
        at += width
