"""The contents of ``vault.key`` and ``gate.key``, and the store's key, of which each holds one half."""

from typing import Final

from p2pchat.errors import BadFormat, Corrupt
from p2pchat.keys.kdf import hkdf
from p2pchat.keys.key_file import open_with_key, seal_with_key
from p2pchat.wire.own_files import GateSecrets, VaultSecrets

_VAULT: Final = b"vault"
_GATE: Final = b"gate"


def seal_vault(secrets: VaultSecrets, key: bytes, nonce: bytes) -> bytes:
    """Bytes of ``vault.key``. ``key`` = ``derive(kek, "vault")``, ``nonce`` = 24 random bytes."""
    return seal_with_key(key, secrets.encode(), _VAULT, nonce)


def open_vault(data: bytes, key: bytes) -> VaultSecrets:
    """Raises Corrupt, or Failed for a file of a newer version."""
    try:
        return VaultSecrets.decode(open_with_key(key, data, _VAULT))
    except BadFormat as error:
        raise Corrupt("the vault key file holds something else", hint="restore it from a copy of the home") from error


def seal_gate(secrets: GateSecrets, key: bytes, nonce: bytes) -> bytes:
    """Bytes of ``gate.key``. ``key`` = ``derive(kek, "gate")``, ``nonce`` = 24 random bytes."""
    return seal_with_key(key, secrets.encode(), _GATE, nonce)


def open_gate(data: bytes, key: bytes) -> GateSecrets:
    """Raises as ``open_vault``."""
    try:
        return GateSecrets.decode(open_with_key(key, data, _GATE))
    except BadFormat as error:
        raise Corrupt("the gate key file holds something else", hint="restore it from a copy of the home") from error


def store_key(vault_half: bytes, gate_half: bytes) -> bytes:
    """32 bytes for the store. Neither process can open it without the other's half."""
    return hkdf(vault_half + gate_half, b"p2pchat/1/store")
