"""RSA that costs nothing, for simulations: OAEP without secrecy. Signatures stay the real ones of the stored keys."""

from hashlib import sha256

import pytest

from p2pchat.env_system import SystemCrypto
from p2pchat.errors import CryptoError
from p2pchat.keys.identity import Identity, load_identity
from p2pchat.keys.root import RootKey
from p2pchat.limits import RSA_BYTES
from p2pchat.vault import app, renewal
from p2pchat.wire.own_files import VaultSecrets


class FakeCrypto(SystemCrypto):
    """``env.CryptoDraws`` whose OAEP only ``FakeRoot`` opens."""

    def oaep_encrypt(self, modulus: bytes, plaintext: bytes, label: bytes) -> bytes:
        framed = len(plaintext).to_bytes(2) + plaintext
        return (sha256(modulus + label).digest() + framed).ljust(RSA_BYTES, b"\0")


class FakeRoot(RootKey):
    """A root that opens what ``FakeCrypto`` made under its modulus and that label."""

    __slots__ = ()

    def oaep_open(self, ciphertext: bytes, label: bytes) -> bytes:
        head, framed = ciphertext[:32], ciphertext[32:]
        if head != sha256(self.modulus + label).digest():
            raise CryptoError("this was not encrypted to our root key")
        return framed[2 : 2 + int.from_bytes(framed[:2])]


def load_with_fake_root(secrets: VaultSecrets) -> Identity:
    """``load_identity`` with a root whose OAEP is the fake one."""
    real = load_identity(secrets)
    fake = FakeRoot(real.root.p, real.root.q, real.root._key, real.root.public)
    return Identity(
        user=real.user,
        root=fake,
        chain=real.chain,
        device=real.device,
        devices=real.devices,
        scalar=real.scalar,
    )


def plant(monkeypatch: pytest.MonkeyPatch) -> FakeCrypto:
    """Let every vault load a fake root; what their ``env.crypto`` must be."""
    monkeypatch.setattr(app, "load_identity", load_with_fake_root)
    monkeypatch.setattr(renewal, "load_identity", load_with_fake_root)
    return FakeCrypto()
