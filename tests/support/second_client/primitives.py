"""Section 1 of docs/protocol.md: encoding and the small functions that everything else is made of."""

import hashlib
import hmac as _hmac
from typing import Any

import msgpack
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt, crypto_aead_xchacha20poly1305_ietf_encrypt

DAY_MS = 24 * 3600 * 1000


def pack(*fields: Any) -> bytes:
    """A structure: an array of its fields."""
    encoded: bytes = msgpack.packb(list(fields), use_bin_type=True)
    return encoded


def unpack(raw: bytes, *, label: str = "", fields: int) -> list[Any]:
    """The first ``fields`` fields of a structure; later ones are ignored."""
    value: list[Any] = msgpack.unpackb(raw, raw=False)
    assert msgpack.packb(value, use_bin_type=True) == raw, "not canonical"
    if label:
        assert value.pop(0) == label
    assert len(value) >= fields
    return value[:fields]


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def hmac(key: bytes, *parts: bytes) -> bytes:
    return _hmac.digest(key, b"".join(parts), "sha256")


def hkdf(ikm: bytes, info: bytes, length: int = 32, salt: bytes = bytes(32)) -> bytes:
    prk, out, block = hmac(salt, ikm), b"", b""
    while len(out) < length:
        block = hmac(prk, block, info, bytes([len(out) // 32 + 1]))
        out += block
    return out[:length]


def noise_hkdf(key: bytes, material: bytes, count: int) -> list[bytes]:
    secret, out = hmac(key, material), [b""]
    for number in range(1, count + 1):
        out.append(hmac(secret, out[-1], bytes([number])))
    return out[1:]


def xseal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    return crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, aad, nonce, key)


def xopen(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    return crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, aad, nonce, key)


def pad(content: bytes, check: bytes, around: int) -> bytes:
    """Length, content, check and zeros, so that the frame of ``around`` more bytes fills its records (10.1)."""
    least = 4 + len(content) + len(check)
    sizes = [212, 468, 980, 2004] + [4096 * k - 12 - 32 * -(-4096 * k // 16384) for k in range(1, 19)]
    room = next(size for size in sizes if size >= around + least) - around
    return (len(content).to_bytes(4) + content + check).ljust(room, b"\0")


def unpad(plaintext: bytes, check_bytes: int) -> tuple[bytes, bytes]:
    end = 4 + int.from_bytes(plaintext[:4])
    assert not plaintext[end + check_bytes :].strip(b"\0")
    return plaintext[4:end], plaintext[end : end + check_bytes]
