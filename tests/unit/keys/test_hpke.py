import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from p2pchat.errors import CryptoError
from p2pchat.keys.hpke import ENC_BYTES, OVERHEAD_BYTES, open_box, seal
from tests.support.identities import stored_identity

ANN, BOB = stored_identity(0), stored_identity(1)
INFO = b"p2pchat/1/test"


def _seal(plaintext: bytes = b"hello", info: bytes = INFO) -> bytes:
    return seal(ANN.record.box_mlkem768, ANN.record.box_x25519, plaintext, info)


def test_a_box_opens() -> None:
    sealed = _seal()
    assert len(sealed) == OVERHEAD_BYTES + 5
    assert open_box(sealed, ANN.device, INFO) == b"hello"
    assert sealed != _seal()


def test_another_device_or_context_opens_nothing() -> None:
    with pytest.raises(CryptoError):
        open_box(_seal(), BOB.device, INFO)
    with pytest.raises(CryptoError):
        open_box(_seal(), ANN.device, INFO + b"2")


def test_every_bit_of_the_encapsulation_and_every_truncation_counts() -> None:
    sealed = _seal()
    for at in range(0, len(sealed), 7):
        with pytest.raises(CryptoError):
            open_box(sealed[:at] + bytes([sealed[at] ^ 1 << at % 8]) + sealed[at + 1 :], ANN.device, INFO)
    for size in (0, 1, 1087, 1088, ENC_BYTES, ENC_BYTES + 15, len(sealed) - 1):
        with pytest.raises(CryptoError):
            open_box(sealed[:size], ANN.device, INFO)


@pytest.mark.parametrize(("kem", "x"), [(b"", bytes(32)), (b"\xff" * 1184, bytes(32)), (None, bytes(31))])
def test_public_keys_that_cannot_be_are_refused(kem: bytes | None, x: bytes) -> None:
    with pytest.raises(CryptoError):
        seal(ANN.record.box_mlkem768 if kem is None else kem, x, b"hello", INFO)


def _extract(salt: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), ikm, "sha256")


def _expand(prk: bytes, info: bytes, length: int) -> bytes:
    assert length <= 32
    return hmac.digest(prk, info + b"\1", "sha256")[:length]


def test_the_byte_order_is_what_the_docstring_says() -> None:
    """RFC 9180's key schedule and X-Wing's combiner, by hand: a second client can be written from our words."""
    sealed = _seal()
    kem_ct, ephemeral, ciphertext = sealed[:1088], sealed[1088:ENC_BYTES], sealed[ENC_BYTES:]
    ss_kem = ANN.device.box_mlkem.decapsulate(kem_ct)
    ss_x = ANN.device.box_x25519.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    shared = hashlib.sha3_256(ss_kem + ss_x + ephemeral + ANN.record.box_x25519 + rb"\.//^" + b"\\").digest()

    suite = b"HPKE" + (0x647A).to_bytes(2) + (1).to_bytes(2) + (3).to_bytes(2)

    def labeled_extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
        return _extract(salt, b"HPKE-v1" + suite + label + ikm)

    context = b"\0" + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", INFO)
    secret = labeled_extract(shared, b"secret", b"")
    key, nonce = (
        _expand(secret, length.to_bytes(2) + b"HPKE-v1" + suite + label + context, length)
        for label, length in ((b"key", 32), (b"base_nonce", 12))
    )
    assert ChaCha20Poly1305(key).decrypt(nonce, ciphertext, None) == b"hello"
