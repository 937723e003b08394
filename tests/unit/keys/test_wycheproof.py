"""Known attacks on the two primitives that seal files and sign records (tests/vectors/SOURCES.md)."""

import json
from pathlib import Path

import pytest
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError as SodiumError

from p2pchat.errors import BadSignature
from p2pchat.keys.signatures import verify_ed25519

VECTORS = Path(__file__).parents[2] / "vectors"


def test_xchacha20_poly1305() -> None:
    seen = 0
    for group in json.loads((VECTORS / "wycheproof_xchacha20_poly1305_test.json").read_text())["testGroups"]:
        if group["ivSize"] != 192:
            continue  # the binding takes 24-byte nonces alone
        for case in group["tests"]:
            key, nonce, aad, msg, box = (bytes.fromhex(case[k]) for k in ("key", "iv", "aad", "msg", "ct"))
            box += bytes.fromhex(case["tag"])
            seen += 1
            if case["result"] == "valid":
                assert crypto_aead_xchacha20poly1305_ietf_encrypt(msg, aad, nonce, key) == box
                assert crypto_aead_xchacha20poly1305_ietf_decrypt(box, aad, nonce, key) == msg
            else:
                with pytest.raises(SodiumError):
                    crypto_aead_xchacha20poly1305_ietf_decrypt(box, aad, nonce, key)
    assert seen > 280


def test_ed25519() -> None:
    seen = 0
    for group in json.loads((VECTORS / "wycheproof_ed25519_test.json").read_text())["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            signature, message = bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
            seen += 1
            if case["result"] == "valid":
                verify_ed25519(public, signature, message, "message")
            else:
                with pytest.raises(BadSignature):
                    verify_ed25519(public, signature, message, "message")
    assert seen > 140
